import type { Frame } from '../../codec/frame.ts';
import { type Track, trackSlot } from '../../codec/track.ts';
import type { AmfValue } from '../../protocol/amf/amf-value.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import { AudioTimes } from '../matroska/audio-times.ts';
import { type FrameDuration, frameDurationOf } from '../matroska/frame-duration.ts';
import type { MediaFile, RandomAccess } from '../media-file.ts';
import { FLV_AUDIO, FLV_VIDEO, type FlvTypeId } from './flv-codecs.tables.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';
import { FlvDemuxer } from './flv-demuxer.ts';
import { FlvFileIndex } from './flv-file-index.ts';
import { type FlvTagPlace, firstTagOffset, readTagFacts, readTagPlace } from './flv-file-tags.ts';
import { FLV_PREVIOUS_TAG_SIZE_BYTES, type FlvErrorCode, flvError } from './flv-tag.ts';

/** Codes of the `ProtocolError`s of FLV files. */
export type FlvFileErrorCode = FlvErrorCode | 'flv/no-playable-track';

/** Bytes looked through for the first frames of the tracks the header announces. */
export const MAX_PROBED_BYTES: number = 2 * 1024 * 1024;

/** Most tags in a row without a frame. */
export const MAX_SKIPPED_TAGS = 65_536;

const SCRIPT = 18;

/** The clock of FLV, microseconds. */
const STEP_US = 1000;

/** First frames later than this tell of a recording that began at some time of day, milliseconds. */
const LATE_START_MS = 1000;

/**
 * Opens an FLV file (FLV v10.1 annex E, Enhanced RTMP v2). Frames come as stored, with the times of their tags, those of
 * audio made exact again that were rounded to milliseconds. Data messages are left out. `seek` goes by the `keyframes` of onMetaData where they are right, otherwise by the tags, which it goes
 * through once as far as needed. Configurations that change in the middle are known to seeks only where tags were gone
 * through.
 *
 * @throws ProtocolError with a `FlvFileErrorCode`
 */
export async function openFlvFile(file: RandomAccess): Promise<MediaFile> {
  const window = new FileWindow(file);
  const opened = new FlvFile(window, await firstTagOffset(window));
  await opened.open();
  return opened;
}

class FlvFile implements MediaFile {
  readonly isSeekable = true;
  readonly #window: FileWindow;
  readonly #firstTag: number;
  readonly #demuxer: FlvDemuxer = new FlvDemuxer();
  readonly #tracks: Map<number, Track> = new Map();
  readonly #audioTimes: Map<Track, ExactTimes> = new Map();
  #index: FlvFileIndex;
  #durationUs: number | undefined;
  #at: number;
  #waiting: Frame[] = [];
  /** Time of the file at position 0. */
  #originUs = 0;
  #firstKeyUs: number | undefined;
  // After a seek: everything before a key frame, then what lies before it, is passed over.
  #wantsKeyFrame = false;
  #startUs = Number.NEGATIVE_INFINITY;

  constructor(window: FileWindow, firstTag: number) {
    this.#window = window;
    this.#firstTag = firstTag;
    this.#at = firstTag;
    this.#index = new FlvFileIndex(window, { hasVideo: false, firstTag, keyframes: undefined });
  }

