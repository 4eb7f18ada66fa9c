/** Receives what a scanner finds. `head` is the first bytes of the payload, valid only during the call. */
export interface MessageSink {
  /**
   * A whole message (RTMP) or tag (FLV) has arrived.
   * @param type FLV tag type or RTMP message type: 8 audio, 9 video, 18 data, 20 command …
   * @param timestampMs absolute timestamp
   * @param sizeBytes payload size
   */
  message(type: number, timestampMs: number, sizeBytes: number, head: Uint8Array): void;
}

/** Bytes kept of the payload of audio and video messages; enough for the frame stamp. */
export const MEDIA_HEAD_SIZE = 64;

/** Bytes kept of the payload of other messages: commands, control, metadata. */
export const OTHER_HEAD_SIZE = 1024;

/** How much of a payload a scanner keeps. */
export function headSize(type: number, sizeBytes: number): number {
  return Math.min(sizeBytes, type === 8 || type === 9 ? MEDIA_HEAD_SIZE : OTHER_HEAD_SIZE);
}
