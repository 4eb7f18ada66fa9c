import {
  avcConfigurationFromNalUnits,
  writeAvcDecoderConfiguration,
} from '../../codec/h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from '../../codec/h264/nal-unit-type.ts';
import {
  hevcConfigurationFromNalUnits,
  writeHevcDecoderConfiguration,
} from '../../codec/h265/hevc-decoder-configuration.ts';
import { H265_NAL, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { joinLengthPrefixed, MAX_PARAMETER_SET_BYTES, splitAnnexB } from '../../codec/nal-unit.ts';
import type { Track } from '../../codec/track.ts';
import { isKeyFramePayload } from '../../codec/track-details.ts';
import { type ElementaryReader, equalBytes, type UnitTimes, videoTrack } from './elementary-reader.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';

/** Most parameter sets kept for one configuration; the newest stay. */
export const MAX_PARAMETER_SETS = 64;

const LENGTH_SIZE = 4;
const H264_PARAMETER_SETS: ReadonlySet<number> = new Set([H264_NAL.sps, H264_NAL.pps, H264_NAL.spsExtension]);
const H265_PARAMETER_SETS: ReadonlySet<number> = new Set([H265_NAL.vps, H265_NAL.sps, H265_NAL.pps]);

/**
 * H.264 or H.265 from Annex B: one PES packet is taken for one access unit, as encoders send them. Parameter sets and
 * delimiters go out of the payload; the sets make the track's configuration.
 */
export class AnnexBReader implements ElementaryReader {
  readonly #codec: 'h264' | 'h265';
  readonly #trackId: number;
  #parameterSets: readonly Uint8Array[] = [];
  #track: Track | undefined;

  constructor(codec: 'h264' | 'h265', trackId: number) {
    this.#codec = codec;
    this.#trackId = trackId;
  }

  get track(): Track | undefined {
    return this.#track;
  }

  reset(): void {
    // Nothing is kept from one access unit to the next but the configuration, which stays true.
  }

  push(payload: Uint8Array, times: UnitTimes | undefined, events: TsDemuxEvent[]): void {
    const isH265 = this.#codec === 'h265';
    const types = isH265 ? H265_PARAMETER_SETS : H264_PARAMETER_SETS;
    const delimiter = isH265 ? H265_NAL.accessUnitDelimiter : H264_NAL.accessUnitDelimiter;
    const kept: Uint8Array[] = [];
    const parameterSets: Uint8Array[] = [];
    for (const nalUnit of splitAnnexB(payload)) {
      const type = isH265 ? h265NalType(nalUnit) : h264NalType(nalUnit);
      if (types.has(type)) {
        if (nalUnit.length <= MAX_PARAMETER_SET_BYTES) parameterSets.push(nalUnit);
      } else if (type !== delimiter) {
        kept.push(nalUnit);
      }
    }
    if (parameterSets.length > 0) this.#configure(parameterSets, events);
    if (kept.length === 0) {
      events.push({ type: 'ignored', reason: 'empty-access-unit' });
    } else if (this.#track === undefined) {
      events.push({ type: 'ignored', reason: 'frame-before-config' });
    } else if (times === undefined) {
      events.push({ type: 'ignored', reason: 'frame-without-time' });
    } else {
      const joined = joinLengthPrefixed(kept, LENGTH_SIZE);
      const isKeyFrame = isKeyFramePayload(this.#codec, joined, LENGTH_SIZE);
      events.push({ type: 'frame', frame: { track: this.#track, ...times, isKeyFrame, payload: joined } });
    }
  }

  #configure(found: readonly Uint8Array[], events: TsDemuxEvent[]): void {
    const unknown = found.filter((one) => !this.#parameterSets.some((known) => equalBytes(one, known)));
    if (unknown.length === 0) return;
    const spsType = this.#codec === 'h265' ? H265_NAL.sps : H264_NAL.sps;
    const typeOf = this.#codec === 'h265' ? h265NalType : h264NalType;
    // Where an SPS is, the whole set is; a picture parameter set alone adds to those there are.
    const startsAnew = found.some((one) => typeOf(one) === spsType);
    const sets = (startsAnew ? found : [...this.#parameterSets, ...unknown]).slice(-MAX_PARAMETER_SETS);
    const config = this.#record(sets);
    // The units are views into the access unit: what is kept must not hold on to it.
    this.#parameterSets = sets.map((one) => one.slice());
    if (config === undefined || (this.#track !== undefined && equalBytes(config, this.#track.config))) return;
    this.#track = videoTrack(this.#trackId, this.#codec, config);
    events.push({ type: 'track', track: this.#track });
  }

  #record(sets: readonly Uint8Array[]): Uint8Array | undefined {
    if (this.#codec === 'h264') {
      const record = avcConfigurationFromNalUnits(sets);
      return record && writeAvcDecoderConfiguration(record);
    }
    const record = hevcConfigurationFromNalUnits(sets);
    return record && writeHevcDecoderConfiguration(record);
  }
}
