import { knownCodecOf, ProducerPayload } from './producer-payload.ts';
import { PacketStore, STORED_AUDIO_MS, STORED_VIDEO_MS } from './streams/packet-store.ts';
import { ReceivedStream, type ReceivedStreamOptions } from './streams/received-stream.ts';
import { mediaKindOf, type StreamParameters } from './streams/stream-parameters.ts';

/** One encoding of a producer: how it is received, what its payloads say, and what was received lately. */
export class ProducerStream {
  readonly params: StreamParameters;
  /** The SSRC consumers of the router know it by. */
  readonly mappedSsrc: number;
  readonly received: ReceivedStream;
  readonly payload: ProducerPayload;
  /** What consumers may be asked to send again. */
  readonly store: PacketStore;

  constructor(
    params: StreamParameters,
    mappedSsrc: number,
    dependencyDescriptorId: number,
    options: ReceivedStreamOptions = {},
  ) {
    this.params = params;
    this.mappedSsrc = mappedSsrc;
    this.received = new ReceivedStream(params, options);
    this.payload = new ProducerPayload(knownCodecOf(params.mimeType), dependencyDescriptorId);
    this.store = new PacketStore({ maxAgeMs: mediaKindOf(params) === 'video' ? STORED_VIDEO_MS : STORED_AUDIO_MS });
  }
}
