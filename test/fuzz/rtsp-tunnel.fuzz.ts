import { RtspMessageReader } from '../../src/protocol/rtsp/rtsp-message-reader.ts';
import { TunnelDecoder } from '../../src/protocol/rtsp/tunnel-decoder.ts';
import { joinBytes } from '../../src/wire/join-bytes.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'rtsp-tunnel';

/** Base64 of a tunnel: the same bytes whole and in pieces, those that Node decodes too, and what is in them read. */
export function run(bytes: Uint8Array): void {
  const whole = decode(bytes, bytes.length + 1);
  for (const sizeBytes of [1, 3, 50]) {
    const cut = decode(bytes, sizeBytes);
    expectSameBytes(cut.decoded, whole.decoded, `pieces of ${sizeBytes}`);
    if (cut.code !== whole.code) throw new RangeError(`pieces of ${sizeBytes}: ${cut.code}, whole: ${whole.code}`);
  }
  if (whole.decoded.length > (bytes.length * 3) / 4) throw new RangeError('more bytes than the text has room for');
  if (whole.code === undefined) expectSameBytes(whole.decoded, decodeByNode(bytes), 'decoded bytes');
  const encoded = new TextEncoder().encode(Buffer.from(bytes).toString('base64'));
  expectSameBytes(decode(encoded, 7).decoded, bytes, 'bytes encoded and decoded');
  new RtspMessageReader().receive(whole.decoded);
}

interface Decoded {
  readonly decoded: Uint8Array;
  readonly code: string | undefined;
}

function decode(bytes: Uint8Array, sizeBytes: number): Decoded {
  const decoder = new TunnelDecoder();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += sizeBytes) parts.push(decoder.decode(bytes.subarray(at, at + sizeBytes)));
  return { decoded: joinBytes([new Uint8Array(0), ...parts]), code: decoder.error?.code };
}

/** Group by group, since Node stops at the first padding; the last group may be unfinished. */
function decodeByNode(bytes: Uint8Array): Uint8Array {
  const digits = Buffer.from(bytes).toString('latin1').replace(/\s/g, '');
  const groups = digits.match(/[^=]+=*/g) ?? [];
  const parts = groups.map((group) => {
    const isFinished = group.endsWith('=');
    const text = group.replace(/=+$/, '');
    return Buffer.from(isFinished ? text : text.slice(0, text.length - (text.length % 4)), 'base64');
  });
  return joinBytes([new Uint8Array(0), ...parts]);
}
