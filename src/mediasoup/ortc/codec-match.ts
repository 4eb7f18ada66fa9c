import type { RtpCodecParameterValues } from '../rtp-parameters.ts';
import { h264ProfileLevelIdForAnswer, isSameH264Profile } from './h264-profile.ts';

/** What capabilities and parameters of a codec have in common. */
export interface ComparableCodec {
  readonly mimeType: string;
  readonly clockRate: number;
  readonly channels?: number;
  parameters?: RtpCodecParameterValues;
}

export interface CodecMatchOptions {
  /** Also what belongs to the bitstream (profiles, packetization) must be the same. */
  readonly strict?: boolean;
  /** The first of the two gets the H.264 `profile-level-id` both agree on. */
  readonly modify?: boolean;
}

/** Both name the same codec: type, clock, channels, and with `strict` what else makes streams of it incompatible. */
export function matchCodecs(first: ComparableCodec, second: ComparableCodec, options: CodecMatchOptions = {}): boolean {
  const mimeType = first.mimeType.toLowerCase();
  if (mimeType !== second.mimeType.toLowerCase() || first.clockRate !== second.clockRate) return false;
  if (first.channels !== second.channels) return false;
  const a = first.parameters ?? {};
  const b = second.parameters ?? {};
  switch (mimeType) {
    case 'audio/multiopus':
      return a['num_streams'] === b['num_streams'] && a['coupled_streams'] === b['coupled_streams'];
    case 'video/h264':
      return options.strict !== true || matchH264(first, a, b, options.modify === true);
    case 'video/vp9':
      return options.strict !== true || isSameNumber(a, b, 'profile-id');
    default:
      return true;
  }
}

function matchH264(
  first: ComparableCodec,
  a: RtpCodecParameterValues,
  b: RtpCodecParameterValues,
  mustModify: boolean,
): boolean {
  if (!isSameNumber(a, b, 'packetization-mode') || !isSameH264Profile(a, b)) return false;
  if (!mustModify) return true;
  const { 'profile-level-id': _, ...others } = a;
  const agreed = h264ProfileLevelIdForAnswer(a, b);
  first.parameters = agreed === undefined ? others : { ...a, 'profile-level-id': agreed };
  return true;
}

/** Parameters that count as 0 when they are missing. Texts from SDP and numbers mean the same. */
function isSameNumber(a: RtpCodecParameterValues, b: RtpCodecParameterValues, name: string): boolean {
  return Number(a[name] ?? 0) === Number(b[name] ?? 0);
}

/** The codec carries retransmissions (RFC 4588). */
export function isRtxCodec(codec: { readonly mimeType: string }): boolean {
  return /.+\/rtx$/i.test(codec.mimeType);
}
