import type { Frame } from '../../codec/frame.ts';
import { writeFlvHeader, writeFlvTag } from '../../format/flv/flv-tag.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { ContainerWriter } from '../container-writer.ts';
import { type StreamHeader, selectHeader, type TrackSelection } from '../stream-header.ts';
import { FlvBodyWriter } from './flv-body-writer.ts';

/** A stream as an FLV file without end (FLV v10.1 Annex E). */
export class FlvContainerWriter implements ContainerWriter {
  readonly #selection: TrackSelection;
  readonly #bodies: FlvBodyWriter;

  constructor(selection: TrackSelection) {
    this.#selection = selection;
    this.#bodies = new FlvBodyWriter(selection, writeFlvTag);
  }

  writeHeader(header: StreamHeader, dtsUs: number): Uint8Array {
    const { tracks } = selectHeader(header, this.#selection);
    const hasAudio = tracks.some((track) => track.kind === 'audio');
    const hasVideo = tracks.some((track) => track.kind === 'video');
    // Before the first track is known both are promised: a player that believes the flags would drop what comes later.
    const unknown = !hasAudio && !hasVideo;
    const fileHeader = writeFlvHeader({
      hasAudio: hasAudio || (unknown && this.#selection.audio),
      hasVideo: hasVideo || (unknown && this.#selection.video),
    });
    return joinBytes([fileHeader, ...this.#bodies.writeHeader(header, dtsUs)]);
  }

  writeHeaderUpdate(header: StreamHeader, dtsUs: number): Uint8Array {
    return joinBytes(this.#bodies.writeHeader(header, dtsUs));
  }

  writeFrame(frame: Frame, header: StreamHeader): Uint8Array {
    return joinBytes(this.#bodies.writeFrame(frame, header));
  }
}
