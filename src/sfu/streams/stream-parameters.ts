/** What is agreed on about one RTP stream, with the names `dump()` shows it under. */
export interface StreamParameters {
  /** Which of its producer's or consumer's encodings it is, from 0. */
  readonly encodingIdx: number;
  readonly ssrc: number;
  readonly payloadType: number;
  /** `video/VP8`, `audio/opus`, … */
  readonly mimeType: string;
  /** Timestamp units a second. */
  readonly clockRate: number;
  readonly rid?: string;
  readonly cname: string;
  readonly rtxSsrc?: number;
  readonly rtxPayloadType?: number;
  readonly useNack: boolean;
  readonly usePli: boolean;
  readonly useFir: boolean;
  readonly useInBandFec: boolean;
  readonly useDtx: boolean;
  /** At least 1. */
  readonly spatialLayers: number;
  /** At least 1. */
  readonly temporalLayers: number;
}

/** Retransmissions of a stream (RFC 4588) as `dump()` shows them. */
export interface RtxStreamDump {
  readonly params: {
    readonly ssrc: number;
    readonly payloadType: number;
    readonly mimeType: string;
    readonly clockRate: number;
    readonly rrid?: string;
    readonly cname: string;
  };
}

/** An RTP stream as `dump()` of producers and consumers shows it. */
export interface RtpStreamDump {
  readonly params: StreamParameters;
  /** 0–10. */
  readonly score: number;
  readonly rtxStream?: RtxStreamDump;
}

/** Whether sound or pictures, by its MIME type. */
export function mediaKindOf(params: StreamParameters): 'audio' | 'video' {
  return params.mimeType.toLowerCase().startsWith('audio/') ? 'audio' : 'video';
}

/** What `dump()` shows of a stream. */
export function dumpStream(params: StreamParameters, score: number): RtpStreamDump {
  const { rtxSsrc, rtxPayloadType, rid, clockRate, cname } = params;
  if (rtxSsrc === undefined || rtxPayloadType === undefined) return { params: { ...params }, score };
  const mimeType = `${mediaKindOf(params)}/rtx`;
  const rtx = { ssrc: rtxSsrc, payloadType: rtxPayloadType, mimeType, clockRate, cname };
  return { params: { ...params }, score, rtxStream: { params: rid === undefined ? rtx : { ...rtx, rrid: rid } } };
}
