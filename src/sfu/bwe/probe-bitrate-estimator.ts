import type { PacketResult } from './packet-result.ts';
import type { ProbeCluster } from './probe-cluster.ts';

/** Probes that wait for their feedback; the oldest is given up for a new one. */
export const MAX_OPEN_PROBES = 8;
/** Part of a probe that must have come through. */
const MIN_RECEIVED_PART = 0.6;
/** Longest time over which the packets of one probe are sent or arrive. */
const MAX_PROBE_US = 1_000_000;
/** Packets that arrive so much faster than they were sent were held up on the way: no measurement. */
const MAX_SPEEDUP = 2;
/** A probe that comes through slower than this part of its rate has filled the link. */
const FULL_PART = 0.9;
/** Times in feedback are no better than this. */
const NOISE_US = 500;
/** What is taken of a link that a probe has filled. */
const KEPT_PART = 0.95;

/** So many packets, and so much more of them than by nature, are not lost by chance. */
const MIN_DROPPED = 3;
const MAX_CHANCE_LOSS = 0.15;

/** What is known of the path besides. */
export interface PathKnowledge {
  /** One-way delay without a queue, to tell whether the end of a probe had to wait. */
  readonly baseDelayUs: number | undefined;
  /** Part of the packets it loses by its nature. */
  readonly inherentLoss: number;
}

/** What a probe measured. */
export interface ProbeResult {
  readonly clusterId: number;
  /** What may be sent from now on, bits a second. */
  readonly bitrateBps: number;
  /** The link did not carry the whole probe: this is its capacity, not less than it. */
  readonly isLinkFull: boolean;
}

interface OpenProbe {
  readonly cluster: ProbeCluster;
  packets: number;
  receivedPackets: number;
  bytes: number;
  receivedBytes: number;
  firstSentUs: number;
  lastSentUs: number;
  lastSentBytes: number;
  firstArrivalUs: number;
  lastArrivalUs: number;
  firstArrivalBytes: number;
}

/**
 * Measures the rate at which probes come through. Packets lost by chance count as carried (they took their place on
 * the way).
 */
export class ProbeBitrateEstimator {
  readonly #open: OpenProbe[] = [];

  /** A probe is about to be sent. */
  open(cluster: ProbeCluster): void {
    if (this.#open.length >= MAX_OPEN_PROBES) this.#open.shift();
    this.#open.push({
      cluster,
      packets: 0,
      receivedPackets: 0,
      bytes: 0,
      receivedBytes: 0,
      firstSentUs: Number.POSITIVE_INFINITY,
      lastSentUs: Number.NEGATIVE_INFINITY,
      lastSentBytes: 0,
      firstArrivalUs: Number.POSITIVE_INFINITY,
      lastArrivalUs: Number.NEGATIVE_INFINITY,
      firstArrivalBytes: 0,
    });
  }

  /**
   * Takes feedback.
   * @returns what the probes have shown of which enough has come through, each once
   */
  update(results: readonly PacketResult[], path: PathKnowledge): ProbeResult[] {
    let hasProbe = false;
    for (const result of results) {
      if (result.probeClusterId === undefined) continue;
      const probe = this.#open.find(({ cluster }) => cluster.id === result.probeClusterId);
      if (probe === undefined) continue;
      take(probe, result);
      hasProbe = true;
    }
    if (!hasProbe) return [];
    const measured: ProbeResult[] = [];
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const probe = this.#open[i]!;
      if (!isComplete(probe)) continue;
      this.#open.splice(i, 1);
      const result = toResult(probe, path);
      if (result !== undefined) measured.unshift(result);
    }
    return measured;
  }
}

function take(probe: OpenProbe, { sizeBytes, sentUs, arrivalUs, isRecovered }: PacketResult): void {
  if (!isRecovered) {
    probe.packets++;
    probe.bytes += sizeBytes;
  }
  if (sentUs < probe.firstSentUs) probe.firstSentUs = sentUs;
  if (sentUs >= probe.lastSentUs) {
    probe.lastSentUs = sentUs;
    probe.lastSentBytes = sizeBytes;
  }
  if (arrivalUs === undefined) return;
  probe.receivedPackets++;
  probe.receivedBytes += sizeBytes;
  if (arrivalUs < probe.firstArrivalUs) {
    probe.firstArrivalUs = arrivalUs;
    probe.firstArrivalBytes = sizeBytes;
  }
  if (arrivalUs > probe.lastArrivalUs) probe.lastArrivalUs = arrivalUs;
}

/** All that the sender sent has been told of, most of it received. */
function isComplete({ cluster, packets, bytes, receivedPackets, receivedBytes }: OpenProbe): boolean {
  return (
    packets >= cluster.minPackets &&
    bytes >= cluster.minBytes &&
    receivedPackets >= packets * MIN_RECEIVED_PART &&
    receivedBytes >= bytes * MIN_RECEIVED_PART
  );
}

function toResult(probe: OpenProbe, path: PathKnowledge): ProbeResult | undefined {
  const sendUs = probe.lastSentUs - probe.firstSentUs;
  const arrivalUs = probe.lastArrivalUs - probe.firstArrivalUs;
  if (sendUs <= 0 || arrivalUs <= 0 || sendUs > MAX_PROBE_US || arrivalUs > MAX_PROBE_US) return undefined;
  // The last packet was sent after the time that is covered, the first one arrived before it.
  const sendBps = ((probe.bytes - probe.lastSentBytes) * 8e6) / sendUs;
  const arrivalBps = ((probe.bytes - probe.firstArrivalBytes) * 8e6) / arrivalUs;
  if (arrivalBps > sendBps * MAX_SPEEDUP) return undefined;
  // No later at the end than without a queue: nothing waited, and packets of different sizes cannot make it look so.
  const firstDelayUs = probe.firstArrivalUs - probe.firstSentUs;
  const lastDelayUs = probe.lastArrivalUs - probe.lastSentUs;
  const grownUs = lastDelayUs - Math.min(firstDelayUs, path.baseDelayUs ?? firstDelayUs);
  const hasWaited = grownUs > sendUs * (1 - FULL_PART) + NOISE_US;
  const carriedPart = carriedPartOf(probe, path.inherentLoss);
  const carriedBps = (hasWaited ? Math.min(sendBps, arrivalBps) : sendBps) * carriedPart;
  const isLinkFull = carriedBps < sendBps * FULL_PART && (hasWaited || carriedPart < 1);
  return { clusterId: probe.cluster.id, bitrateBps: isLinkFull ? carriedBps * KEPT_PART : carriedBps, isLinkFull };
}

/** Much more loss than the path has by nature is the doing of the probe: what was dropped was not carried. */
function carriedPartOf({ packets, receivedPackets, bytes, receivedBytes }: OpenProbe, inherentLoss: number): number {
  const receivedPart = receivedBytes / bytes;
  const isDropped = packets - receivedPackets >= MIN_DROPPED && 1 - receivedPart > inherentLoss + MAX_CHANCE_LOSS;
  return isDropped ? Math.min(1, receivedPart / (1 - inherentLoss)) : 1;
}
