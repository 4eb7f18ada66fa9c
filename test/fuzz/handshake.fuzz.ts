import { ClientHandshake } from '../../src/protocol/rtmp/client-handshake.ts';
import { type HandshakeEvent, ServerHandshake } from '../../src/protocol/rtmp/server-handshake.ts';
import { testCrypto } from '../rtmp-test-kit.ts';

export const name = 'handshake';

/** Both sides of the handshake: the same outcome whole and in pieces, and nothing after the last word. */
export function run(bytes: Uint8Array): void {
  for (const makeSide of [server, client]) {
    const whole = tell(makeSide(), [bytes]);
    for (const size of [1, 997]) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
      const cut = tell(makeSide(), pieces);
      if (cut !== whole) throw new RangeError(`pieces of ${size}: ${cut}, whole: ${whole}`);
    }
  }
}

type Side = (piece: Uint8Array) => HandshakeEvent[];

function server(): Side {
  const handshake = new ServerHandshake(testCrypto());
  return (piece) => handshake.receive(piece, 0);
}

function client(): Side {
  const handshake = new ClientHandshake(testCrypto());
  handshake.start(0);
  return (piece) => handshake.receive(piece);
}

function tell(side: Side, pieces: readonly Uint8Array[]): string {
  const words: string[] = [];
  let isOver = false;
  for (const piece of pieces) {
    for (const event of side(piece)) {
      if (isOver) throw new RangeError(`${event.type} after the end`);
      isOver = event.type === 'done' || event.type === 'failed';
      if (event.type === 'send') words.push(`send ${Buffer.from(event.bytes).toString('hex')}`);
      else if (event.type === 'done') words.push(`done ${event.kind}`);
      else if (event.type === 'failed') words.push(`failed ${event.error.code}`);
      else words.push(`proxied ${event.address}`);
    }
  }
  return words.join('; ');
}
