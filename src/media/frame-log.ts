import type { Frame } from '../codec/frame.ts';
import { type Track, trackSlot } from '../codec/track.ts';
import { FrameRing } from './frame-ring.ts';
import { EMPTY_STREAM_HEADER, type StreamHeader } from './stream-header.ts';

/** Audio frames in a row after which a stream that once had video counts as audio only (about 3 s of AAC). */
export const PURE_AUDIO_FRAMES = 115;

/** What one frame is counted for beside its payload, in bytes: the objects around it. */
const FRAME_OVERHEAD_BYTES = 200;

/** What a header takes for each of its tracks, bytes. */
const REFERENCE_BYTES = 8;

/** A track that goes back by more than this began anew; smaller steps are disorder. Microseconds. */
const NEW_ERA_STEP_US = 1_000_000;

export interface FrameLogOptions {
  /** Most bytes held, default 32 MiB. */
  readonly maxBytes?: number;
  /** Whole GOPs are kept while the rest spans less than this many seconds, default 10. */
  readonly maxSeconds?: number;
  /** A GOP with more frames than this can no longer be joined, default 2500 (SRS `gop_cache_max_frames`). */
  readonly maxGopFrames?: number;
}

/**
 * The newest frames of a stream in the order they came, numbered from 0 for ever, with an index of the places a viewer
 * may start at: key frames of the first video track, or every audio frame when there is no video. The oldest GOPs go when
 * the log spans more than its seconds or bytes; the newest GOP stays unless it alone breaks `maxBytes` or `maxGopFrames`.
 */
export class FrameLog {
  readonly #frames = new FrameRing();
  readonly #slots = new Map<number, SlotClock>();
  readonly #joinPoints: number[] = [];
  /** Headers and the frame number from which each holds; the last one is in force. */
  readonly #headers: HeaderEntry[] = [{ from: 0, header: EMPTY_STREAM_HEADER, sizeBytes: 0 }];
  readonly #maxBytes: number;
  readonly #maxUs: number;
  readonly #maxGopFrames: number;
  #sizeBytes = 0;
  #audioFramesSinceVideo = PURE_AUDIO_FRAMES;
  /** Key frames of this track are the places to start at; any video track's while it is undefined. */
  #leadVideoTrackId: number | undefined;
  #newestAgeUs = 0;

  constructor(options: FrameLogOptions = {}) {
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024;
    this.#maxUs = (options.maxSeconds ?? 10) * 1_000_000;
    this.#maxGopFrames = options.maxGopFrames ?? 2500;
  }

  /** Number of the oldest frame held. */
  get first(): number {
    return this.#frames.first;
  }

  /** Number the next frame will get. */
  get head(): number {
    return this.#frames.end;
  }

  /** Bytes of payloads and of headers no longer in force, and bookkeeping. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The header in force for frames appended from now on. */
  get header(): StreamHeader {
    return this.#headers[this.#headers.length - 1]!.header;
  }

  /**
   * Frame `index` in an object made anew at each call; undefined when it is not held. Its payload is a view into the log,
   * valid until the next change of the log: who needs it longer copies it.
   */
  at(index: number): Frame | undefined {
    return this.#frames.at(index);
  }

  /**
   * How far frame `index` lies behind the newest one, microseconds; 0 when it is not held. Under jitter `zero` and `off`
   * publishers may set their clock back: that counts as no time.
   */
  lagUs(index: number): number {
    const ageUs = this.#frames.ageUs(index);
    return ageUs === undefined ? 0 : this.#newestAgeUs - ageUs;
  }

