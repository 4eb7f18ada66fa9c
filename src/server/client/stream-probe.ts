import { type Track, trackSlot } from '../../codec/track.ts';
import type { FlvDemuxEvent } from '../../format/flv/flv-demux-event.ts';
import type { TsDemuxEvent } from '../../format/mpegts/ts-demux-event.ts';
import { AmfDate, type AmfValue, AmfXml, isAmfPropertyBag } from '../../protocol/amf/amf-value.ts';
import type { AudioVideoReport, ProbeReport } from './probe-report.ts';
import { RunningSlope } from './running-statistics.ts';
import { round, TrackProbe } from './track-probe.ts';

/** Least time over which a drift is told, microseconds. */
const MIN_DRIFT_SPAN_US = 1_000_000;

/** Measures what a demuxer tells of a stream. Keeps no frames but the first and last of each track. */
export class StreamProbe {
  readonly #tracks = new Map<number, TrackProbe>();
  readonly #metadata = new Map<string, AmfValue>();
  readonly #ignored = new Map<string, number>();
  readonly #malformed = new Map<string, number>();
  readonly #distance = new RunningSlope();
  #firstDtsUs = Number.POSITIVE_INFINITY;
  #lastDtsUs = Number.NEGATIVE_INFINITY;
  #distanceFromUs: number | undefined;
  #distanceToUs = 0;

  /** Media time seen, microseconds. */
  get durationUs(): number {
    return Math.max(0, this.#lastDtsUs - this.#firstDtsUs);
  }

  /** Number of audio and video frames so far. */
  get frames(): number {
    let frames = 0;
    for (const probe of this.#tracks.values()) if (probe.track.kind !== 'data') frames += probe.frames;
    return frames;
  }

  get bytes(): number {
    let bytes = 0;
    for (const probe of this.#tracks.values()) bytes += probe.bytes;
    return bytes;
  }

  push(event: FlvDemuxEvent | TsDemuxEvent): void {
    switch (event.type) {
      case 'track':
      case 'repeated-config':
        this.#probeOf(event.track).track = event.track;
        break;
      case 'frame':
      case 'data': {
        const { frame } = event;
        const probe = this.#probeOf(frame.track);
        probe.track = frame.track;
        probe.push(frame);
        if (frame.track.kind === 'data') break;
        this.#firstDtsUs = Math.min(this.#firstDtsUs, frame.dtsUs);
        this.#lastDtsUs = Math.max(this.#lastDtsUs, frame.dtsUs);
        if (frame.track.kind === 'audio' && frame.track.trackId === 0) this.#measureDistance(frame.ptsUs);
        break;
      }
      case 'metadata':
        for (const [name, value] of event.values) this.#metadata.set(name, value);
        break;
      case 'ignored':
        count(this.#ignored, event.reason);
        break;
      case 'malformed':
        count(this.#malformed, event.reason);
        break;
      default:
      // The program clock and the end of a coded sequence say nothing of the tracks.
    }
  }

  report(source: Pick<ProbeReport, 'source' | 'container'>): ProbeReport {
    const durationUs = this.durationUs;
    return {
      version: 1,
      ...source,
      durationMs: round(durationUs / 1000, 3),
      bitrateBps: durationUs > 0 ? Math.round((this.bytes * 8_000_000) / durationUs) : null,
      tracks: [...this.#tracks.entries()].sort(([a], [b]) => a - b).map(([, probe]) => probe.report()),
      audioVideo: this.#audioVideo(),
      metadata: this.#metadata.size === 0 ? null : toPlainRecord(this.#metadata),
      ignored: Object.fromEntries(this.#ignored),
      malformed: Object.fromEntries(this.#malformed),
    };
  }

  #probeOf(track: Track): TrackProbe {
    const slot = trackSlot(track);
    let probe = this.#tracks.get(slot);
    if (probe === undefined) {
      probe = new TrackProbe(track);
      this.#tracks.set(slot, probe);
    }
    return probe;
  }

  #defaultTrack(kind: Track['kind']): TrackProbe | undefined {
    return [...this.#tracks.values()].find(({ track }) => track.kind === kind && track.trackId === 0);
  }

  /** How far audio is ahead of the video that came before it. */
  #measureDistance(audioPtsUs: number): void {
    const video = this.#defaultTrack('video');
    if (video === undefined || video.frames === 0) return;
    this.#distanceFromUs ??= audioPtsUs;
    this.#distanceToUs = audioPtsUs;
    this.#distance.push(audioPtsUs, audioPtsUs - video.newestPtsUs);
  }

  #audioVideo(): AudioVideoReport | null {
    const audioUs = this.#defaultTrack('audio')?.firstPtsUs;
    const videoUs = this.#defaultTrack('video')?.firstPtsUs;
    if (audioUs === undefined || videoUs === undefined) return null;
    const spanUs = this.#distanceToUs - (this.#distanceFromUs ?? this.#distanceToUs);
    const { slope } = this.#distance;
    const drift = spanUs < MIN_DRIFT_SPAN_US || slope === undefined ? null : round((slope * spanUs) / 1000, 3);
    return { offsetMs: round((audioUs - videoUs) / 1000, 3), driftMs: drift };
  }
}

function count(counters: Map<string, number>, reason: string): void {
  counters.set(reason, (counters.get(reason) ?? 0) + 1);
}

function toPlainRecord(values: ReadonlyMap<string, AmfValue>): Record<string, unknown> {
  return Object.fromEntries([...values].map(([name, value]) => [name, toPlain(value)]));
}

/** An AMF value in JSON's words; what JSON can't say is null. */
function toPlain(value: AmfValue): unknown {
  if (isAmfPropertyBag(value)) return toPlainRecord(value.properties);
  if (Array.isArray(value)) return value.map((item: AmfValue) => toPlain(item));
  if (value instanceof AmfDate) return Number.isFinite(value.unixMs) ? new Date(value.unixMs).toJSON() : null;
  if (value instanceof AmfXml) return value.text;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
