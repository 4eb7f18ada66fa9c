import {
  emptyTheoraComment,
  isTheoraHeaders,
  isTheoraKeyFrame,
  parseTheoraIdentification,
  type TheoraIdentification,
} from '../../../codec/theora/theora-headers.ts';
import type { Track } from '../../../codec/track.ts';
import { parseXiphLacing, writeXiphLacing } from '../../../codec/xiph/xiph-lacing.ts';
import { fromBase64, toBase64 } from '../../../wire/base64.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';
import { type XiphCodec, XiphDepacketizer } from './xiph-depacketizer.ts';
import {
  type PackedHeaders,
  parseXiphConfigurations,
  writeXiphConfiguration,
  xiphIdent,
} from './xiph-packed-headers.ts';
import { XiphPacketizer } from './xiph-packetizer.ts';

const ENCODING_NAME = 'THEORA';
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Longest comment header sent along. */
const MAX_COMMENT_BYTES = 4096;

/** `sampling` by pixel format. */
const SAMPLINGS: ReadonlyMap<number, string> = new Map([
  [0, 'YCbCr-4:2:0'],
  [2, 'YCbCr-4:2:2'],
  [3, 'YCbCr-4:4:4'],
]);

/** The three headers as they are sent. */
function headersOf(track: Track): readonly Uint8Array[] | undefined {
  const headers = track.codec === 'theora' ? parseXiphLacing(track.config) : undefined;
  if (headers === undefined || !isTheoraHeaders(headers)) return undefined;
  return headers[1]!.length <= MAX_COMMENT_BYTES ? headers : headers.with(1, emptyTheoraComment());
}

/** `Track.config` of headers as they were received, of which the comment may be missing. */
function toConfig(headers: readonly Uint8Array[]): Uint8Array | undefined {
  const setup = headers.at(-1);
  if (headers.length < 2 || setup === undefined) return undefined;
  const comment = headers.length > 2 && headers[1]!.length > 0 ? headers[1]! : emptyTheoraComment();
  const all = [headers[0]!, comment, setup];
  return isTheoraHeaders(all) ? writeXiphLacing(all) : undefined;
}

/** The configurations of SDP, whole or not; none when it does not tell any. */
function configurationsOf(mapping: RtpMapping): readonly PackedHeaders[] {
  const bytes = fromBase64(mapping.parameters.get('configuration') ?? '');
  return bytes === undefined ? [] : parseXiphConfigurations(bytes);
}

/** Frames last as long as the identification header says. */
class TheoraCodec implements XiphCodec {
  #frameTicks = 0;

  toConfig(headers: readonly Uint8Array[]): Uint8Array | undefined {
    return toConfig(headers);
  }

  begin(config: Uint8Array): void {
    const identification = parseTheoraIdentification(parseXiphLacing(config)?.[0] ?? NO_BYTES);
    this.#frameTicks = identification === undefined ? 0 : frameTicks(identification);
  }

  skip(): void {
    // Each packet is a frame by itself.
  }

  ticks(): number {
    return this.#frameTicks;
  }

  isKeyFrame(packet: Uint8Array): boolean {
    return isTheoraKeyFrame(packet);
  }
}

function frameTicks({ frameRateNumerator, frameRateDenominator }: TheoraIdentification): number {
  return Math.round((VIDEO_CLOCK_RATE * frameRateDenominator) / frameRateNumerator);
}

/**
 * Theora (draft-ietf-avt-rtp-theora), packed like Vorbis (RFC 5215). The headers go in SDP, as `configuration`; in band
 * they are received only.
 */
export const THEORA_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    const headers = headersOf(track);
    const identification = headers && parseTheoraIdentification(headers[0]!);
    const configuration = headers && writeXiphConfiguration({ ident: xiphIdent(headers), headers });
    if (identification === undefined || configuration === undefined) return undefined;
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters: new Map([
        ['sampling', SAMPLINGS.get(identification.pixelFormat) ?? ''],
        ['width', String(identification.width)],
        ['height', String(identification.height)],
        ['delivery-method', 'inline'],
        ['configuration', toBase64(configuration)],
      ]),
    };
  },

  makePacketizer(track: Track): Packetizer {
    return new XiphPacketizer(xiphIdent(headersOf(track) ?? []));
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    let config: Uint8Array | undefined;
    for (const { headers } of configurationsOf(mapping)) config ??= toConfig(headers);
    return videoTrack(trackId, 'theora', config ?? NO_BYTES);
  },

  makeDepacketizer(mapping: RtpMapping): Depacketizer {
    return new XiphDepacketizer(new TheoraCodec(), configurationsOf(mapping));
  },
};
