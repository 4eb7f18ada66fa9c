import { type AmfValue, isAmfPropertyBag } from '../../protocol/amf/amf-value.ts';
import type { FileWindow } from '../file-window.ts';
import { FLV_AUDIO, FLV_VIDEO } from './flv-codecs.tables.ts';
import { type FlvTagFacts, type FlvTagPlace, readTagFacts, readTagPlace } from './flv-file-tags.ts';

/** Most places kept: at least a second apart, so 18 hours. What lies behind is searched from the last one. */
export const MAX_INDEXED_PLACES = 65_536;

/** Most configuration tags remembered. */
export const MAX_CONFIG_TAGS = 64;

const MIN_DISTANCE_MS = 1000;

/** Tags of different tracks may be out of order by so much. */
const DISORDER_MS = 1000;

/** A tag to start playing from. */
export interface FoundTag {
  readonly offset: number;
  /** Presentation time as the file has it, milliseconds. */
  readonly ptsMs: number;
}

/** Where an FLV file can be entered: told by its onMetaData, or found by going through its tags as far as seeks needed. */
export class FlvFileIndex {
  readonly #window: FileWindow;
  readonly #hasVideo: boolean;
  readonly #firstTag: number;
  #timesMs: number[] = [];
  #offsets: number[] = [];
  /** How far tags were gone through; undefined when the file's own index is in use. */
  #scanned: number | undefined;
  #isWhole = false;
  readonly #configs: FlvTagPlace[] = [];

  /**
   * @param hasVideo places are its key frames; without it any tag of audio
   * @param keyframes the value of that name in onMetaData
   */
  constructor(window: FileWindow, options: FlvFileIndexOptions) {
    this.#window = window;
    this.#hasVideo = options.hasVideo;
    this.#firstTag = options.firstTag;
    if (!options.hasVideo || !this.#take(options.keyframes)) this.#scanned = options.firstTag;
  }

  /** Configuration tags seen that lie before `offset`, in order. */
  configsBefore(offset: number): readonly FlvTagPlace[] {
    return this.#configs.filter((tag) => tag.offset < offset);
  }

  /** Remembers a configuration tag; the newest are left out when there are too many. */
  addConfig(tag: FlvTagPlace): void {
    if (this.#configs.length >= MAX_CONFIG_TAGS || this.#configs.some(({ offset }) => offset === tag.offset)) return;
    this.#configs.push(tag);
    this.#configs.sort((a, b) => a.offset - b.offset);
  }

  /**
   * The last place presented at or before `targetMs`.
   * @throws ProtocolError as `readTagPlace`
   */
  async find(targetMs: number): Promise<FoundTag | undefined> {
    if (this.#scanned === undefined && !(await this.#isTrue(targetMs))) {
      this.#timesMs = [];
      this.#offsets = [];
      this.#scanned = this.#firstTag;
    }
    await this.#scanTo(targetMs);
    let end = this.#window.sizeBytes;
    for (let entry = this.#last(targetMs); entry >= 0; entry--) {
      const offset = this.#offsets[entry]!;
      const found = await this.#walk(offset, end, targetMs);
      if (found !== undefined) return found;
      end = offset;
    }
    return undefined;
  }

  /** Takes over `keyframes: { times: seconds[], filepositions: bytes[] }` when it makes sense. */
  #take(keyframes: AmfValue): boolean {
    if (!isAmfPropertyBag(keyframes)) return false;
    const times = keyframes.properties.get('times');
    const places = keyframes.properties.get('filepositions');
    if (!Array.isArray(times) || !Array.isArray(places)) return false;
    const count = Math.min(times.length, places.length);
    for (let i = 0; i < count; i++) {
      const time: unknown = times[i];
      const offset: unknown = places[i];
      if (typeof time !== 'number' || typeof offset !== 'number' || !Number.isSafeInteger(offset)) continue;
      if (offset >= this.#firstTag && offset < this.#window.sizeBytes) this.#add(Math.round(time * 1000), offset);
    }
    return this.#timesMs.length > 0;
  }

  /** Whether the place the file's own index names for a time is a key frame of that time, or a configuration. */
  async #isTrue(targetMs: number): Promise<boolean> {
    const entry = Math.max(0, this.#last(targetMs));
    const offset = this.#offsets[entry]!;
    const b = await this.#window.view(offset, 1);
    if (b[0] !== FLV_VIDEO) return false;
    const tag = await readTagPlace(this.#window, offset);
    if (tag === undefined || Math.abs(tag.timestamp - this.#timesMs[entry]!) > DISORDER_MS) return false;
    const facts = await readTagFacts(this.#window, tag);
    return facts.isKeyFrame || facts.isConfig;
  }

  /** Goes on through the tags until one lies well behind the target. */
  async #scanTo(targetMs: number): Promise<void> {
    while (this.#scanned !== undefined && !this.#isWhole) {
      const tag = await readTagPlace(this.#window, this.#scanned);
      if (tag === undefined) {
        this.#isWhole = true;
        return;
      }
      const facts = await this.#facts(tag);
      if (this.#isPlace(tag, facts)) this.#add(tag.timestamp, tag.offset);
      this.#scanned = tag.end;
      if (tag.timestamp > targetMs + DISORDER_MS) return;
    }
  }

  /** The last place from a tag on that is presented at or before the target and lies in front of `end`. */
  async #walk(offset: number, end: number, targetMs: number): Promise<FoundTag | undefined> {
    let found: FoundTag | undefined;
    let at = offset;
    while (at < end) {
      const tag = await readTagPlace(this.#window, at);
      if (tag === undefined || tag.timestamp > targetMs + DISORDER_MS) break;
      const facts = await this.#facts(tag);
      const ptsMs = tag.timestamp + facts.compositionTimeMs;
      if (this.#isPlace(tag, facts) && ptsMs <= targetMs) found = { offset: tag.offset, ptsMs };
      at = tag.end;
    }
    return found;
  }

  async #facts(tag: FlvTagPlace): Promise<FlvTagFacts> {
    const facts = await readTagFacts(this.#window, tag);
    if (facts.isConfig) this.addConfig(tag);
    return facts;
  }

  #isPlace(tag: FlvTagPlace, facts: FlvTagFacts): boolean {
    if (tag.bodyBytes === 0 || facts.isConfig) return false;
    return this.#hasVideo ? facts.isKeyFrame : tag.typeId === FLV_AUDIO;
  }

  /** Places too near to the one before, out of order, or too many are left out. */
  #add(timeMs: number, offset: number): void {
    const last = this.#timesMs.length - 1;
    if (last >= 0 && (timeMs < this.#timesMs[last]! + MIN_DISTANCE_MS || offset <= this.#offsets[last]!)) return;
    if (last + 1 >= MAX_INDEXED_PLACES) return;
    this.#timesMs.push(timeMs);
    this.#offsets.push(offset);
  }

  /** The last entry at or before a time; −1 when there is none. */
  #last(timeMs: number): number {
    let low = -1;
    let high = this.#timesMs.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#timesMs[middle]! <= timeMs) low = middle;
      else high = middle;
    }
    return low;
  }
}

export interface FlvFileIndexOptions {
  readonly hasVideo: boolean;
  /** Where the first tag begins. */
  readonly firstTag: number;
  readonly keyframes: AmfValue;
}
