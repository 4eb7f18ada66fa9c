import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { RTMP_MESSAGE_TYPE } from './rtmp-message.ts';

/** User control event types (RTMP 1.0 §7.1.7). */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** Limit types of Set Peer Bandwidth (RTMP 1.0 §5.4.5). */
export const PEER_BANDWIDTH_LIMIT = { hard: 0, soft: 1, dynamic: 2 } as const;

/** A protocol or user control message; the chunk layer's own two (set chunk size, abort) are only ever written. */
export type ControlMessage =
  | { readonly type: 'set-chunk-size'; readonly sizeBytes: number }
  | { readonly type: 'abort'; readonly chunkStreamId: number }
  | { readonly type: 'acknowledgement'; readonly sequenceNumber: number }
  | { readonly type: 'window-acknowledgement-size'; readonly sizeBytes: number }
  | { readonly type: 'set-peer-bandwidth'; readonly sizeBytes: number; readonly limitType: number }
  | { readonly type: 'stream-begin'; readonly messageStreamId: number }
  | { readonly type: 'stream-eof'; readonly messageStreamId: number }
  | { readonly type: 'stream-dry'; readonly messageStreamId: number }
  | { readonly type: 'stream-is-recorded'; readonly messageStreamId: number }
  | { readonly type: 'set-buffer-length'; readonly messageStreamId: number; readonly bufferMs: number }
  | { readonly type: 'ping-request'; readonly timestamp: number }
  | { readonly type: 'ping-response'; readonly timestamp: number }
  /** A user control event this server does not know, or Flash Media Server's 0x1A with its one byte. */
  | { readonly type: 'unknown-event'; readonly eventType: number };

/** A message type id with the body that goes with it. */
export interface TypedPayload {
  readonly typeId: number;
  readonly payload: Uint8Array;
}

/**
 * Reads the body of a message of types 3, 4, 5 or 6. Undefined when it is too short, except that a user control event
 * of a type we know nothing of may have any length.
 */
export function parseControlMessage(typeId: number, payload: Uint8Array): ControlMessage | undefined {
  const input = new ByteReader(payload);
  const message =
    typeId === RTMP_MESSAGE_TYPE.userControl ? readUserControl(input) : readProtocolControl(typeId, input);
  return input.overrun ? undefined : message;
}

function readProtocolControl(typeId: number, input: ByteReader): ControlMessage | undefined {
  const value = input.u32();
  switch (typeId) {
    case RTMP_MESSAGE_TYPE.acknowledgement:
      return { type: 'acknowledgement', sequenceNumber: value };
    case RTMP_MESSAGE_TYPE.windowAcknowledgementSize:
      return { type: 'window-acknowledgement-size', sizeBytes: value };
    case RTMP_MESSAGE_TYPE.setPeerBandwidth:
      // Some senders leave the limit type out.
      return {
        type: 'set-peer-bandwidth',
        sizeBytes: value,
        limitType: input.remaining > 0 ? input.u8() : PEER_BANDWIDTH_LIMIT.dynamic,
      };
    default:
      return undefined;
  }
}

function readUserControl(input: ByteReader): ControlMessage {
  const eventType = input.u16();
  switch (eventType) {
    case USER_CONTROL.streamBegin:
      return { type: 'stream-begin', messageStreamId: input.u32() };
    case USER_CONTROL.streamEof:
      return { type: 'stream-eof', messageStreamId: input.u32() };
    case USER_CONTROL.streamDry:
      return { type: 'stream-dry', messageStreamId: input.u32() };
    case USER_CONTROL.streamIsRecorded:
      return { type: 'stream-is-recorded', messageStreamId: input.u32() };
    case USER_CONTROL.setBufferLength: {
      const messageStreamId = input.u32();
      return { type: 'set-buffer-length', messageStreamId, bufferMs: input.u32() };
    }
    case USER_CONTROL.pingRequest:
      return { type: 'ping-request', timestamp: input.u32() };
    case USER_CONTROL.pingResponse:
      return { type: 'ping-response', timestamp: input.u32() };
    default:
      return { type: 'unknown-event', eventType };
  }
}

/** The message type and body of a control message. */
export function writeControlMessage(message: ControlMessage): TypedPayload {
  const out = new ByteWriter(10);
  const typeId = CONTROL_TYPE_IDS[message.type];
  switch (message.type) {
    case 'set-chunk-size':
    case 'window-acknowledgement-size':
      out.u32(message.sizeBytes);
      break;
    case 'set-peer-bandwidth':
      out.u32(message.sizeBytes).u8(message.limitType);
      break;
    case 'abort':
      out.u32(message.chunkStreamId);
      break;
    case 'acknowledgement':
      out.u32(message.sequenceNumber);
      break;
    case 'set-buffer-length':
      out.u16(USER_CONTROL.setBufferLength).u32(message.messageStreamId).u32(message.bufferMs);
      break;
    case 'ping-request':
    case 'ping-response':
      out.u16(message.type === 'ping-request' ? USER_CONTROL.pingRequest : USER_CONTROL.pingResponse);
      out.u32(message.timestamp);
      break;
    case 'unknown-event':
      out.u16(message.eventType);
      break;
    default:
      out.u16(STREAM_EVENTS[message.type]).u32(message.messageStreamId);
  }
  return { typeId, payload: out.finish() };
}

const STREAM_EVENTS = {
  'stream-begin': USER_CONTROL.streamBegin,
  'stream-eof': USER_CONTROL.streamEof,
  'stream-dry': USER_CONTROL.streamDry,
  'stream-is-recorded': USER_CONTROL.streamIsRecorded,
} as const;

const CONTROL_TYPE_IDS: Readonly<Record<ControlMessage['type'], number>> = {
  'set-chunk-size': RTMP_MESSAGE_TYPE.setChunkSize,
  abort: RTMP_MESSAGE_TYPE.abort,
  acknowledgement: RTMP_MESSAGE_TYPE.acknowledgement,
  'window-acknowledgement-size': RTMP_MESSAGE_TYPE.windowAcknowledgementSize,
  'set-peer-bandwidth': RTMP_MESSAGE_TYPE.setPeerBandwidth,
  'stream-begin': RTMP_MESSAGE_TYPE.userControl,
  'stream-eof': RTMP_MESSAGE_TYPE.userControl,
  'stream-dry': RTMP_MESSAGE_TYPE.userControl,
  'stream-is-recorded': RTMP_MESSAGE_TYPE.userControl,
  'set-buffer-length': RTMP_MESSAGE_TYPE.userControl,
  'ping-request': RTMP_MESSAGE_TYPE.userControl,
  'ping-response': RTMP_MESSAGE_TYPE.userControl,
  'unknown-event': RTMP_MESSAGE_TYPE.userControl,
};
