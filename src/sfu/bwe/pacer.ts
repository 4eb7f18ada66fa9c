import { PacerQueue } from './pacer-queue.ts';
import type { ProbeCluster } from './probe-cluster.ts';
import { ProbePacer } from './probe-pacer.ts';

/** Media goes out at this multiple of the target, so that a frame larger than the others does not wait for long. */
export const PACING_FACTOR = 2.5;
/** Packets go out in bursts of so much time: fewer timers, and no group is torn apart by it. */
export const PACING_BURST_US = 5000;
/** What has waited for half of the longest time makes the pacer go faster, so that it does not get old. */
const HURRY_PART = 0.5;
/** After a silence no more than this is made good. */
const MAX_ELAPSED_US = 30_000;

/** Who goes first. Audio does not wait for the budget at all. */
export type PacerPriority = 'audio' | 'retransmission' | 'video';

/** What the pacer needs of the world. */
export interface PacerPort<P> {
  /** Sends a packet that was enqueued. */
  send(packet: P, probeClusterId: number | undefined, nowUs: number): void;
  /**
   * Sends padding of about so many bytes in one packet for a probe.
   * @returns bytes sent, 0 when there is none to be had
   */
  sendPadding(sizeBytes: number, probeClusterId: number, nowUs: number): number;
  /** A packet that waited too long is given up. */
  drop(packet: P): void;
}

/** Limits of the queue. */
export interface PacerOptions {
  /** A packet that has waited for longer is dropped. Default 2,000 ms. */
  readonly maxQueueMs?: number;
  /** What comes when so much waits is refused. Default 4,000,000 bytes. */
  readonly maxQueueBytes?: number;
}

/**
 * Spreads packets over time: 2.5 times the target, audio at once, then retransmissions, then video; probes at their own
 * rate, filled up with padding. Sans-IO: it sends through its port when told that time has passed. Packets are
 * whatever the caller makes them; those that wait must stay valid.
 */
export class Pacer<P> {
  readonly #port: PacerPort<P>;
  readonly #queue: PacerQueue<P>;
  readonly #probe = new ProbePacer();
  readonly #maxQueueUs: number;
  #targetBps: number;
  #debtBytes = 0;
  #lastUs = 0;

  constructor(port: PacerPort<P>, targetBps: number, options: PacerOptions = {}) {
    const { maxQueueMs = 2000, maxQueueBytes = 4_000_000 } = options;
    this.#port = port;
    this.#targetBps = targetBps;
    this.#maxQueueUs = maxQueueMs * 1000;
    this.#queue = new PacerQueue(maxQueueBytes);
  }

  /** Bytes that wait. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** How long the queue takes at the target rate, milliseconds. */
  get queueMs(): number {
    return this.#targetBps === 0 ? 0 : (this.#queue.bytes * 8000) / this.#targetBps;
  }

  setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  /** Probes to be sent next. */
  addProbes(clusters: readonly ProbeCluster[]): void {
    this.#probe.add(clusters);
  }

  /**
   * Takes a packet; audio is sent at once. `handleTimeout` has to follow when `nextTimeoutMs` is due.
   * @returns false when the queue is full: the packet is refused
   */
  enqueue(packet: P, priority: PacerPriority, sizeBytes: number, nowUs: number): boolean {
    if (priority === 'audio') {
      this.#elapse(nowUs);
      this.#debtBytes += sizeBytes;
      this.#port.send(packet, undefined, nowUs);
      return true;
    }
    if (this.#queue.isEmpty) this.#elapse(nowUs);
    return this.#queue.push({ packet, sizeBytes, queuedUs: nowUs }, priority);
  }

  /** When to call `handleTimeout`, milliseconds of the same clock; `undefined` while there is nothing to send. */
  nextTimeoutMs(): number | undefined {
    const probeUs = this.#probe.nextUs;
    if (probeUs !== undefined) return probeUs / 1000;
    return this.#queue.isEmpty ? undefined : (this.#lastUs + this.#waitUs) / 1000;
  }

  /** Sends what is due. */
  handleTimeout(nowMs: number): void {
    const nowUs = Math.round(nowMs * 1000);
    this.#elapse(nowUs);
    this.#queue.dropBefore(nowUs - this.#maxQueueUs, this.#port);
    // A probe measures only when nothing else goes out beside it: media is sent as part of it.
    if (this.#probe.nextUs !== undefined) {
      this.#sendProbe(nowUs);
      return;
    }
    const burstBytes = (this.#pacingBps * PACING_BURST_US) / 8e6;
    if (this.#debtBytes > 0) return;
    while (!this.#queue.isEmpty && this.#debtBytes < burstBytes) this.#sendNext(undefined, nowUs);
  }

  get #pacingBps(): number {
    // What is there must be gone before it is too old.
    const { oldestUs = this.#lastUs, bytes } = this.#queue;
    const leftUs = Math.max(this.#maxQueueUs * HURRY_PART - (this.#lastUs - oldestUs), PACING_BURST_US);
    const neededBps = (bytes * 8e6) / leftUs;
    return Math.max(this.#targetBps * PACING_FACTOR, neededBps, 1);
  }

  get #waitUs(): number {
    return this.#debtBytes <= 0 ? 0 : Math.ceil((this.#debtBytes * 8e6) / this.#pacingBps);
  }

  #elapse(nowUs: number): void {
    const elapsedUs = Math.min(Math.max(nowUs - this.#lastUs, 0), MAX_ELAPSED_US);
    this.#lastUs = nowUs;
    const debtBytes = this.#debtBytes - (this.#pacingBps * elapsedUs) / 8e6;
    // Less than a bit left would ask for a timeout of no time.
    this.#debtBytes = debtBytes < 0.125 ? 0 : debtBytes;
  }

  /** What a probe sends is paid for like the rest, so that media gives way to it. */
  #sendProbe(nowUs: number): void {
    const cluster = this.#probe.due(nowUs);
    if (cluster === undefined) return;
    const burstBytes = this.#probe.burstBytes;
    let sent = 0;
    while (sent < burstBytes && !this.#probe.isComplete) {
      const sizeBytes = this.#queue.isEmpty
        ? this.#port.sendPadding(Math.ceil(burstBytes - sent), cluster.id, nowUs)
        : this.#sendNext(cluster.id, nowUs);
      if (sizeBytes <= 0) break;
      sent += sizeBytes;
      this.#probe.onSent(sizeBytes, nowUs);
    }
    this.#probe.endBurst(sent, nowUs);
  }

  #sendNext(probeClusterId: number | undefined, nowUs: number): number {
    const item = this.#queue.shift();
    if (item === undefined) return 0;
    this.#debtBytes += item.sizeBytes;
    this.#port.send(item.packet, probeClusterId, nowUs);
    return item.sizeBytes;
  }
}
