import { type BaselineJpeg, writeBaselineJpeg } from '../../../codec/jpeg/baseline-jpeg.ts';
import type { Track } from '../../../codec/track.ts';
import { ByteReader } from '../../../wire/byte-reader.ts';
import type { Depacketizer } from './depacketizer.ts';
import { JpegPacketizer } from './jpeg-packetizer.ts';
import { computedQuantizers, FIRST_SENT_Q, LAST_COMPUTED_Q, Q_WITH_TABLES } from './jpeg-quantizers.ts';
import { isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'JPEG';
/** RFC 3551 Table 5. */
const PAYLOAD_TYPE = 26;

const WITH_RESTARTS = 64;
const QUANTIZERS = 64;

type Quantizers = readonly [luminance: Uint8Array, chrominance: Uint8Array];
type ImageHeader = Omit<BaselineJpeg, 'scan' | 'luminanceQuantizers' | 'chrominanceQuantizers'>;

/** Images of types 0, 1, 64 and 65, with headers made anew (RFC 2435 §3.1, appendix B). Fields are images of their own. */
class JpegAssembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #scan: UnitBuffer = new UnitBuffer();
  /** Tables by their Q, of those that are computed and those that are sent once. */
  readonly #quantizersOfQ: Map<number, Quantizers> = new Map();
  #header: ImageHeader | undefined;
  #quantizers: Quantizers | undefined;

  isStart(payload: Uint8Array): boolean {
    return payload.length >= 8 && payload[1] === 0 && payload[2] === 0 && payload[3] === 0;
  }

  add(payload: Uint8Array): boolean {
    const reader = new ByteReader(payload, 1);
    const offset = reader.u24();
    const type = reader.u8();
    const q = reader.u8();
    const width = reader.u8() * 8;
    const height = reader.u8() * 8;
    if (offset !== this.#scan.length || (type & ~WITH_RESTARTS) > 1) return false;
    let restartInterval = 0;
    if ((type & WITH_RESTARTS) !== 0) {
      restartInterval = reader.u16();
      reader.skip(2);
    }
    if (offset === 0) {
      this.#quantizers = this.#readQuantizers(reader, q);
      this.#header = { width, height, is420: (type & 1) === 1, restartInterval };
      if (this.#quantizers === undefined || width === 0 || height === 0) return false;
    }
    return !reader.overrun && reader.remaining > 0 && this.#scan.append(payload, reader.offset);
  }

  #readQuantizers(reader: ByteReader, q: number): Quantizers | undefined {
    const known = this.#quantizersOfQ.get(q);
    if (q >= 1 && q <= LAST_COMPUTED_Q) {
      const computed = known ?? computedQuantizers(q);
      this.#quantizersOfQ.set(q, computed);
      return computed;
    }
    if (q < FIRST_SENT_Q) return undefined;
    reader.skip(1);
    const precision = reader.u8();
    const length = reader.u16();
    // Senders may leave out tables they sent before, but for the Q that always has them.
    if (length === 0) return q === Q_WITH_TABLES ? undefined : known;
    // A copy, which `slice` of a Node buffer is not.
    const tables = new Uint8Array(reader.view(length));
    const first = (precision & 1) === 0 ? QUANTIZERS : 2 * QUANTIZERS;
    const second = (precision & 2) === 0 ? QUANTIZERS : 2 * QUANTIZERS;
    // Some senders have one table for all components.
    if (reader.overrun || (length !== first + second && length !== first)) return undefined;
    const luminance = tables.subarray(0, first);
    const sent: Quantizers = [luminance, length === first ? luminance : tables.subarray(first)];
    if (q !== Q_WITH_TABLES) this.#quantizersOfQ.set(q, sent);
    return sent;
  }

  finish(): AssembledUnit | undefined {
    const header = this.#header;
    const quantizers = this.#quantizers;
    const scan = this.#scan.bytes;
    if (header === undefined || quantizers === undefined || scan.length === 0) {
      this.reset();
      return undefined;
    }
    // Some senders leave the end of image in.
    const hasEnd = scan.at(-2) === 0xff && scan.at(-1) === 0xd9;
    const payload = writeBaselineJpeg({
      ...header,
      luminanceQuantizers: quantizers[0],
      chrominanceQuantizers: quantizers[1],
      scan: hasEnd ? scan.subarray(0, -2) : scan,
    });
    this.reset();
    return { payload, isKeyFrame: true };
  }

  reset(): void {
    this.#scan.clear();
    this.#header = undefined;
    this.#quantizers = undefined;
  }
}

/** Motion JPEG (RFC 2435), payload type 26. SDP tells nothing about it. */
export const JPEG_FORMAT: PayloadFormat = {
  toMapping(track: Track): RtpMapping | undefined {
    if (track.codec !== 'jpeg') return undefined;
    return {
      payloadType: PAYLOAD_TYPE,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters: NO_PARAMETERS,
    };
  },

  makePacketizer(): Packetizer {
    return new JpegPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    return isNamed(mapping, ENCODING_NAME) ? videoTrack(trackId, 'jpeg', new Uint8Array(0)) : undefined;
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new JpegAssembler());
  },
};
