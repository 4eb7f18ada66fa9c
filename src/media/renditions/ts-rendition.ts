import type { Frame } from '../../codec/frame.ts';
import { TsMuxer } from '../../format/mpegts/ts-muxer.ts';
import type { ContainerWriter } from '../container-writer.ts';
import { type StreamHeader, selectHeader, selects, type TrackSelection } from '../stream-header.ts';

/**
 * A stream as an MPEG transport stream. It has no header: the tables come in band in front of every key frame and twice
 * a second, and the parameter sets with the key frames, so a viewer may start at any of them.
 */
export class TsContainerWriter implements ContainerWriter {
  readonly #selection: TrackSelection;
  readonly #muxer = new TsMuxer([]);
  #header: StreamHeader | undefined;

  constructor(selection: TrackSelection) {
    this.#selection = selection;
  }

  writeHeader(): Uint8Array {
    return NOTHING;
  }

  writeHeaderUpdate(): Uint8Array {
    return NOTHING;
  }

  writeFrame(frame: Frame, header: StreamHeader): Uint8Array {
    if (header !== this.#header) {
      this.#header = header;
      this.#muxer.setTracks(mediaTracks(header, this.#selection));
    }
    if (frame.track.kind === 'data' || !selects(this.#selection, frame.track)) return NOTHING;
    return this.#muxer.mux(frame);
  }
}

const NOTHING = new Uint8Array(0);

function mediaTracks(header: StreamHeader, selection: TrackSelection): StreamHeader['tracks'] {
  return selectHeader(header, selection).tracks.filter((track) => track.kind !== 'data');
}
