import type { Frame } from '../../codec/frame.ts';
import { FLV_AUDIO, FLV_SCRIPT, FLV_VIDEO, type FlvTypeId } from '../../format/flv/flv-codecs.tables.ts';
import { writeMessage } from '../../protocol/rtmp/chunk-writer.ts';
import { RTMP_CHUNK_STREAM } from '../../protocol/rtmp/rtmp-message.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { ContainerWriter } from '../container-writer.ts';
import type { StreamHeader, TrackSelection } from '../stream-header.ts';
import { FlvBodyWriter } from './flv-body-writer.ts';

const CHUNK_STREAM_IDS: Readonly<Record<FlvTypeId, number>> = {
  [FLV_SCRIPT]: RTMP_CHUNK_STREAM.data,
  [FLV_VIDEO]: RTMP_CHUNK_STREAM.video,
  [FLV_AUDIO]: RTMP_CHUNK_STREAM.audio,
};

export interface RtmpRenditionOptions {
  readonly selection: TrackSelection;
  /** The message stream the viewers play on; viewers on the same one share the bytes. */
  readonly messageStreamId: number;
  /** Chunk size announced to the viewers. */
  readonly chunkSize: number;
}

/**
 * A stream as RTMP messages in chunks. Every message begins with a full (fmt 0) header, so that its bytes do not depend
 * on what a viewer got before and are the same for all.
 */
export class RtmpContainerWriter implements ContainerWriter {
  readonly #bodies: FlvBodyWriter;

  constructor(options: RtmpRenditionOptions) {
    const { messageStreamId, chunkSize } = options;
    this.#bodies = new FlvBodyWriter(options.selection, (typeId, timestamp, parts) =>
      writeMessage({ chunkStreamId: CHUNK_STREAM_IDS[typeId], timestamp, typeId, messageStreamId, parts }, chunkSize),
    );
  }

  writeHeader(header: StreamHeader, dtsUs: number): Uint8Array {
    return joinBytes(this.#bodies.writeHeader(header, dtsUs));
  }

  writeHeaderUpdate(header: StreamHeader, dtsUs: number): Uint8Array {
    return this.writeHeader(header, dtsUs);
  }

  writeFrame(frame: Frame, header: StreamHeader): Uint8Array {
    return joinBytes(this.#bodies.writeFrame(frame, header));
  }
}
