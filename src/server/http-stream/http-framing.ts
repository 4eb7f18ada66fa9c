import type { Framing } from '../../media/viewer.ts';

const CRLF: Uint8Array = Uint8Array.of(0x0d, 0x0a);

/** One HTTP/1.1 chunk for each joined buffer (RFC 9112 §7.1), made once for all viewers that share it. */
export const CHUNKED_FRAMING: Framing = {
  name: 'http-chunk',
  join(parts, sizeBytes) {
    const sizeLine = Buffer.from(`${sizeBytes.toString(16)}\r\n`, 'latin1');
    return Buffer.concat([sizeLine, ...parts, CRLF], sizeLine.length + sizeBytes + 2);
  },
};
