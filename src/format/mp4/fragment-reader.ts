import type { FileWindow } from '../file-window.ts';
import { readBoxHeader } from './box.ts';
import type { Movie, MovieTrack } from './movie.ts';
import { MAX_FRAGMENT_BYTES, MAX_TOP_LEVEL_BOXES, mp4Error } from './mp4-error.ts';
import { parseMovieFragment, type TrackFragment } from './track-fragment.ts';

/** One `moof` box of a file. */
export interface MovieFragment {
  readonly offset: number;
  /** Where the box behind it begins. */
  readonly end: number;
  readonly tracks: readonly TrackFragment[];
}

/** Finds the fragments of a file one after another. */
export class FragmentReader {
  readonly #window: FileWindow;
  readonly #tracks: ReadonlyMap<number, MovieTrack>;

  constructor(window: FileWindow, movie: Movie) {
    this.#window = window;
    this.#tracks = new Map(movie.tracks.map((track) => [track.id, track]));
  }

  /**
   * The first fragment at or behind `offset`, where a box must begin. Undefined at the end of the file, which a fragment
   * that is cut short counts as: so a recording ends whose recorder was killed.
   *
   * @throws ProtocolError `mp4/bad-box`, `mp4/bad-fragment`
   */
  async next(offset: number): Promise<MovieFragment | undefined> {
    const window = this.#window;
    let at = offset;
    for (let count = 0; count < MAX_TOP_LEVEL_BOXES; count++) {
      if (at >= window.sizeBytes) return undefined;
      const box = await readBoxHeader(window, at);
      if (box === undefined) {
        if (window.sizeBytes - at < 16) return undefined;
        throw mp4Error('mp4/bad-box', `there is no box at byte ${at}`);
      }
      if (box.type === 'moof') {
        if (box.end > window.sizeBytes) return undefined;
        const bodyBytes = box.end - at - box.headerBytes;
        if (bodyBytes > MAX_FRAGMENT_BYTES) {
          throw mp4Error('mp4/bad-fragment', `the fragment at byte ${at} takes ${bodyBytes} bytes`);
        }
        const body = (await window.view(at + box.headerBytes, bodyBytes)).slice();
        const tracks = parseMovieFragment(body, at, window.sizeBytes, this.#tracks);
        return { offset: at, end: box.end, tracks };
      }
      at = box.end;
    }
    throw mp4Error('mp4/bad-box', `${MAX_TOP_LEVEL_BOXES} boxes in a row without a fragment`);
  }
}
