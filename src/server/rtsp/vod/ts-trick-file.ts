import type { Frame } from '../../../codec/frame.ts';
import type { Track } from '../../../codec/track.ts';
import type { MediaFile } from '../../../format/media-file.ts';
import { TsMuxer } from '../../../format/mpegts/ts-muxer.ts';

/** Makes transport packets of the pictures of a transport stream played at another scale: its own packets have its own clock. */
export class TsTrickMuxer {
  readonly #track: Track;
  readonly #muxer: TsMuxer;
  #tracks: readonly Track[];

  /**
   * @param track the `mp2t` track the packets go out as
   * @param program the file inside, whose video is played
   */
  constructor(track: Track, program: MediaFile) {
    this.#track = track;
    this.#tracks = program.tracks.filter(({ kind }) => kind === 'video').slice(0, 1);
    this.#muxer = new TsMuxer(this.#tracks);
  }

  /** The picture as packets, with the times the frame has now. Empty for other tracks. */
  mux(frame: Frame): Frame {
    const [video] = this.#tracks;
    if (video === undefined || frame.track.trackId !== video.trackId)
      return { ...frame, track: this.#track, payload: NOTHING };
    if (frame.track !== video) {
      this.#tracks = [frame.track];
      this.#muxer.setTracks(this.#tracks);
    }
    return { ...frame, track: this.#track, payload: this.#muxer.mux(frame) };
  }
}

const NOTHING = new Uint8Array(0);
