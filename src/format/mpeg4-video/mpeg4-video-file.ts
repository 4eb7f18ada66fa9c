import type { Frame } from '../../codec/frame.ts';
import {
  MPEG4_START_CODE,
  parseVideoObjectLayer,
  parseVideoObjectPlane,
  type VideoObjectLayer,
} from '../../codec/mp4v/headers.ts';
import { findStartCode } from '../../codec/nal-unit.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, OpenMediaFile } from '../media-file.ts';

/** Codes of the `ProtocolError`s of raw MPEG-4 video files. */
export type Mpeg4VideoErrorCode = 'mpeg4-video/no-configuration' | 'mpeg4-video/picture-too-large';

/** Largest VOP with what stands in front of it, bytes. */
export const MAX_VOP_BYTES: number = 8 * 1024 * 1024;
const FIRST_LOOK_BYTES = 65_536;

/** Raw MPEG-4 Part 2 video (`.m4e`, `.m4v`): VOPs with the times they tell themselves. Not seekable but to 0. */
export const openMpeg4VideoFile: OpenMediaFile = async (file) => {
  const window = new FileWindow(file);
  const head = await window.view(0, FIRST_LOOK_BYTES);
  let layer: VideoObjectLayer | undefined;
  let configEnd: number | undefined;
  for (let at = findStartCode(head, 0); at + 4 <= head.length; at = findStartCode(head, at + 3)) {
    const code = head[at + 3]!;
    if (code >= MPEG4_START_CODE.firstVideoObjectLayer && code <= MPEG4_START_CODE.lastVideoObjectLayer) {
      layer ??= parseVideoObjectLayer(head.subarray(at + 4));
    } else if (code === MPEG4_START_CODE.groupOfVop || code === MPEG4_START_CODE.vop) {
      configEnd = at;
      break;
    }
  }
  if (layer === undefined || configEnd === undefined || head[0] !== 0 || head[1] !== 0) {
    throw new ProtocolError(
      'mpeg4-video/no-configuration' satisfies Mpeg4VideoErrorCode,
      'no video object layer at the start of the file',
    );
  }
  return new Mpeg4VideoFile(window, layer, head.slice(0, configEnd));
};

class Mpeg4VideoFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = false;
  readonly durationUs = undefined;
  readonly #window: FileWindow;
  readonly #layer: VideoObjectLayer;
  readonly #track: Track;
  readonly #mediaAt: number;
  #at: number;
  #baseSeconds = 0;
  #previousBaseSeconds = 0;
  /** Read ahead by one, because a picture is decoded no later than the next one is shown. */
  #ahead: Frame | undefined;
  #lastDtsUs = 0;

  constructor(window: FileWindow, layer: VideoObjectLayer, config: Uint8Array) {
    this.#window = window;
    this.#layer = layer;
    this.#mediaAt = config.length;
    this.#at = config.length;
    const { width, height, fixedTimeIncrement, timeIncrementResolution } = layer;
    const frameRate = fixedTimeIncrement && timeIncrementResolution / fixedTimeIncrement;
    this.#track = {
      kind: 'video',
      trackId: 0,
      codec: 'mp4v',
      config,
      ...(width === undefined || height === undefined
        ? {}
        : {
            video: {
              width,
              height,
              ...(frameRate === undefined ? {} : { frameRate }),
              profile: 'MPEG-4 visual',
              level: '',
              codecString: 'mp4v.20',
            },
          }),
    };
    this.tracks = [this.#track];
  }

  seek(): Promise<number> {
    this.#at = this.#mediaAt;
    this.#baseSeconds = 0;
    this.#previousBaseSeconds = 0;
    this.#ahead = undefined;
    this.#lastDtsUs = 0;
    return Promise.resolve(0);
  }

  async next(): Promise<Frame | undefined> {
    const frame = this.#ahead ?? (await this.#read());
    this.#ahead = undefined;
    if (frame === undefined) return undefined;
    this.#ahead = await this.#read();
    const nextUs = this.#ahead?.ptsUs ?? frame.ptsUs;
    this.#lastDtsUs = Math.min(frame.ptsUs, Math.max(this.#lastDtsUs, Math.min(frame.ptsUs, nextUs)));
    return { ...frame, dtsUs: this.#lastDtsUs };
  }

  /** A VOP and what stands in front of it. */
  async #read(): Promise<Frame | undefined> {
    for (let lookBytes = FIRST_LOOK_BYTES; ; lookBytes *= 2) {
      const bytes = await this.#window.atLeast(this.#at, lookBytes);
      const isAll = this.#at + bytes.length >= this.#window.sizeBytes;
      let vopAt: number | undefined;
      let end: number | undefined;
      for (let at = findStartCode(bytes, 0); at + 4 <= bytes.length; at = findStartCode(bytes, at + 3)) {
        if (vopAt !== undefined) {
          end = at;
          break;
        }
        if (bytes[at + 3] === MPEG4_START_CODE.vop) vopAt = at;
      }
      if (end === undefined && !isAll) {
        if (lookBytes > MAX_VOP_BYTES) {
          throw new ProtocolError('mpeg4-video/picture-too-large' satisfies Mpeg4VideoErrorCode, 'a VOP without end');
        }
        continue;
      }
      if (vopAt === undefined) return undefined;
      const payload = bytes.slice(0, end ?? bytes.length);
      this.#at += payload.length;
      const vop = parseVideoObjectPlane(payload.subarray(vopAt + 4), this.#layer);
      if (vop === undefined) return undefined;
      const ptsUs = this.#timeOf(vop.codingType === 'B', vop.moduloTimeBase, vop.timeIncrement);
      return { track: this.#track, dtsUs: ptsUs, ptsUs, isKeyFrame: vop.codingType === 'I', payload };
    }
  }

  #timeOf(isB: boolean, moduloTimeBase: number, timeIncrement: number): number {
    let seconds = this.#previousBaseSeconds + moduloTimeBase;
    if (!isB) {
      seconds = this.#baseSeconds + moduloTimeBase;
      this.#previousBaseSeconds = this.#baseSeconds;
      this.#baseSeconds = seconds;
    }
    return Math.round((seconds + timeIncrement / this.#layer.timeIncrementResolution) * 1_000_000);
  }
}
