import { H264_NAL, h264NalType } from '../../codec/h264/nal-unit-type.ts';
import { H265_NAL, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { joinLengthPrefixed, splitAnnexB } from '../../codec/nal-unit.ts';
import { ParameterSetCollector } from '../../codec/parameter-set-collector.ts';
import type { Track } from '../../codec/track.ts';
import { isKeyFramePayload } from '../../codec/track-details.ts';
import { type ElementaryReader, type UnitTimes, videoTrack } from './elementary-reader.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';

const LENGTH_SIZE = 4;

/**
 * H.264 or H.265 from Annex B: one PES packet is taken for one access unit, as encoders send them. Parameter sets and
 * delimiters go out of the payload; the sets make the track's configuration.
 */
export class AnnexBReader implements ElementaryReader {
  readonly #codec: 'h264' | 'h265';
  readonly #trackId: number;
  readonly #parameterSets: ParameterSetCollector;
  #track: Track | undefined;

  constructor(codec: 'h264' | 'h265', trackId: number) {
    this.#codec = codec;
    this.#parameterSets = new ParameterSetCollector(codec);
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
    const delimiter = isH265 ? H265_NAL.accessUnitDelimiter : H264_NAL.accessUnitDelimiter;
    const kept: Uint8Array[] = [];
    const parameterSets: Uint8Array[] = [];
    for (const nalUnit of splitAnnexB(payload)) {
      const type = isH265 ? h265NalType(nalUnit) : h264NalType(nalUnit);
      if (this.#parameterSets.isParameterSet(type)) {
        parameterSets.push(nalUnit);
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
    const config = this.#parameterSets.add(found);
    if (config === undefined) return;
    this.#track = videoTrack(this.#trackId, this.#codec, config);
    events.push({ type: 'track', track: this.#track });
  }
}
