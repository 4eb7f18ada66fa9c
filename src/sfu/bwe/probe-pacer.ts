import type { ProbeCluster } from './probe-cluster.ts';

/** Probes that wait; more are ignored. */
export const MAX_WAITING_PROBES = 8;
/** A probe sends in bursts of about this time. */
const BURST_US = 2000;
/** No smaller packets are made for a probe, bytes. */
const MIN_BURST_BYTES = 200;
/** A probe that cannot be filled by then is given up. */
const MAX_PROBE_US = 300_000;

/** Says when a probe sends and how much: a burst, then as long as the rate of the probe needs for it. */
export class ProbePacer {
  readonly #waiting: ProbeCluster[] = [];
  #startedUs: number | undefined;
  #nextUs = 0;
  #sentPackets = 0;
  #sentBytes = 0;

  /** When the probe wants to go on; 0: at once; `undefined` without a probe. */
  get nextUs(): number | undefined {
    return this.#waiting.length === 0 ? undefined : this.#nextUs;
  }

  /** Whether the current probe has sent enough. */
  get isComplete(): boolean {
    const cluster = this.#waiting[0];
    return cluster === undefined || (this.#sentPackets >= cluster.minPackets && this.#sentBytes >= cluster.minBytes);
  }

  /** Bytes to send at once for the current probe. */
  get burstBytes(): number {
    const targetBps = this.#waiting[0]?.targetBps ?? 0;
    return Math.max((targetBps * BURST_US) / 8e6, MIN_BURST_BYTES);
  }

  add(clusters: readonly ProbeCluster[]): void {
    for (const cluster of clusters) {
      if (this.#waiting.length < MAX_WAITING_PROBES) this.#waiting.push(cluster);
    }
  }

  /** The probe that may send now. */
  due(nowUs: number): ProbeCluster | undefined {
    const cluster = this.#waiting[0];
    if (cluster === undefined || nowUs < this.#nextUs) return undefined;
    this.#startedUs ??= nowUs;
    return cluster;
  }

  onSent(sizeBytes: number, nowUs: number): void {
    this.#startedUs ??= nowUs;
    this.#sentPackets++;
    this.#sentBytes += sizeBytes;
  }

  /** The burst is over; `sentBytes` 0: there was nothing to send, which ends the probe. */
  endBurst(sentBytes: number, nowUs: number): void {
    const cluster = this.#waiting[0];
    const startedUs = this.#startedUs;
    if (cluster === undefined || startedUs === undefined) return;
    if (sentBytes === 0 || this.isComplete || nowUs - startedUs > MAX_PROBE_US) {
      this.#waiting.shift();
      this.#startedUs = undefined;
      this.#sentPackets = 0;
      this.#sentBytes = 0;
      this.#nextUs = nowUs;
      return;
    }
    const dueUs = startedUs + (this.#sentBytes * 8e6) / cluster.targetBps;
    this.#nextUs = Math.max(Math.ceil(dueUs), nowUs + 1);
  }
}
