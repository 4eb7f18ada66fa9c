import type { Frame } from '../../codec/frame.ts';
import { h264NalType } from '../../codec/h264/nal-unit-type.ts';
import { h265LayerId, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { joinLengthPrefixed } from '../../codec/nal-unit.ts';
import { ParameterSetCollector } from '../../codec/parameter-set-collector.ts';
import type { Track } from '../../codec/track.ts';
import { isKeyFramePayload, videoDetails } from '../../codec/track-details.ts';
import { ProtocolError } from '../../wire/errors.ts';
import type { MediaFile, OpenMediaFile, RandomAccess } from '../media-file.ts';
import { type AccessUnit, AnnexBFileReader } from './annex-b-file-reader.ts';
import { DisplayOrder } from './display-order.ts';
import { PictureOrder } from './picture-order.ts';

/** Codes of the `ProtocolError`s of raw H.264 and H.265 files. */
export type AnnexBFileErrorCode = 'annex-b/no-parameter-sets' | 'annex-b/access-unit-too-large';

/** Access units looked through for the parameter sets. */
export const MAX_LEADING_ACCESS_UNITS = 600;

/** Frame rate of streams that tell none. */
const DEFAULT_FRAME_RATE = 25;

const LENGTH_SIZE = 4;

/** H.264 in Annex B form (`.264`, `.h264`). Frames are as far apart as the VUI says, or 25 a second. Not seekable but to 0. */
export const openH264File: OpenMediaFile = (file) => open(file, 'h264');

/** H.265 in Annex B form (`.265`, `.h265`, `.hevc`). Frames are as far apart as the VUI says, or 25 a second. */
export const openH265File: OpenMediaFile = (file) => open(file, 'h265');

async function open(file: RandomAccess, codec: 'h264' | 'h265'): Promise<MediaFile> {
  const reader = new AnnexBFileReader(file, codec);
  const collector = new ParameterSetCollector(codec);
  const typeOf = codec === 'h264' ? h264NalType : h265NalType;
  for (let i = 0; i < MAX_LEADING_ACCESS_UNITS && collector.config.length === 0; i++) {
    const unit = await reader.next();
    if (unit === undefined) break;
    collector.add(unit.nalUnits.filter((nalUnit) => collector.isParameterSet(typeOf(nalUnit))));
  }
  const config = collector.config;
  const video = videoDetails(codec, config);
  if (config.length === 0 || video === undefined) {
    throw new ProtocolError(
      'annex-b/no-parameter-sets' satisfies AnnexBFileErrorCode,
      'no readable parameter sets at the start of the file',
    );
  }
  return new AnnexBFile(file, { kind: 'video', trackId: 0, codec, config, video });
}

class AnnexBFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = false;
  readonly durationUs = undefined;
  readonly #file: RandomAccess;
  readonly #codec: 'h264' | 'h265';
  readonly #frameUs: number;
  #track: Track;
  #reader: AnnexBFileReader;
  #collector: ParameterSetCollector;
  #pictures: PictureOrder;
  #order: DisplayOrder<Uint8Array>;
  #ended = false;

  constructor(file: RandomAccess, track: Track) {
    this.#file = file;
    this.#track = track;
    this.tracks = [track];
    this.#codec = track.codec as 'h264' | 'h265';
    this.#frameUs = 1_000_000 / (track.video?.frameRate ?? DEFAULT_FRAME_RATE);
    this.#reader = new AnnexBFileReader(file, this.#codec);
    this.#collector = new ParameterSetCollector(this.#codec);
    this.#pictures = new PictureOrder(this.#codec);
    this.#order = new DisplayOrder(this.#frameUs);
  }

  seek(): Promise<number> {
    this.#reader = new AnnexBFileReader(this.#file, this.#codec);
    this.#pictures = new PictureOrder(this.#codec);
    this.#order = new DisplayOrder(this.#frameUs);
    this.#ended = false;
    return Promise.resolve(0);
  }

  async next(): Promise<Frame | undefined> {
    for (;;) {
      const ready = this.#order.take(this.#ended);
      if (ready !== undefined) {
        const { item: payload, dtsUs, ptsUs } = ready;
        const isKeyFrame = isKeyFramePayload(this.#codec, payload, LENGTH_SIZE);
        return { track: this.#track, dtsUs, ptsUs, isKeyFrame, payload };
      }
      if (this.#ended) return undefined;
      const unit = await this.#reader.next();
      if (unit === undefined) this.#ended = true;
      else this.#accept(unit);
    }
  }

  #accept(unit: AccessUnit): void {
    const typeOf = this.#codec === 'h264' ? h264NalType : h265NalType;
    const parameterSets = unit.nalUnits.filter((nalUnit) => this.#collector.isParameterSet(typeOf(nalUnit)));
    const config = this.#collector.add(parameterSets);
    if (config !== undefined) this.#configure(config);
    // The delimiter says nothing that the packets of other carriages do not say in their own way.
    const delimiter = this.#codec === 'h264' ? 9 : 35;
    const kept = unit.nalUnits.filter(
      (nalUnit) =>
        typeOf(nalUnit) !== delimiter &&
        !this.#collector.isParameterSet(typeOf(nalUnit)) &&
        (this.#codec === 'h264' || h265LayerId(nalUnit) === 0),
    );
    if (kept.length === 0 || unit.firstSlice === undefined) return;
    const picture = this.#pictures.next(unit.firstSlice, parameterSets);
    this.#order.push(joinLengthPrefixed(kept, LENGTH_SIZE), picture);
  }

  #configure(config: Uint8Array): void {
    const same = this.#track.config.length === config.length && this.#track.config.every((b, i) => b === config[i]);
    if (same) return;
    const video = videoDetails(this.#codec, config);
    this.#track = { ...this.#track, config, ...(video === undefined ? {} : { video }) };
  }
}
