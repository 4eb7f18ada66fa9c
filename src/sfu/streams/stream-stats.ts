import { mediaKindOf, type StreamParameters } from './stream-parameters.ts';

/** What `getStats()` tells of a stream either way, with its names. */
interface CommonStreamStats {
  /** Milliseconds of the worker's clock. */
  readonly timestamp: number;
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly rid?: string;
  readonly kind: 'audio' | 'video';
  readonly mimeType: string;
  readonly packetsLost: number;
  /** Of the last report, in 1/256. */
  readonly fractionLost: number;
  /** In units of the payload's clock. */
  readonly jitter: number;
  readonly packetsDiscarded: number;
  readonly packetsRetransmitted: number;
  readonly packetsRepaired: number;
  /** NACK messages, and the packets they asked for. */
  readonly nackCount: number;
  readonly nackPacketCount: number;
  readonly pliCount: number;
  readonly firCount: number;
  /** Milliseconds; once it is known. */
  readonly roundTripTime?: number;
  /** With RTX. */
  readonly rtxPacketsDiscarded?: number;
  /** 0–10. */
  readonly score: number;
  readonly packetCount: number;
  /** Of whole packets. */
  readonly byteCount: number;
  /** Bits a second. */
  readonly bitrate: number;
}

/** A stream that is received. */
export interface InboundStreamStats extends CommonStreamStats {
  readonly type: 'inbound-rtp';
  /** Bits a second it takes to forward a layer, by `<spatial>.<temporal>`; nothing for streams of one layer. */
  readonly bitrateByLayer: Readonly<Record<string, number>>;
}

/** A stream that is sent. */
export interface OutboundStreamStats extends CommonStreamStats {
  readonly type: 'outbound-rtp';
}

/** What a stream itself counts. */
export type StreamCounts = Omit<
  CommonStreamStats,
  'ssrc' | 'rtxSsrc' | 'rid' | 'kind' | 'mimeType' | 'roundTripTime' | 'rtxPacketsDiscarded'
> & { readonly roundTripTime: number | undefined; readonly rtxPacketsDiscarded: number };

/** Counts with the names of their stream; what there is not is left out. */
export function toStreamStats(params: StreamParameters, counts: StreamCounts): CommonStreamStats {
  const { roundTripTime, rtxPacketsDiscarded, ...rest } = counts;
  const { ssrc, mimeType, rtxSsrc, rid } = params;
  return {
    ...rest,
    ssrc,
    kind: mediaKindOf(params),
    mimeType,
    ...(rtxSsrc === undefined ? {} : { rtxSsrc, rtxPacketsDiscarded }),
    ...(rid === undefined ? {} : { rid }),
    ...(roundTripTime === undefined ? {} : { roundTripTime }),
  };
}
