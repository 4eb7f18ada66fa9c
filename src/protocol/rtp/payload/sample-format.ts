import { sampleAudioDetails } from '../../../codec/sample-audio.ts';
import type { AudioCodec, Track } from '../../../codec/track.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { channelsParameter, isAudible, isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

/** An encoding of samples that all have the same size (RFC 3551 §4.2, §4.5). */
export interface SampleEncoding {
  readonly codec: AudioCodec;
  readonly encodingName: string;
  /** Bits of one channel during one unit of the RTP clock. */
  readonly bitsPerTick: number;
  /** Samples of one channel during one unit of the RTP clock: 1, but for G.722. */
  readonly samplesPerTick: number;
  /** Most channels; with more than one they are interleaved. */
  readonly maxChannels: number;
  /** Payload types that need no rtpmap, with the only clock rate and channels they are for. */
  readonly staticTypes: readonly {
    readonly payloadType: number;
    readonly clockRate: number;
    readonly channels: number;
  }[];
}

/** Smallest group of samples that fills whole bytes: bytes, and the RTP clock units it lasts. */
interface SampleGroup {
  readonly bytes: number;
  readonly ticks: number;
}

function groupOf(encoding: SampleEncoding, channels: number): SampleGroup {
  const bits = encoding.bitsPerTick * channels;
  // Samples of 20 bits fill whole bytes in pairs.
  return bits % 8 === 0 ? { bytes: bits / 8, ticks: 1 } : { bytes: bits / 4, ticks: 2 };
}

/** Cuts samples between two of them into packets that fit. The marker stays 0: nobody leaves silence out here. */
class SamplePacketizer implements Packetizer {
  readonly #group: SampleGroup;

  constructor(group: SampleGroup) {
    this.#group = group;
  }

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const { bytes, ticks } = this.#group;
    const groups = Math.floor(out.maxPayloadSize / bytes);
    if (groups === 0) return;
    const step = groups * bytes;
    let delta = 0;
    for (let at = 0; at < payload.length; at += step) {
      out.open(delta);
      out.raw(payload, at, Math.min(at + step, payload.length));
      out.close(false);
      delta += groups * ticks;
    }
  }
}

const NOTHING: readonly DepacketizedUnit[] = [];

/** Every packet is a unit: whole samples from its time on. */
class SampleDepacketizer implements Depacketizer {
  readonly #sampleBytes: number;
  dropped = 0;

  /** @param sampleBytes what the size of a payload is a multiple of; the rest behind it is left out */
  constructor(sampleBytes: number) {
    this.#sampleBytes = sampleBytes;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    const size = payload.length - (payload.length % this.#sampleBytes);
    if (size === 0) {
      this.dropped++;
      return NOTHING;
    }
    return [{ timestamp, payload: payload.slice(0, size), isKeyFrame: true }];
  }
}

/** The payload format of an encoding of samples. */
export function sampleFormat(encoding: SampleEncoding): PayloadFormat {
  const { codec, encodingName, samplesPerTick, maxChannels } = encoding;
  return {
    toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
      const { audio } = track;
      if (track.codec !== codec || audio === undefined || audio.channels < 1 || audio.channels > maxChannels) {
        return undefined;
      }
      const { channels } = audio;
      const clockRate = audio.sampleRate / samplesPerTick;
      if (!Number.isInteger(clockRate) || clockRate < 1) return undefined;
      const fixed = encoding.staticTypes.find((type) => type.clockRate === clockRate && type.channels === channels);
      return {
        payloadType: fixed?.payloadType ?? dynamicPayloadType,
        encodingName,
        clockRate,
        channels: channelsParameter(channels),
        parameters: NO_PARAMETERS,
      };
    },

    makePacketizer(track: Track): Packetizer {
      return new SamplePacketizer(groupOf(encoding, track.audio?.channels ?? 1));
    },

    toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
      const { clockRate, channels = 1 } = mapping;
      if (!isNamed(mapping, encodingName) || !isAudible(mapping) || channels > maxChannels) return undefined;
      const audio = sampleAudioDetails(codec, clockRate * samplesPerTick, channels);
      return { kind: 'audio', trackId, codec, config: new Uint8Array(0), audio };
    },

    makeDepacketizer(mapping: RtpMapping): Depacketizer {
      // An odd number of 20-bit samples ends in half a byte that belongs to it.
      const bits = encoding.bitsPerTick * (mapping.channels ?? 1);
      return new SampleDepacketizer(bits % 8 === 0 ? bits / 8 : 1);
    },
  };
}
