import type { SctpPortOptions } from '../../sfu/transports/sctp-port.ts';
import { RequestData } from './request-data.ts';

/** Sizes of messages and buffers are numbers of 32 bits. */
export const MAX_SIZE_BYTES = 0xffff_ffff;
const MAX_STREAMS = 0xffff;

/** Sizes of SCTP, when it is wanted. */
export function sctpOf(fields: RequestData): SctpPortOptions | undefined {
  if (!fields.flag('enableSctp', false)) return undefined;
  const sizes = {
    maxSendMessageSize: fields.optionalInteger('maxSendMessageSize', MAX_SIZE_BYTES),
    maxReceiveMessageSize: fields.optionalInteger('maxReceiveMessageSize', MAX_SIZE_BYTES),
    sendBufferSize: fields.optionalInteger('sctpSendBufferSize', MAX_SIZE_BYTES),
    perStreamSendQueueLimit: fields.optionalInteger('sctpPerStreamSendQueueLimit', MAX_SIZE_BYTES),
    maxReceiverWindowBufferSize: fields.optionalInteger('sctpMaxReceiverWindowBufferSize', MAX_SIZE_BYTES),
    defaultStreamBufferedAmountLowThreshold: fields.optionalInteger(
      'sctpDefaultStreamBufferedAmountLowThreshold',
      MAX_SIZE_BYTES,
    ),
  };
  // The name of before mediasoup 3.20.
  const streams = new RequestData(fields.optionalObject<object>('numSctpStreams'));
  const numbers = {
    outboundStreams: streams.optionalInteger('OS', MAX_STREAMS),
    inboundStreams: streams.optionalInteger('MIS', MAX_STREAMS),
  };
  const given = Object.fromEntries(Object.entries({ ...sizes, ...numbers }).filter(([, size]) => size !== undefined));
  return { ...given, isDataChannel: fields.flag('isDataChannel', false) };
}
