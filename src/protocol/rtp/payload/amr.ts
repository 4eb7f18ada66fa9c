import { type AmrCodec, amrSampleRate } from '../../../codec/amr/amr-frame.ts';
import { sampleAudioDetails } from '../../../codec/sample-audio.ts';
import type { Track } from '../../../codec/track.ts';
import { AmrDepacketizer } from './amr-depacketizer.ts';
import { AmrPacketizer } from './amr-packetizer.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed, parameterNumber } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';

/** Parameters that say more stands in packets than is read here (RFC 4867 §8.1). */
const UNREADABLE = ['crc', 'robust-sorting', 'interleaving'];

function amrFormat(codec: AmrCodec, encodingName: string): PayloadFormat {
  const clockRate = amrSampleRate(codec);
  return {
    toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
      if (track.codec !== codec || (track.audio?.channels ?? 1) !== 1) return undefined;
      const parameters = new Map([['octet-align', '1']]);
      return { payloadType: dynamicPayloadType, encodingName, clockRate, parameters };
    },

    makePacketizer(): Packetizer {
      return new AmrPacketizer(codec);
    },

    toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
      if (!isNamed(mapping, encodingName) || mapping.clockRate !== clockRate || (mapping.channels ?? 1) !== 1) {
        return undefined;
      }
      if (UNREADABLE.some((name) => (mapping.parameters.get(name)?.trim() ?? '0') !== '0')) return undefined;
      const audio = sampleAudioDetails(codec, clockRate, 1);
      return { kind: 'audio', trackId, codec, config: new Uint8Array(0), audio };
    },

    makeDepacketizer(mapping: RtpMapping): Depacketizer {
      return new AmrDepacketizer(codec, parameterNumber(mapping, 'octet-align', 0, 1) === 1);
    },
  };
}

/** AMR of one channel (RFC 4867). Sends octet-aligned; receives that and bandwidth-efficient. */
export const AMR_FORMAT: PayloadFormat = amrFormat('amr', 'AMR');

/** AMR-WB of one channel (RFC 4867). Sends octet-aligned; receives that and bandwidth-efficient. */
export const AMR_WB_FORMAT: PayloadFormat = amrFormat('amr-wb', 'AMR-WB');
