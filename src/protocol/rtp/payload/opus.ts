import { parseOpusHead, writeOpusHead } from '../../../codec/opus/opus-head.ts';
import { isOpusPacketStereo, opusPacketDurationUs } from '../../../codec/opus/opus-packet.ts';
import { splitOpusFrames } from '../../../codec/opus/opus-packet-frames.ts';
import type { Track } from '../../../codec/track.ts';
import { audioDetails } from '../../../codec/track-details.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

const ENCODING_NAME = 'opus';
/** Always so, whatever is coded (RFC 7587 §4.1, §7). */
const CLOCK_RATE = 48_000;
const RTPMAP_CHANNELS = 2;
const US_PER_TICK = 1_000_000 / CLOCK_RATE;

const NOTHING: readonly DepacketizedUnit[] = [];

function headOf(channels: number): Uint8Array {
  return writeOpusHead({ channels, preSkip: 0, inputSampleRate: CLOCK_RATE, outputGain: 0, mappingFamily: 0 });
}

/**
 * An Opus packet is a payload as it is (RFC 7587 §4.2). One that does not fit goes as its frames, each a packet of its
 * own. The marker stays 0: it marks the end of a silence that was left out.
 */
class OpusPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    if (payload.length === 0) return;
    if (payload.length > out.maxPayloadSize) {
      writeFrames(payload, out);
      return;
    }
    out.open();
    out.raw(payload);
    out.close(false);
  }
}

function writeFrames(packet: Uint8Array, out: PayloadWriter): void {
  const frames = splitOpusFrames(packet);
  const durationUs = opusPacketDurationUs(packet);
  if (frames === undefined || durationUs === undefined) return;
  const ticks = durationUs / US_PER_TICK / frames.length;
  const toc = packet[0]! & 0xfc;
  frames.forEach((frame, i) => {
    if (frame.length >= out.maxPayloadSize) return;
    out.open(Math.round(i * ticks));
    out.u8(toc);
    out.raw(frame);
    out.close(false);
  });
}

/** Every payload is an Opus packet. Tells a new configuration once when a stream said to be mono turns out to be stereo. */
class OpusDepacketizer implements Depacketizer {
  #isStereo: boolean;
  dropped = 0;

  constructor(isStereo: boolean) {
    this.#isStereo = isStereo;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    if (opusPacketDurationUs(payload) === undefined) {
      this.dropped++;
      return NOTHING;
    }
    const isNews = !this.#isStereo && isOpusPacketStereo(payload);
    if (isNews) this.#isStereo = true;
    return [{ timestamp, payload: payload.slice(), isKeyFrame: true, ...(isNews && { config: headOf(2) }) }];
  }
}

/** Whether the sender says to send stereo; without a word of it mono is meant (RFC 7587 §7.1), until packets say else. */
function isStereo(mapping: RtpMapping): boolean {
  return mapping.parameters.get('sprop-stereo')?.trim() === '1';
}

/** Opus (RFC 7587) of one or two channels: more have no standard form. */
export const OPUS_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'opus') return undefined;
    const channels = parseOpusHead(track.config)?.channels ?? track.audio?.channels ?? 2;
    if (channels > 2) return undefined;
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: CLOCK_RATE,
      channels: RTPMAP_CHANNELS,
      parameters: new Map([['sprop-stereo', channels === 2 ? '1' : '0']]),
    };
  },

  makePacketizer(): Packetizer {
    return new OpusPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME) || mapping.clockRate !== CLOCK_RATE) return undefined;
    const config = headOf(isStereo(mapping) ? 2 : 1);
    const audio = audioDetails('opus', config);
    return { kind: 'audio', trackId, codec: 'opus', config, ...(audio && { audio }) };
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    return new OpusDepacketizer(isStereo(mapping));
  },
};
