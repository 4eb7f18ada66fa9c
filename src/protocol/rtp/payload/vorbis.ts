import type { Track } from '../../../codec/track.ts';
import { audioDetails } from '../../../codec/track-details.ts';
import {
  emptyVorbisComment,
  isLongVorbisBlock,
  isVorbisHeaders,
  parseVorbisIdentification,
  parseVorbisModes,
} from '../../../codec/vorbis/vorbis-headers.ts';
import { parseXiphLacing, writeXiphLacing } from '../../../codec/xiph/xiph-lacing.ts';
import { fromBase64, toBase64 } from '../../../wire/base64.ts';
import type { Depacketizer } from './depacketizer.ts';
import { channelsParameter, isAudible, isNamed } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { type XiphCodec, XiphDepacketizer } from './xiph-depacketizer.ts';
import {
  type PackedHeaders,
  parseXiphConfigurations,
  writeXiphConfiguration,
  xiphIdent,
} from './xiph-packed-headers.ts';
import { XiphPacketizer } from './xiph-packetizer.ts';

const ENCODING_NAME = 'VORBIS';
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Longest comment header sent along: pictures of albums are not for SDP. */
const MAX_COMMENT_BYTES = 4096;

/** The three headers as they are sent. */
function headersOf(track: Track): readonly Uint8Array[] | undefined {
  const headers = track.codec === 'vorbis' ? parseXiphLacing(track.config) : undefined;
  if (headers === undefined || !isVorbisHeaders(headers)) return undefined;
  return headers[1]!.length <= MAX_COMMENT_BYTES ? headers : headers.with(1, emptyVorbisComment());
}

/** `Track.config` of headers as they were received, of which the comment may be missing. */
function toConfig(headers: readonly Uint8Array[]): Uint8Array | undefined {
  const setup = headers.at(-1);
  if (headers.length < 2 || setup === undefined) return undefined;
  const comment = headers.length > 2 && headers[1]!.length > 0 ? headers[1]! : emptyVorbisComment();
  const all = [headers[0]!, comment, setup];
  return isVorbisHeaders(all) ? writeXiphLacing(all) : undefined;
}

/** The configurations of SDP, whole or not; none when it does not tell any. */
function configurationsOf(mapping: RtpMapping): readonly PackedHeaders[] {
  const bytes = fromBase64(mapping.parameters.get('configuration') ?? '');
  return bytes === undefined ? [] : parseXiphConfigurations(bytes);
}

/** How long packets last: a quarter of the block before and a quarter of its own (Vorbis I §1.3.2). */
class VorbisCodec implements XiphCodec {
  #modes: readonly boolean[] = [];
  #blockSizes: readonly [number, number] = [0, 0];
  /** Size of the block before; 0 when it is not known. */
  #before = 0;

  toConfig(headers: readonly Uint8Array[]): Uint8Array | undefined {
    return toConfig(headers);
  }

  begin(config: Uint8Array): void {
    const [identification, , setup] = parseXiphLacing(config) ?? [];
    this.#modes = (setup && parseVorbisModes(setup)) ?? [];
    this.#blockSizes = (identification && parseVorbisIdentification(identification)?.blockSizes) ?? [0, 0];
    this.#before = 0;
  }

  skip(): void {
    this.#before = 0;
  }

  ticks(packet: Uint8Array): number {
    const isLong = isLongVorbisBlock(packet, this.#modes);
    if (isLong === undefined) return 0;
    const size = this.#blockSizes[isLong ? 1 : 0];
    const before = this.#before === 0 ? size : this.#before;
    this.#before = size;
    return (before + size) / 4;
  }

  isKeyFrame(): boolean {
    return true;
  }
}

/** Vorbis (RFC 5215). The headers go in SDP, as `configuration`; in band they are received only. */
export const VORBIS_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    const headers = headersOf(track);
    const identification = headers && parseVorbisIdentification(headers[0]!);
    const configuration = headers && writeXiphConfiguration({ ident: xiphIdent(headers), headers });
    if (identification === undefined || configuration === undefined) return undefined;
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: identification.sampleRate,
      channels: channelsParameter(identification.channels),
      parameters: new Map([['configuration', toBase64(configuration)]]),
    };
  },

  makePacketizer(track: Track): Packetizer {
    return new XiphPacketizer(xiphIdent(headersOf(track) ?? []));
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME) || !isAudible(mapping)) return undefined;
    let config: Uint8Array | undefined;
    for (const { headers } of configurationsOf(mapping)) config ??= toConfig(headers);
    const audio = config && audioDetails('vorbis', config);
    return { kind: 'audio', trackId, codec: 'vorbis', config: config ?? NO_BYTES, ...(audio && { audio }) };
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    return new XiphDepacketizer(new VorbisCodec(), configurationsOf(mapping));
  },
};
