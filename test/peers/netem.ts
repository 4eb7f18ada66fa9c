/**
 * A simulated network in virtual time for sans-IO machines: what a real one does to datagrams, repeatable from a seed.
 * Nothing here waits: `runUntil` goes from event to event.
 */
import { StateError } from '../../src/wire/errors.ts';
import { Random } from '../fuzz/mutator.ts';

/** Bytes that may wait for a link of limited bandwidth unless its options say otherwise. */
const DEFAULT_QUEUE_BYTES = 65_536;
/** How much later a datagram comes that is reordered or doubled, at most, unless the options say otherwise. */
const DEFAULT_REORDER_MS = 20;
/** A changing bandwidth is looked at this often. */
const BANDWIDTH_STEP_MS = 5;
/** Timeouts a peer may have without time passing; more is a machine that never ends. */
const MAX_TIMEOUTS_AT_ONCE = 1000;
/** Virtual time after which `runUntil` gives up on a condition unless told otherwise. */
const DEFAULT_LIMIT_MS = 60_000;

export interface LinkOptions {
  /** Two links of the same options and input do the same. */
  readonly seed: number;
  /** Part of the datagrams that is lost, each by itself, 0–1; default 0. */
  readonly lossRate?: number;
  /** Loss that comes in runs (Gilbert-Elliott, all lost while it is bad): part of all that is lost, and mean length of a run. */
  readonly burst?: { readonly lossRate: number; readonly meanLength: number };
  /** What every datagram takes, default 0. */
  readonly delayMs?: number;
  /** Up to so much more, evenly spread; the order stays; default 0. */
  readonly jitterMs?: number;
  /** Part of the datagrams held back so that later ones overtake them, 0–1; default 0. */
  readonly reorderRate?: number;
  /** How long they are held back at most, and how much later a duplicate comes; default 20. */
  readonly reorderMs?: number;
  /** Part of the datagrams that arrives twice, 0–1; default 0. */
  readonly duplicateRate?: number;
  /** Bits a second that pass, constant or by virtual time; 0 stands still. Without it nothing queues. */
  readonly bandwidthBps?: number | ((nowMs: number) => number);
  /** Bytes that may wait for their turn, the one being sent not counted; what comes then is dropped; default 65,536. */
  readonly queueBytes?: number;
}

/** What a link did with its datagrams. */
export interface LinkCounters {
  sent: number;
  delivered: number;
  deliveredBytes: number;
  /** By `lossRate` or `burst`. */
  lost: number;
  /** For want of room in the queue. */
  dropped: number;
  duplicated: number;
  reordered: number;
}

/** What is simulated at an end of a link. */
export interface NetPeer {
  /** Given by `connect`: sends a datagram to the other end. The bytes are copied. */
  transmit: ((bytes: Uint8Array) => void) | undefined;
  receive(bytes: Uint8Array, nowMs: number): void;
  nextTimeoutMs(): number | undefined;
  handleTimeout(nowMs: number): void;
}

/** One direction of a path between two ends. */
export class Link {
  /** Called in virtual time with what arrives; the bytes belong to the receiver. */
  onDatagram: ((bytes: Uint8Array, nowMs: number) => void) | undefined;
  /**
   * Stands in the way of every datagram before anything else happens to it: what it gives goes on in its place, so
   * `[]` loses it. `index` counts from 0.
   */
  intercept: ((bytes: Uint8Array, index: number) => readonly Uint8Array[]) | undefined;
  readonly counters: LinkCounters = {
    sent: 0,
    delivered: 0,
    deliveredBytes: 0,
    lost: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
  };
  readonly #network: SimulatedNetwork;
  readonly #options: LinkOptions;
  // Each has numbers of its own: switching one on changes nothing of the others.
  readonly #lossRandom: Random;
  readonly #burstRandom: Random;
  readonly #jitterRandom: Random;
  readonly #reorderRandom: Random;
  readonly #duplicateRandom: Random;
  #isBad = false;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isSending = false;
  #lastArrivalMs = 0;

  constructor(network: SimulatedNetwork, options: LinkOptions) {
    this.#network = network;
    this.#options = options;
    const random = (stream: number): Random => new Random(Math.imul(options.seed, 0x9e37_79b1) + stream);
    this.#lossRandom = random(1);
    this.#burstRandom = random(2);
    this.#jitterRandom = random(3);
    this.#reorderRandom = random(4);
    this.#duplicateRandom = random(5);
  }

  /** Bytes that wait for their turn now. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Sends a copy of `bytes`. */
  send(bytes: Uint8Array): void {
    const index = this.counters.sent++;
    const passed = this.intercept === undefined ? [bytes] : this.intercept(bytes, index);
    for (const datagram of passed) this.#enqueue(datagram.slice());
  }

