import type { RtmpServerEvent } from '../../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../src/protocol/rtmp/server-session.ts';
import { testCrypto } from '../rtmp-test-kit.ts';

export const name = 'rtmp-server';

/** Enough for any C0, C1 and C2: the input begins behind the handshake. */
const HANDSHAKE = new Uint8Array(1 + 2 * 1536).fill(3, 0, 1);

/** A server session fed by a client behind its handshake: it never throws, and says the same whole and in pieces. */
export function run(bytes: Uint8Array): void {
  const whole = serve(bytes, bytes.length);
  const cut = serve(bytes, 7);
  if (cut !== whole) throw new RangeError(`in pieces:\n${cut}\nwhole:\n${whole}`);
}

/**
 * Accepts the connect and tells what the client asked for, one line each. Up to the connect the bytes come one by one,
 * because a fault that comes together with it ends the session before the rest is looked at; then `size` at a time.
 */
function serve(bytes: Uint8Array, size: number): string {
  const session = new RtmpServerSession({
    crypto: testCrypto(),
    nowMs: 0,
    serverVersion: 'fuzz',
    maxMessageSizeBytes: 1_048_576,
    pingIntervalMs: 1000,
  });
  const lines: string[] = [];
  let isOver = false;
  const handle = (events: readonly RtmpServerEvent[]): void => {
    for (const event of events) {
      if (isOver) throw new RangeError(`${event.type} after the end`);
      isOver = event.type === 'failed' || event.type === 'end';
      if (event.type === 'failed') lines.push(`failed ${event.error.code}`);
      else if (event.type === 'message') lines.push(`${event.typeId} ${event.timestamp} ${event.payload.length}`);
      else if (event.type !== 'send')
        lines.push('messageStreamId' in event ? `${event.type} ${event.messageStreamId}` : event.type);
      // Publishes and plays stay undecided: whether they last until the answer depends on how the input is cut.
      if (event.type === 'connect') handle(session.acceptConnect());
    }
  };
  handle(session.receive(HANDSHAKE, 0));
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + (session.connectRequest === undefined ? 1 : size));
    at += piece.length;
    handle(session.receive(piece, at));
    session.nextTimeoutMs();
  }
  // What a timer says comes last, and is not compared: a session without input for a minute is over.
  const told = lines.join('\n');
  handle(session.handleTimeout(1e9));
  return told;
}
