import { Dvi4State, MAX_DVI4_INDEX } from '../../../codec/dvi4/dvi4-state.ts';
import { sampleAudioDetails } from '../../../codec/sample-audio.ts';
import type { Track } from '../../../codec/track.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { isAudible, isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

const ENCODING_NAME = 'DVI4';

/** Static payload types by clock rate (RFC 3551 Table 4). */
const STATIC_TYPES: ReadonlyMap<number, number> = new Map([
  [8000, 5],
  [16_000, 6],
  [11_025, 16],
  [22_050, 17],
]);

const HEADER_BYTES = 4;
const SAMPLES_PER_BYTE = 2;

const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * DVI4 (RFC 3551 §4.5.1). A payload that does not fit is cut: the state in front of the later parts comes from decoding
 * the earlier ones.
 *
 *     predicted value(16) index(8) 0(8)   two samples in each byte, the first one high
 */
class Dvi4Packetizer implements Packetizer {
  readonly #state: Dvi4State = new Dvi4State();

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const step = out.maxPayloadSize - HEADER_BYTES;
    if (payload.length <= HEADER_BYTES || payload[2]! > MAX_DVI4_INDEX || step <= 0) return;
    const state = this.#state;
    state.predicted = (((payload[0]! << 8) | payload[1]!) << 16) >> 16;
    state.index = payload[2]!;
    for (let at = HEADER_BYTES; at < payload.length; at += step) {
      const end = Math.min(at + step, payload.length);
      out.open((at - HEADER_BYTES) * SAMPLES_PER_BYTE);
      out.u16(state.predicted & 0xffff);
      out.u8(state.index);
      out.u8(0);
      out.raw(payload, at, end);
      out.close(false);
      if (end === payload.length) return;
      for (let i = at; i < end; i++) {
        state.decode(payload[i]! >>> 4);
        state.decode(payload[i]! & 15);
      }
    }
  }
}

/** Every payload is a unit. */
class Dvi4Depacketizer implements Depacketizer {
  dropped = 0;

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    if (payload.length <= HEADER_BYTES || payload[2]! > MAX_DVI4_INDEX) {
      this.dropped++;
      return NOTHING;
    }
    return [{ timestamp, payload: payload.slice(), isKeyFrame: true }];
  }
}

/** DVI4 of one channel: how several would be packed was never settled. Static payload types 5, 6, 16 and 17. */
export const DVI4_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    const { audio } = track;
    if (track.codec !== 'dvi4' || audio?.channels !== 1 || audio.sampleRate < 1) return undefined;
    return {
      payloadType: STATIC_TYPES.get(audio.sampleRate) ?? dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: audio.sampleRate,
      parameters: NO_PARAMETERS,
    };
  },

  makePacketizer(): Packetizer {
    return new Dvi4Packetizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME) || !isAudible(mapping) || (mapping.channels ?? 1) !== 1) return undefined;
    const audio = sampleAudioDetails('dvi4', mapping.clockRate, 1);
    return { kind: 'audio', trackId, codec: 'dvi4', config: new Uint8Array(0), audio };
  },

  makeDepacketizer(): Depacketizer {
    return new Dvi4Depacketizer();
  },
};