  /** The header that held when frame `index` was appended (the oldest known one for frames that are gone). */
  headerAt(index: number): StreamHeader {
    const headers = this.#headers;
    const newest = headers[headers.length - 1]!;
    if (newest.from <= index) return newest.header;
    let low = 0;
    let high = headers.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (headers[middle]!.from <= index) low = middle;
      else high = middle;
    }
    return headers[low]!.header;
  }

  setHeader(header: StreamHeader): void {
    const before = this.header;
    if (this.#headers[this.#headers.length - 1]!.from === this.head) this.#headers.pop();
    const superseded = this.#headers[this.#headers.length - 1];
    if (superseded !== undefined) {
      this.#sizeBytes -= superseded.sizeBytes;
      superseded.sizeBytes = ownBytes(superseded.header, header);
      this.#sizeBytes += superseded.sizeBytes;
    }
    this.#headers.push({ from: this.head, header, sizeBytes: 0 });
    this.#dropHeaders();
    const leadVideo = header.tracks.find(isVideo);
    this.#leadVideoTrackId = leadVideo?.trackId;
    // Video that was just announced takes over from audio frames as the place to start, without waiting for a frame;
    // a header without video gives them back.
    if (leadVideo === undefined) this.#audioFramesSinceVideo = PURE_AUDIO_FRAMES;
    else if (!before.tracks.some(isVideo)) this.#audioFramesSinceVideo = 0;
  }

  /** Appends a copy of a frame and drops what goes over the budget. Returns the frame's number. */
  append(frame: Frame): number {
    const index = this.#frames.append(frame, this.#ageOf(frame));
    this.#sizeBytes += frame.payload.length + FRAME_OVERHEAD_BYTES;
    if (this.#isLeadVideo(frame.track)) {
      this.#audioFramesSinceVideo = 0;
      if (frame.isKeyFrame) this.#joinPoints.push(index);
      else this.#dropAudioJoinPoints();
    } else if (frame.track.kind === 'audio') {
      if (this.#audioFramesSinceVideo >= PURE_AUDIO_FRAMES) this.#joinPoints.push(index);
      else this.#audioFramesSinceVideo++;
    }
    this.#evict();
    return index;
  }

  /** Forgets all frames (their numbers are not used again) but keeps the header. */
  clear(): void {
    this.#dropBefore(this.head);
    this.#frames.clear();
    this.#slots.clear();
  }

  /** The newest place to start at, or undefined while there is none. */
  newestJoinPoint(): number | undefined {
    return this.#joinPoints[this.#joinPoints.length - 1];
  }

  /** The oldest place to start at that is held, or undefined. */
  oldestJoinPoint(): number | undefined {
    return this.#joinPoints[0];
  }

  /** The first place to start at that is not before frame `index`, or undefined. */
  joinPointFrom(index: number): number | undefined {
    const points = this.#joinPoints;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return points[low];
  }

  /** The newest place to start at that is at least `secondsAgo` back; the oldest one when the log does not go back so far. */
  joinPointAgo(secondsAgo: number): number | undefined {
    for (let i = this.#joinPoints.length - 1; i >= 0; i--) {
      const index = this.#joinPoints[i]!;
      if (this.lagUs(index) >= secondsAgo * 1_000_000) return index;
    }
    return this.#joinPoints[0];
  }

  #isLeadVideo(track: Track): boolean {
    return track.kind === 'video' && (this.#leadVideoTrackId ?? track.trackId) === track.trackId;
  }

  /** Video that went on in the middle of a GOP: who starts at the audio before it would get the rest of that GOP. */
  #dropAudioJoinPoints(): void {
    for (;;) {
      const newest = this.newestJoinPoint();
      if (newest === undefined || this.#frames.at(newest)!.track.kind === 'video') return;
      this.#joinPoints.pop();
    }
  }

  #ageOf(frame: Frame): number {
    const slot = trackSlot(frame.track);
    let clock = this.#slots.get(slot);
    if (clock === undefined) {
      clock = { dtsUs: frame.dtsUs, offsetUs: 0 };
      this.#slots.set(slot, clock);
    } else if (frame.dtsUs < clock.dtsUs - NEW_ERA_STEP_US) {
      clock.offsetUs = this.#newestAgeUs - frame.dtsUs;
    }
    clock.dtsUs = frame.dtsUs;
    const ageUs = frame.dtsUs + clock.offsetUs;
    if (this.#frames.length === 0 || ageUs > this.#newestAgeUs) this.#newestAgeUs = ageUs;
    return ageUs;
  }

  #evict(): void {
    for (;;) {
      const next = this.#joinPoints[1];
      if (next === undefined) break;
      if (this.#sizeBytes <= this.#maxBytes && this.lagUs(next) < this.#maxUs) break;
      this.#dropBefore(next);
    }
    const newest = this.newestJoinPoint();
    if (newest !== undefined && this.head - newest > this.#maxGopFrames) this.#dropBefore(newest);
    // One endless GOP, or no key frame yet: the budget holds all the same, and joiners wait for the next key frame.
    while (this.#frames.length > 0 && (this.#sizeBytes > this.#maxBytes || this.#isGopTooLong())) {
      this.#dropBefore(this.first + 1);
    }
  }

  #isGopTooLong(): boolean {
    return this.#joinPoints.length <= 1 && this.#frames.length > this.#maxGopFrames;
  }

  #dropBefore(index: number): void {
    for (let i = this.first; i < index; i++) {
      this.#sizeBytes -= this.#frames.sizeBytes(i) + FRAME_OVERHEAD_BYTES;
    }
    this.#frames.dropBefore(index);
    while (this.#joinPoints.length > 0 && this.#joinPoints[0]! < index) this.#joinPoints.shift();
    this.#dropHeaders();
  }

  /** Headers under which no frame is held any more. */
  #dropHeaders(): void {
    while (this.#headers.length > 1 && this.#headers[1]!.from <= this.first) {
      this.#sizeBytes -= this.#headers.shift()!.sizeBytes;
    }
  }
}

interface HeaderEntry {
  readonly from: number;
  readonly header: StreamHeader;
  /** Bytes only this header holds; 0 while it is in force. */
  sizeBytes: number;
}

interface SlotClock {
  /** Newest decode time of the track. */
  dtsUs: number;
  /** Age − decode time. */
  offsetUs: number;
}

function isVideo(track: Track): boolean {
  return track.kind === 'video';
}

/** What of `header` goes when it is dropped, because `next` does not hold it as well. */
function ownBytes(header: StreamHeader, next: StreamHeader): number {
  let sizeBytes = FRAME_OVERHEAD_BYTES + header.tracks.length * REFERENCE_BYTES;
  if (header.metadata !== next.metadata) sizeBytes += header.metadata?.length ?? 0;
  for (const track of header.tracks) {
    const { config, videoMetadata } = track;
    if (!next.tracks.some((other) => other.config === config)) sizeBytes += config.length;
    if (videoMetadata === undefined) continue;
    if (!next.tracks.some((other) => other.videoMetadata === videoMetadata)) sizeBytes += videoMetadata.length;
  }
  return sizeBytes;
}
