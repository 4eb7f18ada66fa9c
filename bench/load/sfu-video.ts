import { FRAME_RATE } from './sfu-protocol.ts';

/** Longest payload of RTP, as browsers have it. */
const MAX_PAYLOAD_BYTES = 1180;
const KEY_FRAME_INTERVAL = 100;
/** A key frame beside other frames. */
const KEY_FRAME_FACTOR = 4;
/** Frames differ in size by so much of their mean, both ways. */
const SIZE_SPREAD = 0.3;
/** Where the stamp is in a payload. */
const STAMP_AT = 16;
/** Shortest payload there is room for it in. */
const MIN_PAYLOAD_BYTES = 32;

/** Sizes of the packets of a stream of VP8, frame by frame, as an encoder and packetizer of a browser would make them. */
export class VideoModel {
  readonly #frameBytes: number;
  #frame = 0;
  #seed: number;

  constructor(bitrateBps: number, seed: number) {
    const factor = KEY_FRAME_INTERVAL / (KEY_FRAME_INTERVAL - 1 + KEY_FRAME_FACTOR);
    this.#frameBytes = (bitrateBps / 8 / FRAME_RATE) * factor;
    this.#seed = 1 + seed;
  }

  /** The next frame: whether it is a key frame, and the sizes of its payloads, which differ by one byte at most. */
  next(): { readonly isKeyFrame: boolean; readonly payloadBytes: readonly number[] } {
    const isKeyFrame = this.#frame++ % KEY_FRAME_INTERVAL === 0;
    this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
    const spread = 1 + SIZE_SPREAD * ((2 * this.#seed) / 0x7fff_ffff - 1);
    const mean = this.#frameBytes * (isKeyFrame ? KEY_FRAME_FACTOR : 1);
    const sizeBytes = Math.max(MIN_PAYLOAD_BYTES, Math.round(mean * spread));
    const count = Math.ceil(sizeBytes / MAX_PAYLOAD_BYTES);
    const longer = sizeBytes % count;
    const payloadBytes = Array.from(
      { length: count },
      (_, i) => Math.floor(sizeBytes / count) + (i >= count - longer ? 1 : 0),
    );
    return { isKeyFrame, payloadBytes };
  }
}

/** Writes the beginning of a VP8 payload: its descriptor, the bit that says key frame, and when it is sent. */
export function stampPayload(bytes: DataView, at: number, isFirst: boolean, isKeyFrame: boolean, sentUs: number): void {
  bytes.setUint8(at, isFirst ? 0x10 : 0);
  bytes.setUint8(at + 1, isKeyFrame ? 0 : 1);
  bytes.setFloat64(at + STAMP_AT, sentUs);
}

/** When it was sent. */
export function readStamp(bytes: DataView, at: number): number {
  return bytes.getFloat64(at + STAMP_AT);
}
