import type { Frame } from '../../codec/frame.ts';
import { FLV_SCRIPT, type FlvTypeId } from '../../format/flv/flv-codecs.tables.ts';
import { toFlvConfig, toFlvFrame } from '../../format/flv/flv-muxer.ts';
import { type StreamHeader, selectHeader, selects, type TrackSelection } from '../stream-header.ts';

/** Wraps one FLV body for the wire: a tag with its header, or an RTMP message in chunks. */
export type WrapFlvBody = (typeId: FlvTypeId, timestampMs: number, parts: readonly Uint8Array[]) => Uint8Array;

/** What FLV files and RTMP have in common: tag bodies, sequence headers, onMetaData. Only the wrapping differs. */
export class FlvBodyWriter {
  readonly #selection: TrackSelection;
  readonly #wrap: WrapFlvBody;
  #header: StreamHeader | undefined;

  constructor(selection: TrackSelection, wrap: WrapFlvBody) {
    this.#selection = selection;
    this.#wrap = wrap;
  }

  /** onMetaData, and the sequence headers at the time of the frame they stand before. */
  writeHeader(header: StreamHeader, dtsUs: number): Uint8Array[] {
    return this.#writeChanges(undefined, header, dtsUs);
  }

  /** Wrapped pieces of a frame with what changed in front of it. */
  writeFrame(frame: Frame, header: StreamHeader): Uint8Array[] {
    const pieces =
      this.#header !== undefined && header !== this.#header
        ? this.#writeChanges(this.#header, header, frame.dtsUs)
        : [];
    this.#header = header;
    if (!selects(this.#selection, frame.track)) return pieces;
    const message = toFlvFrame(frame, this.#selection);
    if (message !== undefined) pieces.push(this.#wrap(message.typeId, message.timestampMs, message.parts));
    return pieces;
  }

  #writeChanges(before: StreamHeader | undefined, after: StreamHeader, dtsUs: number): Uint8Array[] {
    const timestampMs = Math.floor(dtsUs / 1000) >>> 0;
    const pieces: Uint8Array[] = [];
    if (after.metadata !== undefined && after.metadata !== before?.metadata) {
      // Always at 0: with any other time ffmpeg takes it for a frame of a text track.
      pieces.push(this.#wrap(FLV_SCRIPT, 0, [after.metadata]));
    }
    for (const track of selectHeader(after, this.#selection).tracks) {
      if (before?.tracks.includes(track) === true) continue;
      for (const body of toFlvConfig(track, this.#selection)) {
        pieces.push(this.#wrap(body.typeId, timestampMs, body.parts));
      }
    }
    return pieces;
  }
}
