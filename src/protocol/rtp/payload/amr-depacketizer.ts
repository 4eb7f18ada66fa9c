import { type AmrCodec, amrSampleRate, amrSpeechBits } from '../../../codec/amr/amr-frame.ts';
import { BitReader } from '../../../wire/bit-reader.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';

/** Most frames taken out of one packet: more than a second. */
export const MAX_AMR_FRAMES = 64;

const FRAMES_A_SECOND = 50;
const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * AMR and AMR-WB of one channel, octet-aligned or bandwidth-efficient (RFC 4867 §4.3, §4.4), without interleaving,
 * checksums and robust sorting. Every packet stands for itself.
 *
 *     CMR(4) [0(4)]   {F(1) FT(4) Q(1) [0(2)]} … while F is 1   {speech bits [0 to a whole byte]} …
 */
export class AmrDepacketizer implements Depacketizer {
  readonly #codec: AmrCodec;
  readonly #isOctetAligned: boolean;
  dropped = 0;

  constructor(codec: AmrCodec, isOctetAligned: boolean) {
    this.#codec = codec;
    this.#isOctetAligned = isOctetAligned;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    const units = this.#frames(payload, timestamp);
    if (units === undefined) this.dropped++;
    return units ?? NOTHING;
  }

  #frames(payload: Uint8Array, timestamp: number): readonly DepacketizedUnit[] | undefined {
    const bits = new BitReader(payload);
    bits.skip(this.#isOctetAligned ? 8 : 4);
    const headers: number[] = [];
    let isMore = true;
    while (isMore) {
      isMore = bits.flag();
      headers.push(bits.bits(5) << 2);
      if (this.#isOctetAligned) bits.skip(2);
      if (bits.overrun || headers.length > MAX_AMR_FRAMES) return undefined;
    }
    const step = amrSampleRate(this.#codec) / FRAMES_A_SECOND;
    const units: DepacketizedUnit[] = [];
    for (const header of headers) {
      const speechBits = amrSpeechBits(this.#codec, header >>> 3);
      if (speechBits === undefined || speechBits > bits.bitsLeft) return undefined;
      const frame = new Uint8Array(1 + Math.ceil(speechBits / 8));
      frame[0] = header;
      for (let i = 1; i < frame.length; i++) {
        const count = Math.min(8, speechBits - (i - 1) * 8);
        frame[i] = bits.bits(count) << (8 - count);
      }
      if (this.#isOctetAligned) bits.alignToByte();
      units.push({ timestamp: (timestamp + units.length * step) >>> 0, payload: frame, isKeyFrame: true });
    }
    return units;
  }
}
