import { readStreamMuxConfig, type StreamMuxConfig } from '../../../codec/aac/stream-mux-config.ts';
import { BitReader } from '../../../wire/bit-reader.ts';
import { equalBytes } from '../../../wire/equal-bytes.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { UnitBuffer } from './unit-buffer.ts';

/** Most access units taken out of one packet. */
export const MAX_LATM_UNITS = 256;

const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * AAC in MP4A-LATM (RFC 6416 §6). A packet has whole AudioMuxElements or a part of one; the marker ends it. In an
 * element (ISO/IEC 14496-3 §1.7.3), the first line only where the configuration is in band:
 *
 *     useSameStreamMux(1) [StreamMuxConfig]
 *     {length: bytes of 255 and one below, their sum  access unit} …  other data  to a whole byte
 *
 * Nothing in a packet tells whether an element begins with it, so after a loss packets are of use only from behind the
 * next marker on.
 */
export class LatmDepacketizer implements Depacketizer {
  readonly #isConfigInBand: boolean;
  readonly #clockRate: number;
  #config: StreamMuxConfig | undefined;
  readonly #element: UnitBuffer = new UnitBuffer();
  #timestamp = 0;
  #isOpen = false;
  #isSpoilt = false;
  /** The first packet ever is in no better place than one after a loss. */
  #afterLoss = true;
  dropped = 0;

  /** @param config as SDP told it; without one the elements bring it */
  constructor(config: StreamMuxConfig | undefined, clockRate: number) {
    this.#isConfigInBand = config === undefined;
    this.#config = config;
    this.#clockRate = clockRate;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp, marker } = packet;
    if (packet.afterLoss) {
      this.#afterLoss = true;
      if (this.#isOpen) this.#isSpoilt = true;
    }
    let units = NOTHING;
    if (this.#isOpen && timestamp !== this.#timestamp) units = this.#end();
    if (payload.length > 0) this.#add(payload, timestamp);
    if (marker && this.#isOpen) units = units.length === 0 ? this.#end() : [...units, ...this.#end()];
    return units;
  }

  #add(payload: Uint8Array, timestamp: number): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#timestamp = timestamp;
      this.#isSpoilt = this.#afterLoss;
    }
    this.#afterLoss = false;
    if (!this.#isSpoilt && !this.#element.append(payload)) this.#isSpoilt = true;
  }

  #end(): readonly DepacketizedUnit[] {
    this.#isOpen = false;
    const units = this.#isSpoilt ? undefined : this.#split(this.#element.bytes);
    this.#element.clear();
    if (units === undefined) this.dropped++;
    return units ?? NOTHING;
  }

  /** The access units of whole elements; `undefined` when they don't come out even. */
  #split(bytes: Uint8Array): readonly DepacketizedUnit[] | undefined {
    const bits = new BitReader(bytes);
    const units: DepacketizedUnit[] = [];
    let config = this.#config;
    let index = 0;
    while (bits.bitsLeft >= 8 && units.length < MAX_LATM_UNITS) {
      let newConfig: Uint8Array | undefined;
      if (this.#isConfigInBand && !bits.flag()) {
        const told = readStreamMuxConfig(bytes, bits);
        if (told !== undefined && !equalBytes(told.audioConfig, config?.audioConfig ?? NO_BYTES)) {
          newConfig = told.audioConfig;
        }
        config = told;
      }
      if (config === undefined) return undefined;
      const duration = (config.audio.frameLength * this.#clockRate) / config.audio.sampleRate;
      for (let i = 0; i < config.subFrames; i++) {
        const payload = readAccessUnit(bytes, bits, config.fixedFrameBytes);
        if (payload === undefined) return undefined;
        const timestamp = (this.#timestamp + Math.round(index * duration)) >>> 0;
        index++;
        if (payload.length === 0) continue;
        units.push({ timestamp, payload, isKeyFrame: true, ...(newConfig && { config: newConfig }) });
        newConfig = undefined;
      }
      bits.skip(config.otherDataBits);
      bits.alignToByte();
      if (bits.overrun) return undefined;
    }
    this.#config = config;
    return units;
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** PayloadLengthInfo and PayloadMux of one access unit, in a buffer of its own; `undefined` when it is cut off. */
function readAccessUnit(
  bytes: Uint8Array,
  bits: BitReader,
  fixedFrameBytes: number | undefined,
): Uint8Array | undefined {
  let size = fixedFrameBytes ?? 0;
  if (fixedFrameBytes === undefined) {
    let byte = 255;
    while (byte === 255) {
      byte = bits.bits(8);
      size += byte;
    }
  }
  if (bits.overrun || size * 8 > bits.bitsLeft) return undefined;
  const at = bits.position >>> 3;
  const shift = bits.position & 7;
  bits.skip(size * 8);
  if (shift === 0) return bytes.slice(at, at + size);
  const payload = new Uint8Array(size);
  for (let i = 0; i < size; i++) payload[i] = (bytes[at + i]! << shift) | (bytes[at + i + 1]! >>> (8 - shift));
  return payload;
}
