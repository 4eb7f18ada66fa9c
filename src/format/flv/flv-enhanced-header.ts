import type { ByteReader } from '../../wire/byte-reader.ts';
import { MultitrackType } from './flv-codecs.tables.ts';
import type { FlvIgnoredReason, FlvMalformedReason } from './flv-demux-event.ts';

/** ModEx type TimestampOffsetNano of Enhanced RTMP v2, the only one defined. */
const MOD_EX_TIMESTAMP_OFFSET_NANO = 0;
/** A nanosecond offset stays below one millisecond; larger ones are taken as this. */
export const MAX_NANOSECOND_OFFSET = 999_999;

/**
 * Reads the ModEx chain (Enhanced RTMP v2, "ExVideoTagHeader"/"ExAudioTagHeader") that begins when `packetType` is
 * `modEx`:
 *
 * ```
 * | size-1 (8) | if size = 256: size-1 (16) | data (size) | ModEx type (4) | next packet type (4) |  … repeated while ModEx
 * ```
 *
 * Unknown ModEx types are skipped. Returns `undefined` when the chain runs past the end. The chain is bounded by the
 * body: each link takes at least three bytes.
 */
export function readModEx(
  reader: ByteReader,
  packetType: number,
  modExPacketType: number,
): { readonly packetType: number; readonly offsetUs: number } | undefined {
  let type = packetType;
  let offsetUs = 0;
  while (type === modExPacketType) {
    let size = reader.u8() + 1;
    if (size === 256) size = reader.u16() + 1;
    const data = reader.view(size);
    const next = reader.u8();
    if (reader.overrun) return undefined;
    if (next >>> 4 === MOD_EX_TIMESTAMP_OFFSET_NANO && data.length >= 3) {
      const nanoseconds = (data[0]! << 16) | (data[1]! << 8) | data[2]!;
      offsetUs = Math.round(Math.min(nanoseconds, MAX_NANOSECOND_OFFSET) / 1000);
    }
    type = next & 0x0f;
  }
  return { packetType: type, offsetUs };
}

/** One track's share of an enhanced tag. */
export interface TrackPart {
  readonly fourCc: number;
  readonly trackId: number;
  /** A view into the tag body: from after the FourCC or track header to the track's end. */
  readonly bytes: Uint8Array;
}

/**
 * Splits what follows an enhanced header into its tracks (Enhanced RTMP v2, multitrack):
 *
 * ```
 * single:                 | FourCC | body … |
 * OneTrack:               | FourCC | trackId (8) | body … |
 * ManyTracks:             | FourCC | { trackId (8) | size (24) | body } … |
 * ManyTracksManyCodecs:   { FourCC | trackId (8) | size (24) | body } … |
 * ```
 *
 * On a fault the tracks before it are returned with it.
 */
export function splitTracks(
  reader: ByteReader,
  multitrackType: number | undefined,
): {
  readonly parts: readonly TrackPart[];
  readonly ignored?: FlvIgnoredReason;
  readonly malformed?: FlvMalformedReason;
} {
  const parts: TrackPart[] = [];
  let fourCc = multitrackType === MultitrackType.manyTracksManyCodecs ? 0 : reader.u32();
  if (reader.overrun) return { parts, malformed: 'truncated-header' };
  if (multitrackType === undefined) {
    parts.push({ fourCc, trackId: 0, bytes: reader.view(reader.remaining) });
    return { parts };
  }
  if (multitrackType > MultitrackType.manyTracksManyCodecs) return { parts, ignored: 'unknown-multitrack-type' };
  if (multitrackType === MultitrackType.oneTrack) {
    const trackId = reader.u8();
    if (reader.overrun) return { parts, malformed: 'truncated-multitrack' };
    parts.push({ fourCc, trackId, bytes: reader.view(reader.remaining) });
    return { parts };
  }
  while (reader.remaining > 0) {
    if (multitrackType === MultitrackType.manyTracksManyCodecs) fourCc = reader.u32();
    const trackId = reader.u8();
    const bytes = reader.view(reader.u24());
    if (reader.overrun) return { parts, malformed: 'truncated-multitrack' };
    parts.push({ fourCc, trackId, bytes });
  }
  return { parts };
}
