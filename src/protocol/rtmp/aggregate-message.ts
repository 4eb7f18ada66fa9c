import { RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';

/** Most messages taken from one aggregate; real ones hold some dozens. */
export const RTMP_MAX_AGGREGATE_MESSAGES = 8192;

const TAG_HEADER = 11;
const BACK_POINTER = 4;

/**
 * The messages inside an aggregate (RTMP 1.0 §7.1.6): FLV tags whose times count from the first one, which has the
 * time of the aggregate. Payloads are views into the aggregate's. Stops without a fuss where the bytes stop making
 * sense; aggregates inside aggregates and types other than audio, video and data are left out.
 *
 *     | type (8) | size (24) | time (24) | time high (8) | stream id (24) | payload | size of the tag (32) | …
 */
export function splitAggregate(message: RtmpMessage): RtmpMessage[] {
  const { payload: b } = message;
  const messages: RtmpMessage[] = [];
  let firstTime: number | undefined;
  let at = 0;
  while (at + TAG_HEADER <= b.length && messages.length < RTMP_MAX_AGGREGATE_MESSAGES) {
    const typeId = b[at]! & 0x1f;
    const size = (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
    const time = ((b[at + 7]! << 24) | (b[at + 4]! << 16) | (b[at + 5]! << 8) | b[at + 6]!) >>> 0;
    const start = at + TAG_HEADER;
    if (start + size > b.length) break;
    firstTime ??= time;
    if (
      typeId === RTMP_MESSAGE_TYPE.audio ||
      typeId === RTMP_MESSAGE_TYPE.video ||
      typeId === RTMP_MESSAGE_TYPE.dataAmf0
    ) {
      messages.push({
        typeId,
        messageStreamId: message.messageStreamId,
        timestamp: (message.timestamp + (time - firstTime)) >>> 0,
        payload: b.subarray(start, start + size),
      });
    }
    at = start + size + BACK_POINTER;
  }
  return messages;
}