  get tracks(): readonly Track[] {
    return [...this.#tracks.values()];
  }

  get durationUs(): number | undefined {
    return this.#durationUs;
  }

  /** Reads ahead until every kind of track the header announces has shown a frame. */
  async open(): Promise<void> {
    const flags = (await this.#window.view(4, 1))[0]!;
    const wanted = new Set<Track['kind']>();
    if ((flags & 4) !== 0) wanted.add('audio');
    if ((flags & 1) !== 0) wanted.add('video');
    const limit = Math.min(this.#window.sizeBytes, this.#firstTag + MAX_PROBED_BYTES);
    const told: Told = { metadata: undefined, firstMs: undefined, firstKeyMs: undefined };
    const hasAny = wanted.size > 0;
    const configs: FlvTagPlace[] = [];
    let at = this.#firstTag;
    while (at < limit && !(hasAny && wanted.size === 0)) {
      const tag = await readTagPlace(this.#window, at);
      if (tag === undefined) break;
      if ((await readTagFacts(this.#window, tag)).isConfig) configs.push(tag);
      for (const event of await this.#demux(tag)) this.#learn(event, wanted, told);
      at = tag.end;
    }
    if (this.#tracks.size === 0) {
      const code: FlvFileErrorCode = 'flv/no-playable-track';
      throw new ProtocolError(code, 'no audio or video among the first tags');
    }
    const hasVideo = this.tracks.some((track) => track.kind === 'video');
    const { firstMs = 0, firstKeyMs, metadata } = told;
    this.#originUs = firstMs >= LATE_START_MS ? firstMs * 1000 : 0;
    this.#firstKeyUs = firstKeyMs === undefined ? undefined : firstKeyMs * 1000 - this.#originUs;
    const keyframes = metadata?.get('keyframes');
    this.#index = new FlvFileIndex(this.#window, { hasVideo, firstTag: this.#firstTag, keyframes });
    for (const tag of configs) this.#index.addConfig(tag);
    this.#durationUs = durationOf(metadata) ?? (await this.#lastTimeUs());
  }

  async seek(targetUs: number): Promise<number> {
    const targetMs = Math.floor((targetUs + this.#originUs) / 1000);
    const found = targetUs <= 0 ? undefined : await this.#index.find(targetMs);
    const isStart = found === undefined || found.ptsMs * 1000 - this.#originUs <= (this.#firstKeyUs ?? 0);
    this.#waiting = [];
    this.#audioTimes.clear();
    this.#at = isStart ? this.#firstTag : found.offset;
    this.#wantsKeyFrame = !isStart;
    this.#startUs = Number.NEGATIVE_INFINITY;
    for (const tag of this.#index.configsBefore(this.#at)) await this.#demux(tag);
    const first = await this.next();
    if (first !== undefined) this.#waiting.unshift(first);
    return first?.ptsUs ?? 0;
  }

  async next(): Promise<Frame | undefined> {
    for (let skipped = 0; skipped < MAX_SKIPPED_TAGS; skipped++) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) return frame;
      const tag = await readTagPlace(this.#window, this.#at);
      if (tag === undefined) return undefined;
      this.#at = tag.end;
      if (tag.typeId !== FLV_AUDIO && tag.typeId !== FLV_VIDEO) continue;
      if ((await readTagFacts(this.#window, tag)).isConfig) this.#index.addConfig(tag);
      for (const event of await this.#demux(tag)) {
        if (event.type === 'frame' && this.#isWanted(event.frame)) this.#waiting.push(this.#placed(event.frame));
      }
    }
    throw flvError('flv/bad-tag', `${MAX_SKIPPED_TAGS} tags in a row without a frame`);
  }

  async #demux(tag: FlvTagPlace): Promise<FlvDemuxEvent[]> {
    if (tag.typeId !== FLV_AUDIO && tag.typeId !== FLV_VIDEO && tag.typeId !== SCRIPT) return [];
    const body = (await this.#window.view(tag.bodyOffset, tag.bodyBytes)).slice();
    return this.#demuxer.demux(tag.typeId satisfies FlvTypeId, tag.timestamp, body);
  }

  #learn(event: FlvDemuxEvent, wanted: Set<Track['kind']>, told: Told): void {
    if (event.type === 'track') this.#tracks.set(trackSlot(event.track), event.track);
    else if (event.type === 'metadata') told.metadata ??= event.values;
    else if (event.type === 'frame') {
      const { track, dtsUs, ptsUs, isKeyFrame } = event.frame;
      wanted.delete(track.kind);
      told.firstMs ??= dtsUs / 1000;
      if (track.kind === 'video' && isKeyFrame) told.firstKeyMs ??= ptsUs / 1000;
    }
  }

  #isWanted(frame: Frame): boolean {
    const known = this.#tracks.get(trackSlot(frame.track));
    if (known === undefined) return false;
    if (this.#wantsKeyFrame) {
      const isVideo = frame.track.kind === 'video';
      if (!frame.isKeyFrame || isVideo !== this.tracks.some((track) => track.kind === 'video')) return false;
      this.#wantsKeyFrame = false;
      this.#startUs = frame.ptsUs;
    }
    return frame.ptsUs >= this.#startUs;
  }

  #placed(frame: Frame): Frame {
    const dtsUs = Math.max(0, frame.dtsUs - this.#originUs);
    if (frame.track.kind !== 'audio') {
      return { ...frame, dtsUs, ptsUs: Math.max(0, frame.ptsUs - this.#originUs) };
    }
    const exact = this.#exactTimes(frame.track);
    const us = exact.times.next(dtsUs, exact.durationOf(frame.payload));
    return { ...frame, dtsUs: us, ptsUs: us };
  }

  #exactTimes(track: Track): ExactTimes {
    let exact = this.#audioTimes.get(track);
    if (exact === undefined) {
      exact = { times: new AudioTimes(STEP_US), durationOf: frameDurationOf(track.codec, track.config, 0) };
      this.#audioTimes.set(track, exact);
    }
    return exact;
  }

  /** Time of the last tag, which the size behind it leads to. */
  async #lastTimeUs(): Promise<number | undefined> {
    const size = this.#window.sizeBytes;
    const b = await this.#window.view(size - FLV_PREVIOUS_TAG_SIZE_BYTES, FLV_PREVIOUS_TAG_SIZE_BYTES);
    const tagBytes = ((b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!) >>> 0;
    const offset = size - FLV_PREVIOUS_TAG_SIZE_BYTES - tagBytes;
    if (offset < this.#firstTag) return undefined;
    const kind = (await this.#window.view(offset, 1))[0];
    if (kind !== FLV_AUDIO && kind !== FLV_VIDEO) return undefined;
    const tag = await readTagPlace(this.#window, offset);
    return tag?.end === size ? Math.max(0, tag.timestamp * 1000 - this.#originUs) : undefined;
  }
}

interface ExactTimes {
  readonly times: AudioTimes;
  readonly durationOf: FrameDuration;
}

/** What the first tags told of the file. Times in milliseconds as the file has them. */
interface Told {
  metadata: ReadonlyMap<string, AmfValue> | undefined;
  firstMs: number | undefined;
  firstKeyMs: number | undefined;
}

function durationOf(metadata: ReadonlyMap<string, AmfValue> | undefined): number | undefined {
  const seconds = metadata?.get('duration');
  const isSane = typeof seconds === 'number' && seconds > 0 && seconds < 0x1_0000_0000;
  return isSane ? Math.round(seconds * 1_000_000) : undefined;
}
