import { PayloadHistory } from './payload-history.ts';
import { knownCodecOf, ProducerPayload } from './producer-payload.ts';
import { PacketStore, STORED_AUDIO_MS, STORED_VIDEO_MS } from './streams/packet-store.ts';
import { ReceivedStream, type ReceivedStreamOptions } from './streams/received-stream.ts';
import { mediaKindOf, type StreamParameters } from './streams/stream-parameters.ts';

/** One encoding of a producer: how it is received, what its payloads say, and what was received lately. */
export class ProducerStream {
  readonly received: ReceivedStream;
  /** Of the packet at hand. */
  payload: ProducerPayload;
  /** `received.epoch` when the packet at hand came. */
  epoch = 0;
  /** What consumers may be asked to send again. */
  readonly store: PacketStore;
  readonly #dependencyDescriptorId: number;
  readonly #history = new PayloadHistory();

  constructor(params: StreamParameters, dependencyDescriptorId: number, options: ReceivedStreamOptions = {}) {
    this.received = new ReceivedStream(params, options);
    this.#dependencyDescriptorId = dependencyDescriptorId;
    this.payload = this.createPayload();
    this.store = new PacketStore({ maxAgeMs: mediaKindOf(params) === 'video' ? STORED_VIDEO_MS : STORED_AUDIO_MS });
  }

  get params(): StreamParameters {
    return this.received.params;
  }

  /** What reads payloads of this stream, knowing what others of it have read before. */
  createPayload(): ProducerPayload {
    return new ProducerPayload(knownCodecOf(this.params.mimeType), this.#dependencyDescriptorId, this.#history);
  }
}
