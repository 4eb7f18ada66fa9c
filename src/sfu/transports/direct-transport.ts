import type { DataConsumer } from '../data/data-consumer.ts';
import type { OutgoingMessage } from '../data/data-producer.ts';
import type { Router } from '../router.ts';
import type { DataPort } from './data-port.ts';
import type { DroppedPackets } from './dropped-packets.ts';
import { SingleLink } from './packet-link.ts';
import { Transport, type TransportOptions } from './transport.ts';

/** What control tells of a direct transport. */
export interface DirectTransportOptions extends TransportOptions {
  readonly maxSendMessageSize?: number;
  readonly maxReceiveMessageSize?: number;
}

/** Media and data from and to control itself. */
export class DirectTransport extends Transport {
  readonly #options: DirectTransportOptions;
  readonly #data: DataPort;

  constructor(options: DirectTransportOptions, router: Router) {
    super(options, router);
    this.#options = options;
    this.#data = this.#createDataPort();
    this.setLink(
      new SingleLink((bytes, kind, consumerId) => {
        // Control gets it in a later turn.
        if (kind === 'rtp') this.environment.notifyPayload(consumerId, 'rtp', undefined, bytes.slice());
        else this.environment.notifyPayload(options.id, 'rtcp', undefined, bytes.slice());
      }),
    );
  }

  protected get dataPort(): DataPort {
    return this.#data;
  }

  protected droppedBelow(): Partial<DroppedPackets> {
    return {};
  }

  protected dumpOwn(): object {
    return { direct: true };
  }

  protected statsOwn(): object {
    return { type: 'direct-transport' };
  }

  protected closeOwn(): void {
    // Nothing of its own is open.
  }

  #createDataPort(): DataPort {
    const { maxSendMessageSize = 262_144, maxReceiveMessageSize = 262_144 } = this.#options;
    const { environment } = this;
    return {
      type: 'direct',
      state: undefined,
      isPipe: false,
      maxReceivedBytes: maxReceiveMessageSize,
      unclaimedMessages: 0,
      addProducer: () => undefined,
      removeProducer: () => undefined,
      addConsumer: () => undefined,
      removeConsumer: () => undefined,
      bufferedAmount: () => 0,
      bufferedAmountLowThreshold: 0,
      setBufferedAmountLowThreshold: () => undefined,
      sendMessage: ({ id }: DataConsumer, { ppid, bytes }: OutgoingMessage) => {
        if (bytes.length > maxSendMessageSize) return 'closed';
        environment.notifyPayload(id, 'message', { ppid }, bytes.slice());
        return 'sent';
      },
      dump: () => ({ maxSendMessageSize, maxReceiveMessageSize }),
    };
  }
}
