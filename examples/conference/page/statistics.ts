/** Rates, from counters that are read now and then. */
import type { Consumer, Producer } from 'mediasoup-client/types';
import { layersOf, type RemoteTrack } from './call.ts';

interface Counters {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  /** Largest picture, pixels. */
  readonly width: number;
  readonly height: number;
}

/** One line for each track, which says what has happened since the last. */
export class Statistics {
  readonly #last = new WeakMap<Consumer | Producer, Counters>();

  async ofRemote({ consumer, layers, paused }: RemoteTrack): Promise<string> {
    if (paused) return 'paused';
    const { now, kbps, lossPercent } = await this.#read(consumer);
    const { spatial, temporal } = layersOf(consumer);
    const layer =
      layers === null || spatial * temporal === 1
        ? []
        : [`size ${layers.spatialLayer + 1}/${spatial}, rate ${(layers.temporalLayer ?? 0) + 1}/${temporal}`];
    return [...pictureOf(now), `${kbps} kb/s`, ...layer, `${lossPercent} % lost`].join(' · ');
  }

  async ofOwn(producer: Producer): Promise<string> {
    const { now, kbps } = await this.#read(producer);
    return [...pictureOf(now), `${kbps} kb/s sent`].join(' · ');
  }

  async #read(of: Consumer | Producer): Promise<{ now: Counters; kbps: number; lossPercent: string }> {
    const now = countersOf(await of.getStats());
    const last = this.#last.get(of) ?? now;
    this.#last.set(of, now);
    const packets = now.packets - last.packets;
    // Repaired packets lower the count of lost ones.
    const lost = Math.max(0, now.lost - last.lost);
    const elapsedMs = now.atMs - last.atMs;
    return {
      now,
      kbps: elapsedMs > 0 ? Math.round((8 * (now.bytes - last.bytes)) / elapsedMs) : 0,
      lossPercent: ((100 * lost) / Math.max(1, packets + lost)).toFixed(1),
    };
  }
}

function pictureOf({ width, height }: Counters): string[] {
  return width === 0 ? [] : [`${width}×${height}`];
}

function countersOf(report: RTCStatsReport): Counters {
  const total = { atMs: performance.now(), bytes: 0, packets: 0, lost: 0, width: 0, height: 0 };
  for (const entry of report.values() as Iterable<Record<string, number | string>>) {
    if (entry['type'] !== 'inbound-rtp' && entry['type'] !== 'outbound-rtp') continue;
    total.bytes += Number(entry['bytesReceived'] ?? entry['bytesSent'] ?? 0);
    total.packets += Number(entry['packetsReceived'] ?? entry['packetsSent'] ?? 0);
    total.lost += Number(entry['packetsLost'] ?? 0);
    if (Number(entry['frameWidth'] ?? 0) > total.width) {
      total.width = Number(entry['frameWidth']);
      total.height = Number(entry['frameHeight']);
    }
  }
  return total;
}
