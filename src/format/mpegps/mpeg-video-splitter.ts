import type { Frame } from '../../codec/frame.ts';
import {
  MPEG_VIDEO_START_CODE,
  type MpegVideoPicture,
  parseMpegVideoPicture,
  parseMpegVideoSequence,
} from '../../codec/mpeg-video/headers.ts';
import { findStartCode } from '../../codec/nal-unit.ts';
import type { Track } from '../../codec/track.ts';

/** Largest picture with its headers, bytes; more is dropped. */
export const MAX_PICTURE_BYTES: number = 4 * 1024 * 1024;

const DEFAULT_FRAME_RATE = 25;

/** Times of the packet a piece of video came in, microseconds. */
export interface PacketTimes {
  readonly ptsUs: number;
  readonly dtsUs: number;
}

/**
 * Cuts an MPEG-1 or MPEG-2 video stream into pictures, the headers of sequence and group in front of them, and gives times
 * also to those whose packet had none: by the frame rate and their place in the group.
 */
export class MpegVideoSplitter {
  readonly #trackId: number;
  #track: Track | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Times of the packets the bytes came in, by where those begin in `#bytes`. */
  #times: { at: number; readonly times: PacketTimes }[] = [];
  #frameUs = 1_000_000 / DEFAULT_FRAME_RATE;
  /** Presentation time of the picture with temporal reference 0 of this group. */
  #groupUs: number | undefined;
  #nextDtsUs: number | undefined;
  #lastShownUs: number | undefined;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  get track(): Track | undefined {
    return this.#track;
  }

  /** What came before does not belong to what comes. */
  reset(): void {
    this.#bytes = new Uint8Array(0);
    this.#times = [];
    this.#groupUs = undefined;
    this.#nextDtsUs = undefined;
    this.#lastShownUs = undefined;
  }

  /** @param isEnd nothing more comes: the picture that is held is whole */
  push(payload: Uint8Array, times: PacketTimes | undefined, isEnd = false): Frame[] {
    if (times !== undefined) this.#times.push({ at: this.#bytes.length, times });
    const joined = new Uint8Array(this.#bytes.length + payload.length);
    joined.set(this.#bytes);
    joined.set(payload, this.#bytes.length);
    this.#bytes = joined;
    const frames: Frame[] = [];
    for (;;) {
      const end = this.#pictureEnd(isEnd);
      if (end === undefined) break;
      const frame = this.#frame(this.#bytes.slice(0, end));
      if (frame !== undefined) frames.push(frame);
      this.#drop(end);
    }
    if (this.#bytes.length > MAX_PICTURE_BYTES) this.reset();
    return frames;
  }

  /** Where the first whole picture ends: at the next header behind its slices. */
  #pictureEnd(isEnd: boolean): number | undefined {
    const bytes = this.#bytes;
    let hasSlice = false;
    for (let at = findStartCode(bytes, 0); at + 4 <= bytes.length; at = findStartCode(bytes, at + 3)) {
      const code = bytes[at + 3]!;
      const isSlice = code >= MPEG_VIDEO_START_CODE.firstSlice && code <= MPEG_VIDEO_START_CODE.lastSlice;
      if (isSlice) hasSlice = true;
      else if (code === MPEG_VIDEO_START_CODE.sequenceEnd && hasSlice) return at + 4;
      else if (hasSlice && code !== MPEG_VIDEO_START_CODE.extension) return at;
    }
    return isEnd && hasSlice ? bytes.length : undefined;
  }

  #drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    for (const entry of this.#times) entry.at -= count;
  }

  #frame(payload: Uint8Array): Frame | undefined {
    let picture: MpegVideoPicture | undefined;
    let pictureAt = 0;
    let startsGroup = false;
    for (let at = findStartCode(payload, 0); at + 4 <= payload.length; at = findStartCode(payload, at + 3)) {
      const code = payload[at + 3]!;
      if (code === MPEG_VIDEO_START_CODE.sequenceHeader) this.#configure(payload, at);
      else if (code === MPEG_VIDEO_START_CODE.group) startsGroup = true;
      else if (code === MPEG_VIDEO_START_CODE.picture) {
        picture = parseMpegVideoPicture(payload, at);
        pictureAt = at;
        break;
      }
    }
    if (picture === undefined || this.#track === undefined) return undefined;
    const { ptsUs, dtsUs } = this.#timesOf(picture, pictureAt, startsGroup);
    return { track: this.#track, dtsUs, ptsUs, isKeyFrame: picture.codingType === 'I', payload };
  }

  #timesOf(picture: MpegVideoPicture, pictureAt: number, startsGroup: boolean): PacketTimes {
    // The time of a packet is that of the first picture that begins in it (ISO/IEC 13818-1 §2.4.3.7).
    let given: PacketTimes | undefined;
    while (this.#times.length > 0 && this.#times[0]!.at <= pictureAt) given = this.#times.shift()!.times;
    const shift = picture.temporalReference * this.#frameUs;
    if (given !== undefined) this.#groupUs = given.ptsUs - shift;
    else if (startsGroup && this.#lastShownUs !== undefined) this.#groupUs = this.#lastShownUs + this.#frameUs;
    const dtsUs = given?.dtsUs ?? this.#nextDtsUs ?? 0;
    const ptsUs = given?.ptsUs ?? Math.max(dtsUs, (this.#groupUs ?? dtsUs) + shift);
    this.#nextDtsUs = dtsUs + this.#frameUs;
    this.#lastShownUs = Math.max(this.#lastShownUs ?? 0, ptsUs);
    return { dtsUs: Math.round(dtsUs), ptsUs: Math.round(ptsUs) };
  }

  #configure(payload: Uint8Array, at: number): void {
    const sequence = parseMpegVideoSequence(payload, at);
    if (sequence === undefined) return;
    const { width, height, frameRate } = sequence;
    this.#frameUs = 1_000_000 / (frameRate ?? DEFAULT_FRAME_RATE);
    if (this.#track?.video?.width === width && this.#track.video.height === height) return;
    this.#track = {
      kind: 'video',
      trackId: this.#trackId,
      codec: 'mpeg-video',
      config: new Uint8Array(0),
      video: {
        width,
        height,
        ...(frameRate === undefined ? {} : { frameRate }),
        profile: 'MPEG video',
        level: '',
        codecString: 'mp4v.61',
      },
    };
  }
}
