import { joinNeighbours } from '../../wire/join-neighbours.ts';
import type { Framing } from '../viewer.ts';
import { INTERLEAVED_HEADER_BYTES } from './rtp-packet-writer.ts';

/** The `$` frames of an RTP rendition as they are. Frames that lie side by side in one buffer are not copied. */
export const RTP_FRAMING: Framing = {
  name: 'rtp',
  join: (parts) => joinNeighbours(parts),
};

/**
 * The `$` frames with other channels: those of track `i`, made for channel `2 × i`, go to `channels[i]`, or nowhere when
 * that is undefined.
 */
export function rtpFramingOn(channels: readonly (number | undefined)[]): Framing {
  if (channels.every((channel, i) => channel === i * 2)) return RTP_FRAMING;
  return {
    name: `rtp:${channels.map((channel) => channel ?? '-').join()}`,
    join(parts, sizeBytes) {
      const joined = new Uint8Array(sizeBytes);
      let length = 0;
      for (const part of parts) length = copyFrames(part, channels, joined, length);
      return joined.subarray(0, length);
    },
  };
}

/** Copies the frames that go anywhere to `out[at]` and on; gives back where they end. */
function copyFrames(
  frames: Uint8Array,
  channels: readonly (number | undefined)[],
  out: Uint8Array,
  at: number,
): number {
  let to = at;
  // Neighbours for the same place are copied together.
  let runStart = 0;
  let from = 0;
  while (from < frames.length) {
    const end = from + interleavedBytes(frames, from);
    const channel = channels[frames[from + 1]! >>> 1];
    if (channel === undefined) {
      if (runStart < from) out.set(frames.subarray(runStart, from), to - (from - runStart));
      runStart = end;
    } else {
      to += end - from;
    }
    from = end;
  }
  if (runStart < from) out.set(frames.subarray(runStart, from), to - (from - runStart));
  for (let place = at; place < to; place += interleavedBytes(out, place)) {
    out[place + 1] = channels[out[place + 1]! >>> 1]!;
  }
  return to;
}

/** Bytes of the `$` frame at `at`, header included. */
export function interleavedBytes(frames: Uint8Array, at: number): number {
  return INTERLEAVED_HEADER_BYTES + ((frames[at + 2]! << 8) | frames[at + 3]!);
}

/** Where the first RTP packet of a channel stands in `$` frames: what RTP-Info tells of it (RFC 2326 §12.33). */
export interface FirstPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
}

/** The first packet of `channel` in `$` frames, or undefined. */
export function findFirstPacket(frames: Uint8Array, channel: number): FirstPacket | undefined {
  for (let at = 0; at < frames.length; at += interleavedBytes(frames, at)) {
    if (frames[at + 1] !== channel) continue;
    const view = new DataView(frames.buffer, frames.byteOffset + at + INTERLEAVED_HEADER_BYTES);
    return { sequenceNumber: view.getUint16(2), timestamp: view.getUint32(4) };
  }
  return undefined;
}
