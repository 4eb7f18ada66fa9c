/** Most frames of an Opus packet: 48 of 2.5 ms are the 120 ms a packet may last (RFC 6716 §3.2.5). */
export const MAX_OPUS_FRAMES = 48;

/** Longest frame, bytes (RFC 6716 §3.4, R2). */
const MAX_FRAME_BYTES = 1275;

/** A frame length at `offset` (RFC 6716 §3.1): its value, and how many bytes it took; `undefined` when it is cut off. */
function readLength(packet: Uint8Array, offset: number): readonly [length: number, sizeBytes: number] | undefined {
  const first = packet[offset];
  if (first === undefined || first < 252) return first === undefined ? undefined : [first, 1];
  const second = packet[offset + 1];
  return second === undefined ? undefined : [second * 4 + first, 2];
}

/**
 * The frames of a packet, views without TOC byte, lengths and padding (RFC 6716 §3.2); `undefined` for a malformed
 * packet. A frame may be empty: nothing was sent for its time.
 */
export function splitOpusFrames(packet: Uint8Array): readonly Uint8Array[] | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const frames = (toc & 3) === 3 ? splitArbitrary(packet) : splitUpToTwo(packet, toc & 3);
  return frames?.every((frame) => frame.length <= MAX_FRAME_BYTES) === true ? frames : undefined;
}

/** Codes 0, 1 and 2: one frame, two of one size, two of which the first has its length in front. */
function splitUpToTwo(packet: Uint8Array, code: number): readonly Uint8Array[] | undefined {
  if (code === 0) return [packet.subarray(1)];
  if (code === 1) {
    const half = (packet.length - 1) / 2;
    return Number.isInteger(half) ? [packet.subarray(1, 1 + half), packet.subarray(1 + half)] : undefined;
  }
  const length = readLength(packet, 1);
  const start = 1 + (length?.[1] ?? 0);
  if (length === undefined || start + length[0] > packet.length) return undefined;
  return [packet.subarray(start, start + length[0]), packet.subarray(start + length[0])];
}

/** Code 3: a byte with the number of frames, the size of the padding, lengths where sizes differ, frames, padding. */
function splitArbitrary(packet: Uint8Array): readonly Uint8Array[] | undefined {
  const facts = packet[1];
  const count = (facts ?? 0) & 0x3f;
  if (facts === undefined || count === 0 || count > MAX_OPUS_FRAMES) return undefined;
  let at = 2;
  let end = packet.length;
  if ((facts & 0x40) !== 0) {
    let byte = 255;
    while (byte === 255) {
      byte = packet[at++] ?? 0;
      end -= byte === 255 ? 254 : byte;
    }
  }
  const sizes: number[] = [];
  if ((facts & 0x80) !== 0) {
    for (let i = 0; i < count - 1; i++) {
      const length = readLength(packet, at);
      if (length === undefined) return undefined;
      sizes.push(length[0]);
      at += length[1];
    }
    sizes.push(end - at - sizes.reduce((sum, size) => sum + size, 0));
  } else {
    const size = (end - at) / count;
    if (!Number.isInteger(size)) return undefined;
    for (let i = 0; i < count; i++) sizes.push(size);
  }
  if (at > end || sizes.some((size) => size < 0)) return undefined;
  return sizes.map((size) => {
    at += size;
    return packet.subarray(at - size, at);
  });
}
