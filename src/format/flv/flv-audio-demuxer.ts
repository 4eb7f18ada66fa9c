import type { AudioCodec } from '../../codec/track.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import {
  AUDIO_CODEC_BY_FOURCC,
  AudioPacketType,
  LEGACY_CODED_FRAME,
  LEGACY_SEQUENCE_HEADER,
  OPAQUE_AUDIO_BY_FORMAT,
  SOUND_FORMAT_AAC,
  SOUND_FORMAT_ENHANCED,
  SOUND_FORMAT_G711A,
  SOUND_FORMAT_G711U,
  SOUND_FORMAT_MP3,
} from './flv-codecs.tables.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';
import { readModEx, splitTracks, type TrackPart } from './flv-enhanced-header.ts';
import { FlvTrackTable } from './flv-track-table.ts';

/** Audio tags (FLV v10.1 §E.4.2, Enhanced RTMP v2 "Enhancing Audio") to tracks and frames. */
export class FlvAudioDemuxer {
  readonly #tracks: FlvTrackTable = new FlvTrackTable('audio');

  /** Appends to `events` what the tag body tells. Payloads are views into `body`. */
  demux(timestampMs: number, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const first = body[0];
    if (first === undefined) {
      events.push({ type: 'ignored', reason: 'empty-message' });
      return;
    }
    const dtsUs = timestampMs * 1000;
    const soundFormat = first >>> 4;
    switch (soundFormat) {
      case SOUND_FORMAT_AAC:
        this.#aac(dtsUs, body, events);
        return;
      case SOUND_FORMAT_MP3:
        this.#frame('mp3', 0, dtsUs, body.subarray(1), events);
        return;
      case SOUND_FORMAT_G711A:
        this.#g711('g711a', dtsUs, body, events);
        return;
      case SOUND_FORMAT_G711U:
        this.#g711('g711u', dtsUs, body, events);
        return;
      case SOUND_FORMAT_ENHANCED:
        this.#enhanced(first & 0x0f, dtsUs, body, events);
        return;
      default: {
        const codec = OPAQUE_AUDIO_BY_FORMAT.get(soundFormat);
        if (codec === undefined) events.push({ type: 'ignored', reason: 'unknown-audio-codec' });
        else this.#frame(codec, 0, dtsUs, body, events);
      }
    }
  }

  /**
   * ```
   * | 10 (4) | SoundRate (2) | SoundSize (1) | SoundType (1) | AACPacketType (8) | data |
   * ```
   */
  #aac(dtsUs: number, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const packetType = body[1];
    if (packetType === LEGACY_CODED_FRAME) this.#frame('aac', 0, dtsUs, body.subarray(2), events);
    else if (packetType === LEGACY_SEQUENCE_HEADER) events.push(this.#tracks.configure(0, 'aac', body.subarray(2)));
    else if (packetType === undefined) events.push({ type: 'malformed', reason: 'truncated-header' });
    else events.push({ type: 'ignored', reason: 'unknown-packet-type' });
  }

  /**
   * ```
   * | 7 or 8 (4) | SoundRate (2) | SoundSize (1) | SoundType (1) | samples |
   * ```
   *
   * The rate is 8 kHz: SoundRate has no value for it, and encoders write any.
   */
  #g711(codec: 'g711a' | 'g711u', dtsUs: number, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const payload = body.subarray(1);
    if (payload.length === 0) {
      events.push({ type: 'ignored', reason: 'empty-message' });
      return;
    }
    const track = this.#tracks.forSamples(codec, (body[0]! & 1) + 1, events);
    events.push({ type: 'frame', frame: { track, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload } });
  }

  /**
   * ```
   * | 9 (4) | PacketType (4) | ModEx … | multitrack (8)? | FourCC | tracks … |
   * ```
   */
  #enhanced(packetType: number, dtsUs: number, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const reader = new ByteReader(body, 1);
    const modEx = readModEx(reader, packetType, AudioPacketType.modEx);
    if (modEx === undefined) {
      events.push({ type: 'malformed', reason: 'truncated-mod-ex' });
      return;
    }
    let type = modEx.packetType;
    let multitrackType: number | undefined;
    if (type === AudioPacketType.multitrack) {
      const byte = reader.u8();
      multitrackType = byte >>> 4;
      type = byte & 0x0f;
      if (type === AudioPacketType.multitrack) {
        events.push({ type: 'malformed', reason: 'nested-multitrack' });
        return;
      }
    }
    const split = splitTracks(reader, multitrackType);
    for (const part of split.parts) this.#part(type, part, dtsUs + modEx.offsetUs, events);
    if (split.ignored !== undefined) events.push({ type: 'ignored', reason: split.ignored });
    if (split.malformed !== undefined) events.push({ type: 'malformed', reason: split.malformed });
  }

  #part(packetType: number, part: TrackPart, dtsUs: number, events: FlvDemuxEvent[]): void {
    const codec = AUDIO_CODEC_BY_FOURCC.get(part.fourCc);
    if (codec === undefined) {
      events.push({ type: 'ignored', reason: 'unknown-audio-codec' });
      return;
    }
    switch (packetType) {
      case AudioPacketType.codedFrames:
        this.#frame(codec, part.trackId, dtsUs, part.bytes, events);
        return;
      case AudioPacketType.sequenceStart:
        events.push(this.#tracks.configure(part.trackId, codec, part.bytes));
        return;
      case AudioPacketType.sequenceEnd: {
        const track = this.#tracks.get(part.trackId);
        if (track === undefined) events.push({ type: 'ignored', reason: 'frame-before-config' });
        else events.push({ type: 'end-of-sequence', track });
        return;
      }
      case AudioPacketType.multichannelConfig:
        events.push({ type: 'ignored', reason: 'multichannel-config' });
        return;
      default:
        events.push({ type: 'ignored', reason: 'unknown-packet-type' });
    }
  }

  #frame(codec: AudioCodec, trackId: number, dtsUs: number, payload: Uint8Array, events: FlvDemuxEvent[]): void {
    if (payload.length === 0) {
      events.push({ type: 'ignored', reason: 'empty-message' });
      return;
    }
    const track = this.#tracks.forFrame(trackId, codec, payload, true, events);
    if (track === undefined) return;
    events.push({ type: 'frame', frame: { track, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload } });
  }
}
