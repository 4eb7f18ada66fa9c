import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';

/** A file as readers see it: any part of it, in any order. Implemented in `io/` and, for tests, over a buffer. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /**
   * Bytes from `offset` on: as many as asked for, fewer only at the end of the file, none behind it. Own buffer.
   * @throws ResourceError when the file can't be read
   */
  read(offset: number, sizeBytes: number): Promise<Uint8Array>;
}

/**
 * A media file opened for playing: tracks, and frames from a position on. Positions are microseconds of presentation from
 * the start of the file. One reader serves one viewer; calls must not overlap.
 */
export interface MediaFile {
  /** With configurations complete: what SDP needs was found by reading ahead. */
  readonly tracks: readonly Track[];
  /** Microseconds; undefined when the file does not tell and has not been read to its end. */
  readonly durationUs: number | undefined;
  /** Whether `seek` to another place than 0 works. */
  readonly isSeekable: boolean;
  /**
   * Goes to where a decoder can start that is the last such place at or before `targetUs` (the first one of the file when
   * there is none before; the last one of the file when the target lies behind its end).
   * @returns the position of the first frame `next` will give: what an honest answer says
   * @throws ProtocolError when the file is damaged there
   */
  seek(targetUs: number): Promise<number>;
  /**
   * The next frame of any track, in decode order within a track and interleaved as stored or by time; undefined at the end.
   * Times begin near 0. Payload in a buffer of its own.
   * @throws ProtocolError when the file is damaged beyond going on
   */
  next(): Promise<Frame | undefined>;
  /** Positions of the places `seek` can land on, ascending, when the file has an index of them; else undefined. */
  readonly seekPointsUs?: readonly number[] | undefined;
}

/** Positions are rounded to whole microseconds: a seek to one given out must still find the frame it belongs to. */
export const HALF_ROUNDING_US = 0.5;

/** Opens a file of one kind. @throws ProtocolError `<kind>/…` when it is none */
export type OpenMediaFile = (file: RandomAccess) => Promise<MediaFile>;
