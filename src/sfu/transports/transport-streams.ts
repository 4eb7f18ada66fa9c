import { HEADER_EXTENSION_URI } from '../../protocol/rtp/extensions/header-extension-uris.ts';
import { StateError } from '../../wire/errors.ts';
import type { Consumer } from '../consumers/consumer.ts';
import type { OutputStream } from '../consumers/output-stream.ts';
import type { Producer } from '../producer.ts';
import type { SfuErrorCode } from '../router-environment.ts';
import { RtpListener } from '../rtp-listener.ts';
import { headerExtensionId } from './rtp-parameters.ts';

/** Ids of the header extensions a transport itself reads, 0 for those not in use. */
export interface ReceivedExtensionIds {
  mid: number;
  rid: number;
  rrid: number;
  absSendTime: number;
  transportWideCc01: number;
}

/** A stream a transport sends, and whose it is. */
export interface TransportOutput {
  readonly consumer: Consumer;
  readonly output: OutputStream;
}

/** The media of one transport, found by id and by SSRC. */
export class TransportStreams {
  readonly listener: RtpListener<Producer> = new RtpListener();
  readonly extensionIds: ReceivedExtensionIds = { mid: 0, rid: 0, rrid: 0, absSendTime: 0, transportWideCc01: 0 };
  readonly producers: Map<string, Producer> = new Map();
  readonly consumers: Map<string, Consumer> = new Map();
  readonly #outputs = new Map<number, TransportOutput>();
  readonly #rtxOutputs = new Map<number, TransportOutput>();

  /** @throws StateError when its packets could not be told from those of others */
  addProducer(producer: Producer): void {
    const { rtpParameters } = producer;
    this.listener.add(producer, { mid: rtpParameters.mid, encodings: rtpParameters.encodings ?? [] });
    this.producers.set(producer.id, producer);
    const note = (name: keyof ReceivedExtensionIds, uri: string): void => {
      const id = headerExtensionId(rtpParameters, uri);
      if (id !== 0) this.extensionIds[name] = id;
    };
    note('mid', HEADER_EXTENSION_URI.mid);
    note('rid', HEADER_EXTENSION_URI.rid);
    note('rrid', HEADER_EXTENSION_URI.repairedRid);
    note('absSendTime', HEADER_EXTENSION_URI.absSendTime);
    note('transportWideCc01', HEADER_EXTENSION_URI.transportWideSequenceNumber);
  }

  removeProducer(producer: Producer): void {
    this.producers.delete(producer.id);
    this.listener.remove(producer);
  }

  addConsumer(consumer: Consumer): void {
    const taken = consumer.outputs.find(({ sent: { params } }) => this.#outputs.has(params.ssrc));
    if (taken !== undefined) {
      throw new StateError('sfu/taken' satisfies SfuErrorCode, `another consumer sends SSRC ${taken.sent.params.ssrc}`);
    }
    this.consumers.set(consumer.id, consumer);
    for (const output of consumer.outputs) {
      const { ssrc, rtxSsrc } = output.sent.params;
      this.#outputs.set(ssrc, { consumer, output });
      if (rtxSsrc !== undefined) this.#rtxOutputs.set(rtxSsrc, { consumer, output });
    }
  }

  removeConsumer(consumer: Consumer): void {
    this.consumers.delete(consumer.id);
    for (const { sent } of consumer.outputs) {
      this.#outputs.delete(sent.params.ssrc);
      if (sent.params.rtxSsrc !== undefined) this.#rtxOutputs.delete(sent.params.rtxSsrc);
    }
  }

  /** The stream that is sent with an SSRC. */
  output(ssrc: number): TransportOutput | undefined {
    return this.#outputs.get(ssrc);
  }

  /** The same, or whose retransmissions are sent with it. */
  anyOutput(ssrc: number): TransportOutput | undefined {
    return this.#outputs.get(ssrc) ?? this.#rtxOutputs.get(ssrc);
  }

  dump(): object {
    const rows = (table: ReadonlyMap<number, TransportOutput>): object[] =>
      [...table].map(([key, { consumer }]) => ({ key, value: consumer.id }));
    return {
      producerIds: [...this.producers.keys()],
      consumerIds: [...this.consumers.keys()],
      mapSsrcConsumerId: rows(this.#outputs),
      mapRtxSsrcConsumerId: rows(this.#rtxOutputs),
      recvRtpHeaderExtensions: Object.fromEntries(Object.entries(this.extensionIds).filter(([, id]) => id !== 0)),
      rtpListener: this.listener.dump(),
    };
  }
}
