/** Message type ids (RTMP 1.0 §5.4, §6.2, §7.1). */
export const RTMP_MESSAGE_TYPE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** The chunk streams we send on: one for each kind of message, the same ones other servers use. */
export const RTMP_CHUNK_STREAM = {
  /** Protocol and user control messages; fixed by RTMP 1.0 §5.4. */
  control: 2,
  /** Commands of the connection: connect, createStream, `_result`. */
  connection: 3,
  /** Metadata and other data messages of a stream. */
  data: 4,
  /** Commands of a stream: onStatus, publish, play. */
  stream: 5,
  video: 6,
  audio: 7,
} as const;

/** Chunk size both sides start with (RTMP 1.0 §5.4.1). */
export const RTMP_DEFAULT_CHUNK_SIZE = 128;

/** A message put together from its chunks. */
export interface RtmpMessage {
  /** See `RTMP_MESSAGE_TYPE`; other values may come. */
  readonly typeId: number;
  readonly messageStreamId: number;
  /** Milliseconds, absolute, unsigned 32 bits: wraps after 49.7 days. */
  readonly timestamp: number;
  /** The receiver's to keep and never written to again, unless `ownsInput` is set. Messages may share one ArrayBuffer. */
  readonly payload: Uint8Array;
}
