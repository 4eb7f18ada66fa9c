import type { Track } from '../../codec/track.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import type { AudioFraming, FrameFacts } from '../elementary/audio-framing.ts';
import { audioTrack, type ElementaryReader, type UnitTimes } from './elementary-reader.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Audio whose frames have headers (ADTS, MPEG audio, AC-3): finds them in PES payloads, of which one may hold many frames or
 * parts of them. The time of a PES packet belongs to the first frame that begins in it; those after it follow by their
 * durations.
 */
export class FramedAudioReader implements ElementaryReader {
  readonly #framing: AudioFraming;
  readonly #trackId: number;
  /** The beginning of a frame that goes on in the next payload: less than one frame. */
  #rest: Uint8Array = NO_BYTES;
  #baseUs: number | undefined;
  #samples = 0;
  #format: number | undefined;
  #track: Track | undefined;

  constructor(framing: AudioFraming, trackId: number) {
    this.#framing = framing;
    this.#trackId = trackId;
  }

  get track(): Track | undefined {
    return this.#track;
  }

  reset(): void {
    this.#rest = NO_BYTES;
    this.#baseUs = undefined;
  }

  push(payload: Uint8Array, times: UnitTimes | undefined, events: TsDemuxEvent[]): void {
    const boundary = this.#rest.length;
    let bytes = payload;
    if (boundary > 0) {
      bytes = new Uint8Array(boundary + payload.length);
      bytes.set(this.#rest);
      bytes.set(payload, boundary);
    }
    let pending = times?.ptsUs;
    let isBroken = false;
    let at = 0;
    while (bytes.length - at >= this.#framing.headerBytes) {
      const facts = this.#framing.facts(bytes, at);
      if (facts === undefined) {
        isBroken = true;
        const next = bytes.indexOf(this.#framing.syncByte, at + 1);
        at = next < 0 ? bytes.length : next;
        continue;
      }
      if (facts.sizeBytes > bytes.length - at) break;
      if (pending !== undefined && at >= boundary) {
        this.#baseUs = pending;
        this.#samples = 0;
        pending = undefined;
      }
      this.#frame(facts, bytes.subarray(at, at + facts.sizeBytes), events);
      at += facts.sizeBytes;
    }
    this.#rest = at < bytes.length ? bytes.slice(at) : NO_BYTES;
    // The time of a frame whose start is all that came of this payload must wait for it.
    if (pending !== undefined && at >= boundary && this.#rest.length > 0) {
      this.#baseUs = pending;
      this.#samples = 0;
    }
    if (isBroken) events.push({ type: 'malformed', reason: 'bad-audio-frame' });
  }

  #frame(facts: FrameFacts, frame: Uint8Array, events: TsDemuxEvent[]): void {
    if (facts.samples === 0) {
      events.push({ type: 'ignored', reason: 'unusual-audio-frame' });
      return;
    }
    if (this.#baseUs === undefined) {
      events.push({ type: 'ignored', reason: 'frame-without-time' });
      return;
    }
    if (this.#format !== facts.format || this.#track?.codec !== facts.codec) this.#configure(facts, frame, events);
    if (this.#track === undefined) {
      events.push({ type: 'ignored', reason: 'unusual-audio-frame' });
      return;
    }
    const timeUs = this.#baseUs + Math.round((this.#samples * 1_000_000) / facts.sampleRate);
    this.#samples += facts.samples;
    const payload = frame.subarray(facts.payloadOffset);
    if (payload.length === 0) return;
    events.push({
      type: 'frame',
      frame: { track: this.#track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload },
    });
  }

  #configure(facts: FrameFacts, frame: Uint8Array, events: TsDemuxEvent[]): void {
    this.#format = facts.format;
    const config = this.#framing.config(frame);
    if (config === undefined) {
      this.#track = undefined;
      return;
    }
    const before = this.#track;
    const isSame = before?.codec === facts.codec && config.length > 0 && equalBytes(config, before.config);
    if (isSame) return;
    this.#track = audioTrack(this.#trackId, facts.codec, config, frame);
    events.push({ type: 'track', track: this.#track });
  }
}