  #enqueue(bytes: Uint8Array): void {
    if (this.#options.bandwidthBps === undefined) {
      this.#propagate(bytes);
    } else if (!this.#isSending) {
      this.#serialize(bytes, bytes.length * 8);
    } else if (this.#queuedBytes + bytes.length > (this.#options.queueBytes ?? DEFAULT_QUEUE_BYTES)) {
      this.counters.dropped++;
    } else {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
    }
  }

  /** Takes the time the bits need, looking at the bandwidth again after each step. */
  #serialize(bytes: Uint8Array, bitsLeft: number): void {
    this.#isSending = true;
    const { bandwidthBps } = this.#options;
    const isConstant = typeof bandwidthBps === 'number';
    const bitsPerMs = (isConstant ? bandwidthBps : (bandwidthBps?.(this.#network.nowMs) ?? 0)) / 1000;
    const neededMs = bitsPerMs > 0 ? bitsLeft / bitsPerMs : Number.POSITIVE_INFINITY;
    if (neededMs > BANDWIDTH_STEP_MS && !(isConstant && bitsPerMs > 0)) {
      const rest = bitsLeft - bitsPerMs * BANDWIDTH_STEP_MS;
      this.#network.schedule(BANDWIDTH_STEP_MS, () => this.#serialize(bytes, rest));
      return;
    }
    this.#network.schedule(neededMs, () => {
      this.#isSending = false;
      this.#propagate(bytes);
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#queuedBytes -= next.length;
      this.#serialize(next, next.length * 8);
    });
  }

  #propagate(bytes: Uint8Array): void {
    const { delayMs = 0, jitterMs = 0, reorderMs = DEFAULT_REORDER_MS } = this.#options;
    if (this.#isLost()) {
      this.counters.lost++;
      return;
    }
    const atMs = this.#network.nowMs + delayMs + unit(this.#jitterRandom) * jitterMs;
    const isReordered = unit(this.#reorderRandom) < (this.#options.reorderRate ?? 0);
    const detourMs = unit(this.#reorderRandom) * reorderMs;
    if (isReordered) {
      this.counters.reordered++;
      this.#deliverAt(atMs + detourMs, bytes);
    } else {
      this.#lastArrivalMs = Math.max(atMs, this.#lastArrivalMs);
      this.#deliverAt(this.#lastArrivalMs, bytes);
    }
    const isDuplicated = unit(this.#duplicateRandom) < (this.#options.duplicateRate ?? 0);
    const laterMs = unit(this.#duplicateRandom) * reorderMs;
    if (!isDuplicated) return;
    this.counters.duplicated++;
    this.#deliverAt(atMs + laterMs, bytes.slice());
  }

  #isLost(): boolean {
    const isLostAlone = unit(this.#lossRandom) < (this.#options.lossRate ?? 0);
    const { burst } = this.#options;
    if (burst === undefined) return isLostAlone;
    const leaveRate = 1 / burst.meanLength;
    const enterRate = (burst.lossRate * leaveRate) / (1 - burst.lossRate);
    const change = unit(this.#burstRandom);
    this.#isBad = this.#isBad ? change >= leaveRate : change < enterRate;
    return this.#isBad || isLostAlone;
  }

  #deliverAt(atMs: number, bytes: Uint8Array): void {
    this.#network.schedule(atMs - this.#network.nowMs, () => {
      this.counters.delivered++;
      this.counters.deliveredBytes += bytes.length;
      this.onDatagram?.(bytes, this.#network.nowMs);
    });
  }
}

function unit(random: Random): number {
  return random.below(0x1_0000_0000) / 0x1_0000_0000;
}

interface Occurrence {
  readonly atMs: number;
  /** Occurrences of one time come in the order they were scheduled in. */
  readonly order: number;
  readonly happen: () => void;
}

/** Links, peers and the events between them, in virtual time that starts at 0. */
export class SimulatedNetwork {
  #nowMs = 0;
  #order = 0;
  /** A binary heap, the soonest first. */
  readonly #heap: Occurrence[] = [];
  readonly #peers = new Set<NetPeer>();

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next thing happens to a datagram; `undefined` while none is under way. Peers' timeouts not counted. */
  get nextEventMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  /** One direction; set `onDatagram` at it. */
  link(options: LinkOptions): Link {
    return new Link(this, options);
  }

  /** Joins two peers, the way back with a seed of its own unless `back` is given. Their timeouts are served from now on. */
  connect(
    a: NetPeer,
    b: NetPeer,
    options: LinkOptions,
    back: LinkOptions = { ...options, seed: ~options.seed },
  ): [Link, Link] {
    const links: [Link, Link] = [this.link(options), this.link(back)];
    for (const [from, to, link] of [
      [a, b, links[0]],
      [b, a, links[1]],
    ] as const) {
      from.transmit = (bytes) => link.send(bytes);
      link.onDatagram = (bytes, nowMs) => to.receive(bytes, nowMs);
      this.add(from);
    }
    return links;
  }

  /** Serves the timeouts of a peer whose links are joined by hand. */
  add(peer: NetPeer): void {
    this.#peers.add(peer);
  }

  /** A peer that has died: its timeouts are served no more. */
  remove(peer: NetPeer): void {
    this.#peers.delete(peer);
  }

  /** Calls `happen` after `delayMs` of virtual time. */
  schedule(delayMs: number, happen: () => void): void {
    const heap = this.#heap;
    const added: Occurrence = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, happen };
    let at = heap.push(added) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isSooner(added, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = added;
  }

  /**
   * Goes on until virtual time `condition` (then all that happens up to it has happened), or until `condition()` holds,
   * asked after each event.
   * @returns whether the condition held within `limitMs` from now; for a time always true
   * @throws StateError `netem/endless` when a peer has timeouts without end at one time
   */
  runUntil(condition: number | (() => boolean), limitMs: number = DEFAULT_LIMIT_MS): boolean {
    const isMet = typeof condition === 'number' ? (): boolean => false : condition;
    const endMs = typeof condition === 'number' ? condition : this.#nowMs + limitMs;
    let timeoutsAtOnce = 0;
    let timeoutMs = -1;
    while (!isMet()) {
      const peer = this.#soonestPeer();
      const peerMs = Math.max(peer?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY, this.#nowMs);
      const atMs = Math.min(this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY, peerMs);
      if (atMs > endMs) {
        this.#nowMs = Math.max(endMs, this.#nowMs);
        return typeof condition === 'number';
      }
      this.#nowMs = atMs;
      if (peer === undefined || peerMs > atMs || this.#heap[0]?.atMs === atMs) {
        this.#takeFirst().happen();
        continue;
      }
      timeoutsAtOnce = timeoutMs === atMs ? timeoutsAtOnce + 1 : 0;
      timeoutMs = atMs;
      if (timeoutsAtOnce > MAX_TIMEOUTS_AT_ONCE)
        throw new StateError('netem/endless', `timeouts without end at ${atMs}`);
      peer.handleTimeout(atMs);
    }
    return true;
  }

  /** Goes on for `durationMs`. */
  runFor(durationMs: number): void {
    this.runUntil(this.#nowMs + durationMs);
  }

  #soonestPeer(): NetPeer | undefined {
    let soonest: NetPeer | undefined;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers) {
      const atMs = peer.nextTimeoutMs();
      if (atMs === undefined || atMs >= soonestMs) continue;
      soonest = peer;
      soonestMs = atMs;
    }
    return soonest;
  }

  #takeFirst(): Occurrence {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isSooner(heap[child + 1]!, heap[child]!)) child++;
      if (!isSooner(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isSooner(a: Occurrence, b: Occurrence): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A sans-IO machine that speaks over one link. */
interface Machine<E> {
  receive(bytes: Uint8Array, nowMs: number): E[];
  nextTimeoutMs(): number | undefined;
  handleTimeout(nowMs: number): E[];
}

/** Puts a machine at the end of a link: its `send` events go out, the others are kept and told. */
export class MachinePeer<E extends { readonly type: string }> implements NetPeer {
  transmit: ((bytes: Uint8Array) => void) | undefined;
  /** All events but `send`, oldest first. */
  readonly events: E[] = [];
  readonly #machine: Machine<E>;
  readonly #onEvent: ((event: E) => void) | undefined;

  constructor(machine: Machine<E>, onEvent?: (event: E) => void) {
    this.#machine = machine;
    this.#onEvent = onEvent;
  }

  /** Does what events say; for those that commands gave (`peer.handle(machine.start(0))`). */
  handle(events: readonly E[]): void {
    for (const event of events) {
      if (event.type === 'send' && 'bytes' in event) {
        this.transmit?.(event.bytes as Uint8Array);
        continue;
      }
      this.events.push(event);
      this.#onEvent?.(event);
    }
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.handle(this.#machine.receive(bytes, nowMs));
  }

  nextTimeoutMs(): number | undefined {
    return this.#machine.nextTimeoutMs();
  }

  handleTimeout(nowMs: number): void {
    this.handle(this.#machine.handleTimeout(nowMs));
  }
}
