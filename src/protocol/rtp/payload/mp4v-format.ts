import {
  isMpeg4KeyFrame,
  MAX_MPEG4_CONFIGURATION_BYTES,
  parseMpeg4Configuration,
} from '../../../codec/mp4v/configuration.ts';
import { MPEG4_START_CODE } from '../../../codec/mp4v/headers.ts';
import type { Track } from '../../../codec/track.ts';
import { toHexadecimal } from '../../../wire/hexadecimal.ts';
import { ConfigChange } from './config-change.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'MP4V-ES';

/** Simple profile, level 1: what the parameter means when it is missing (§7.1). */
const DEFAULT_PROFILE_AND_LEVEL = 1;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The elementary stream of MPEG-4 visual, cut where a packet is full (RFC 6416 §5.2): without a header of its own. */
class Mp4vPacketizer implements Packetizer {
  readonly #inBand: Uint8Array;

  /** `inBand` are headers put into key frames that have none of their own; may be empty. */
  constructor(inBand: Uint8Array) {
    this.#inBand = inBand;
  }

  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void {
    if (payload.length === 0) return;
    const lacksHeaders = isKeyFrame && this.#inBand.length > 0 && parseMpeg4Configuration(payload) === undefined;
    const headers = lacksHeaders ? this.#inBand : NO_BYTES;
    const size = headers.length + payload.length;
    for (let at = 0; at < size; at += out.maxPayloadSize) {
      const end = Math.min(at + out.maxPayloadSize, size);
      out.open();
      if (at < headers.length) out.raw(headers, at, Math.min(end, headers.length));
      if (end > headers.length) out.raw(payload, Math.max(at - headers.length, 0), end - headers.length);
      out.close(end === size);
    }
  }
}

/** VOPs with the headers in front of them. */
class Mp4vAssembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #vop: UnitBuffer = new UnitBuffer();
  readonly #config: ConfigChange;

  constructor(config: Uint8Array) {
    this.#config = new ConfigChange(config);
  }

  /** Start codes are found nowhere else, and slices have none: here a VOP begins, or what stands in front of one. */
  isStart(payload: Uint8Array): boolean {
    if (payload[0] !== 0 || payload[1] !== 0 || payload[2] !== 1) return false;
    const code = payload[3] ?? 0xff;
    return code <= MPEG4_START_CODE.lastVideoObjectLayer || FIRST_CODES.has(code);
  }

  add(payload: Uint8Array): boolean {
    return this.#vop.append(payload);
  }

  finish(): AssembledUnit {
    const payload = this.#vop.take();
    const config = this.#config.next(parseMpeg4Configuration(payload)?.bytes.slice());
    return { payload, isKeyFrame: isMpeg4KeyFrame(payload), ...(config && { config }) };
  }

  reset(): void {
    this.#vop.clear();
  }
}

const FIRST_CODES: ReadonlySet<number> = new Set([
  MPEG4_START_CODE.visualObjectSequence,
  MPEG4_START_CODE.visualObject,
  MPEG4_START_CODE.groupOfVop,
  MPEG4_START_CODE.vop,
]);

/** `config` (§7.1): the headers in hexadecimal; empty when it is missing or cannot be read. */
function receivedConfig(mapping: RtpMapping): Uint8Array {
  const text = mapping.parameters.get('config')?.trim() ?? '';
  if (text.length > 2 * MAX_MPEG4_CONFIGURATION_BYTES || !/^([0-9a-f]{2})+$/i.test(text)) return NO_BYTES;
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
  return parseMpeg4Configuration(bytes)?.bytes ?? NO_BYTES;
}

/** MPEG-4 Part 2 visual elementary streams (RFC 6416). The headers go in SDP, as `config`. */
export const MP4V_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'mp4v') return undefined;
    const { profileAndLevel } = parseMpeg4Configuration(track.config) ?? {};
    const parameters = new Map([['profile-level-id', String(profileAndLevel ?? DEFAULT_PROFILE_AND_LEVEL)]]);
    if (track.config.length > 0 && track.config.length <= MAX_MPEG4_CONFIGURATION_BYTES) {
      parameters.set('config', toHexadecimal(track.config).toUpperCase());
    }
    return { payloadType: dynamicPayloadType, encodingName: ENCODING_NAME, clockRate: VIDEO_CLOCK_RATE, parameters };
  },

  makePacketizer(track: Track, inBandConfig = false): Packetizer {
    return new Mp4vPacketizer(inBandConfig ? track.config : NO_BYTES);
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    return isNamed(mapping, ENCODING_NAME) ? videoTrack(trackId, 'mp4v', receivedConfig(mapping)) : undefined;
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    return new UnitDepacketizer(new Mp4vAssembler(receivedConfig(mapping)));
  },
};
