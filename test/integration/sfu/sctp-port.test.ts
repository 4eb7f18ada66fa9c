/** Messages over an association that comes later, as with DTLS in front of it. */
import { expect, it } from 'vitest';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../../src/protocol/sctp/sctp-event.ts';
import { DataConsumer } from '../../../src/sfu/data/data-consumer.ts';
import { DataProducer } from '../../../src/sfu/data/data-producer.ts';
import { SctpPort, toSctpOptions } from '../../../src/sfu/transports/sctp-port.ts';
import { VirtualWorld } from './sfu-kit.ts';

const SETTINGS = { isDataChannel: true };
const STREAM = { type: 'sctp', sctpStreamParameters: { streamId: 3 }, label: '', protocol: '' } as const;

/** A port whose association does not exist before `connect`. */
class LatePort {
  readonly world = new VirtualWorld();
  readonly port: SctpPort;
  readonly #queue: { readonly to: SctpAssociation; readonly bytes: Uint8Array }[] = [];
  #near: SctpAssociation | undefined;
  #far: SctpAssociation | undefined;

  constructor() {
    const near = (): SctpAssociation | undefined => this.#near;
    const access = {
      get association(): SctpAssociation | undefined {
        return near();
      },
      withSctp: (command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void => {
        if (this.#near !== undefined) this.#follow(command(this.#near, this.world.nowMs));
      },
    };
    this.port = new SctpPort(SETTINGS, access, 'transport', this.world);
  }

  connect(): void {
    this.#near = new SctpAssociation(toSctpOptions(SETTINGS, nodeSctpCrypto));
    this.#far = new SctpAssociation(toSctpOptions(SETTINGS, nodeSctpCrypto));
    this.port.connecting();
    this.#follow(this.#near.start(this.world.nowMs));
    this.deliver();
  }

  /** Until nothing is on its way. */
  deliver(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const events = next.to.receive(next.bytes, this.world.nowMs);
      if (next.to === this.#near) this.#follow(events);
      else this.#enqueue(events, this.#near!);
      if (this.#queue.length === 0) this.#enqueue(this.#far!.handleTimeout(this.world.nowMs + 1000), this.#near!);
    }
  }

  #follow(events: readonly SctpEvent[]): void {
    for (const event of events) if (event.type !== 'send') this.port.onEvent(event);
    this.#enqueue(events, this.#far!);
  }

  #enqueue(events: readonly SctpEvent[], to: SctpAssociation): void {
    for (const event of events) if (event.type === 'send') this.#queue.push({ to, bytes: event.bytes.slice() });
  }

  consumer(id: string): DataConsumer {
    const producer = new DataProducer({ id: 'p', ...STREAM }, 1_000_000);
    const consumer = new DataConsumer({ id, ...STREAM }, producer, this.port, this.world);
    this.port.addConsumer(consumer);
    return consumer;
  }

  /** How much was left each time a consumer was told that it is little. */
  lowAmounts(id: string): readonly number[] {
    return this.world
      .eventsOf(id, 'bufferedamountlow')
      .map((data) => (data as { readonly bufferedAmount: number }).bufferedAmount);
  }
}

it('little is what was set before there was an association, and for the next on the stream what it always is', () => {
  const late = new LatePort();
  const consumer = late.consumer('c');
  consumer.setBufferedAmountLowThreshold(150_000);
  expect(consumer.send({ ppid: 53, bytes: new Uint8Array(10) })).toBe(false);
  late.connect();
  expect(late.port.state).toBe('connected');
  expect(consumer.send({ ppid: 53, bytes: new Uint8Array(200_000) })).toBe(true);
  expect(consumer.bufferedAmount).toBeGreaterThan(150_000);
  late.deliver();
  expect(consumer.bufferedAmount).toBe(0);
  const [first = 0] = late.lowAmounts('c');
  expect(first).toBeGreaterThan(100_000);
  expect(first).toBeLessThanOrEqual(150_000);
  late.port.removeConsumer(consumer);
  late.deliver();
  const next = late.consumer('d');
  expect(next.send({ ppid: 53, bytes: new Uint8Array(200_000) })).toBe(true);
  late.deliver();
  expect(next.bufferedAmount).toBe(0);
  expect(late.lowAmounts('d').every((amount) => amount <= 1024)).toBe(true);
  expect(late.lowAmounts('d').length).toBeGreaterThan(0);
});
