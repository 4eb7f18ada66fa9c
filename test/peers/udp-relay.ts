/** A simulated network in real time, between a program and a port of UDP that it takes for its peer's. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Link, type LinkCounters, type LinkOptions, SimulatedNetwork } from './netem.ts';

const HOST = '127.0.0.1';

/** What each direction does to datagrams. */
export interface RelayOptions {
  /** From the program to the port. */
  readonly there?: Omit<LinkOptions, 'seed'>;
  readonly back?: Omit<LinkOptions, 'seed'>;
}

/** One of the program's sockets, and the one that stands for it before the port. */
interface Flow {
  readonly index: number;
  readonly address: string;
  readonly port: number;
  readonly upstream: Socket;
}

/** Takes datagrams for a port of the loopback, and does to them what a network would. */
export class UdpRelay {
  /** Where the program is to send to. */
  readonly port: number;
  readonly #target: number;
  readonly #socket: Socket;
  readonly #network = new SimulatedNetwork();
  readonly #startMs = performance.now();
  readonly #flows: Flow[] = [];
  #there: Link;
  #back: Link;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(socket: Socket, target: number) {
    this.#socket = socket;
    this.port = socket.address().port;
    this.#target = target;
    this.#there = this.#network.link({ seed: 1 });
    this.#back = this.#network.link({ seed: 2 });
    socket.on('message', (bytes, source) => this.#send('there', this.#flow(source), bytes));
  }

  static async open(target: number): Promise<UdpRelay> {
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    const relay = new UdpRelay(socket, target);
    relay.become({});
    return relay;
  }

  /** Another network from now on; what is under way still goes by the old one. */
  become({ there = {}, back = {} }: RelayOptions): void {
    this.#there = this.#network.link({ ...there, seed: 1 });
    this.#back = this.#network.link({ ...back, seed: 2 });
    this.#there.onDatagram = (bytes) => {
      if (!this.#isClosed) this.#flows[bytes[0]!]!.upstream.send(bytes.subarray(1), this.#target, HOST);
    };
    this.#back.onDatagram = (bytes) => {
      const { port, address } = this.#flows[bytes[0]!]!;
      if (!this.#isClosed) this.#socket.send(bytes.subarray(1), port, address);
    };
  }

  /** Since it last became another. */
  get counters(): { readonly there: LinkCounters; readonly back: LinkCounters } {
    return { there: this.#there.counters, back: this.#back.counters };
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    for (const { upstream } of this.#flows) upstream.close();
  }

  #flow({ address, port }: RemoteInfo): Flow {
    const known = this.#flows.find((one) => one.port === port && one.address === address);
    if (known !== undefined) return known;
    const upstream = createSocket('udp4');
    const flow = { index: this.#flows.length, address, port, upstream };
    upstream.on('message', (bytes) => this.#send('back', flow, bytes));
    this.#flows.push(flow);
    return flow;
  }

  #send(direction: 'there' | 'back', { index }: Flow, bytes: Uint8Array): void {
    this.#catchUp();
    const link = direction === 'there' ? this.#there : this.#back;
    link.send(Buffer.concat([Uint8Array.of(index), bytes]));
    this.#catchUp();
  }

  /** Does what is due, and comes back when the next thing is. */
  #catchUp(): void {
    if (this.#isClosed) return;
    const nowMs = performance.now() - this.#startMs;
    this.#network.runUntil(nowMs);
    clearTimeout(this.#timer);
    const { nextEventMs } = this.#network;
    if (nextEventMs === undefined) return;
    this.#timer = setTimeout(() => this.#catchUp(), Math.max(0, nextEventMs - nowMs));
  }
}
