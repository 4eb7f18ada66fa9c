import { MPEG_VIDEO_START_CODE } from '../../../codec/mpeg-video/headers.ts';
import { findStartCode } from '../../../codec/nal-unit.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

const HEADER_BYTES = 4;

/** Pieces of a picture that are told apart; what follows goes with the last of them. A slice at least is a macroblock row. */
const MAX_PIECES = 65_536;

const P_PICTURE = 2;
const B_PICTURE = 3;

/** Bits of the header. */
const SEQUENCE_HEADER = 0x2000;
const SLICE_BEGINS = 0x1000;
const SLICE_ENDS = 0x0800;

/**
 * MPEG-1 and MPEG-2 video (RFC 2250 §3). A packet has as many whole slices as it can hold, the headers in front of the
 * first of them; slices too long for a packet are cut. The extension for MPEG-2 (§3.4.1) is not used.
 *
 *     MBZ(5) T(1)=0 TR(10) AN(1)=0 N(1)=0 S(1) B(1) E(1) P(3) FBV(1) BFC(3) FFV(1) FFC(3)
 */
export class MpegVideoPacketizer implements Packetizer {
  /** Where pieces begin: a slice with the headers before it. The last entry is the end of the payload. */
  readonly #pieces: number[] = [];
  /** Type, vectors and temporal reference of the picture each piece belongs to, as the header has them. */
  readonly #pictures: number[] = [];
  /** Whether each piece has a sequence header. */
  readonly #sequences: boolean[] = [];

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    this.#cut(payload);
    const room = Math.max(1, out.maxPayloadSize - HEADER_BYTES);
    const count = this.#pictures.length;
    for (let i = 0; i < count; ) {
      const start = this.#pieces[i]!;
      let next = i + 1;
      while (next < count && this.#pieces[next + 1]! - start <= room) next++;
      const end = this.#pieces[next]!;
      let flags = this.#pictures[i]! | SLICE_BEGINS;
      for (let j = i; j < next; j++) if (this.#sequences[j]) flags |= SEQUENCE_HEADER;
      for (let at = start; at < end; at += room) {
        const isLast = at + room >= end;
        out.open();
        out.u32(flags | (isLast ? SLICE_ENDS : 0));
        out.raw(payload, at, isLast ? end : at + room);
        out.close(isLast && next === count);
        flags = this.#pictures[i]!;
      }
      i = next;
    }
    this.#pieces.length = 0;
    this.#pictures.length = 0;
    this.#sequences.length = 0;
  }

  #cut(payload: Uint8Array): void {
    if (payload.length === 0) return;
    let isAfterSlice = false;
    this.#begin(0, 0);
    for (let at = findStartCode(payload, 0); at + 3 < payload.length; at = findStartCode(payload, at + 3)) {
      const code = payload[at + 3]!;
      if (isAfterSlice && this.#pictures.length < MAX_PIECES) this.#begin(at, this.#pictures.at(-1)!);
      isAfterSlice = code >= MPEG_VIDEO_START_CODE.firstSlice && code <= MPEG_VIDEO_START_CODE.lastSlice;
      const last = this.#pictures.length - 1;
      if (code === MPEG_VIDEO_START_CODE.sequenceHeader) this.#sequences[last] = true;
      if (code === MPEG_VIDEO_START_CODE.picture) this.#pictures[last] = pictureBits(payload, at + 4);
    }
    this.#pieces.push(payload.length);
  }

  #begin(at: number, picture: number): void {
    this.#pieces.push(at);
    this.#pictures.push(picture);
    this.#sequences.push(false);
  }
}

/**
 * What the header tells about a picture, out of the picture header behind its start code.
 *
 *     temporal_reference(10) picture_coding_type(3) vbv_delay(16)
 *     P, B: full_pel_forward(1) forward_f_code(3)  B: full_pel_backward(1) backward_f_code(3)
 */
function pictureBits(payload: Uint8Array, at: number): number {
  const temporalReference = ((payload[at] ?? 0) << 2) | ((payload[at + 1] ?? 0) >>> 6);
  const type = ((payload[at + 1] ?? 0) >>> 3) & 7;
  // Both vectors as the RTP header wants them, forward first, from the bits after the 29th.
  const vectors = (((payload[at + 3] ?? 0) & 7) << 5) | ((payload[at + 4] ?? 0) >>> 3);
  const forward = type === P_PICTURE || type === B_PICTURE ? (vectors >>> 4) & 15 : 0;
  const backward = type === B_PICTURE ? vectors & 15 : 0;
  return (temporalReference << 16) | (type << 8) | (backward << 4) | forward;
}
