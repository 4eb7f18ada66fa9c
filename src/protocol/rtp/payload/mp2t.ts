import type { Track } from '../../../codec/track.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

const ENCODING_NAME = 'MP2T';
const PAYLOAD_TYPE = 33;
const CLOCK_RATE = 90_000;

/** Bytes of a transport packet, and what each begins with (ISO/IEC 13818-1 §2.4.3.2). */
const TS_PACKET_BYTES = 188;
const SYNC_BYTE = 0x47;

/** Most transport packets put into one payload: what everybody sends, 1,316 bytes. */
const MAX_TS_PACKETS = 7;

const NOTHING: readonly DepacketizedUnit[] = [];

/** Whole transport packets, up to seven a payload (RFC 2250 §2); what is no whole packet at the end is left out. */
class Mp2tPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const step = Math.min(MAX_TS_PACKETS, Math.floor(out.maxPayloadSize / TS_PACKET_BYTES)) * TS_PACKET_BYTES;
    if (step === 0) return;
    const end = payload.length - (payload.length % TS_PACKET_BYTES);
    for (let at = 0; at < end; at += step) {
      out.open();
      out.raw(payload, at, Math.min(at + step, end));
      out.close(false);
    }
  }
}

/** Every payload is a unit: its whole transport packets up to the first that does not begin as one. */
class Mp2tDepacketizer implements Depacketizer {
  dropped = 0;

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    let end = 0;
    while (end + TS_PACKET_BYTES <= payload.length && payload[end] === SYNC_BYTE) end += TS_PACKET_BYTES;
    if (end < payload.length) this.dropped++;
    return end === 0 ? NOTHING : [{ timestamp, payload: payload.slice(0, end), isKeyFrame: true }];
  }
}

/** MPEG-2 transport streams (RFC 2250 §2), static payload type 33. */
export const MP2T_FORMAT: PayloadFormat = {
  toMapping(track: Track): RtpMapping | undefined {
    if (track.codec !== 'mp2t') return undefined;
    return { payloadType: PAYLOAD_TYPE, encodingName: ENCODING_NAME, clockRate: CLOCK_RATE, parameters: NO_PARAMETERS };
  },

  makePacketizer(): Packetizer {
    return new Mp2tPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    return { kind: 'video', trackId, codec: 'mp2t', config: new Uint8Array(0) };
  },

  makeDepacketizer(): Depacketizer {
    return new Mp2tDepacketizer();
  },
};
