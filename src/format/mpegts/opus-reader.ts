import { writeOpusHead } from '../../codec/opus/opus-head.ts';
import { opusPacketDurationUs } from '../../codec/opus/opus-packet.ts';
import type { Track } from '../../codec/track.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { audioTrack, type ElementaryReader, type UnitTimes } from './elementary-reader.ts';
import { readOpusPacket } from './opus-access-unit.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';

/** Opus: each PES payload holds whole packets behind control headers ("Opus in MPEG-TS"). */
export class OpusReader implements ElementaryReader {
  readonly #trackId: number;
  readonly #channels: number;
  #track: Track | undefined;

  /** @param channels 1 or 2: the layouts that a channel count alone describes */
  constructor(trackId: number, channels: number) {
    this.#trackId = trackId;
    this.#channels = channels;
  }

  get track(): Track | undefined {
    return this.#track;
  }

  reset(): void {
    // Each payload stands for itself.
  }

  push(payload: Uint8Array, times: UnitTimes | undefined, events: TsDemuxEvent[]): void {
    if (times === undefined) {
      events.push({ type: 'ignored', reason: 'frame-without-time' });
      return;
    }
    const reader = new ByteReader(payload);
    let timeUs = times.ptsUs;
    while (reader.remaining > 0) {
      const packet = readOpusPacket(reader);
      const durationUs = packet && opusPacketDurationUs(packet);
      if (packet === undefined || durationUs === undefined) {
        events.push({ type: 'malformed', reason: 'bad-opus-packet' });
        return;
      }
      const track = this.#track ?? this.#begin(packet, events);
      events.push({ type: 'frame', frame: { track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload: packet } });
      timeUs += durationUs;
    }
  }

  #begin(packet: Uint8Array, events: TsDemuxEvent[]): Track {
    const channels = this.#channels;
    const head = { channels, preSkip: 0, inputSampleRate: 48_000, outputGain: 0, mappingFamily: 0 };
    const track = audioTrack(this.#trackId, 'opus', writeOpusHead(head), packet);
    this.#track = track;
    events.push({ type: 'track', track });
    return track;
  }
}
