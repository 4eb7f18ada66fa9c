import type { SctpPortOptions } from '../../sfu/transports/sctp-port.ts';
import type { RequestData } from './request-data.ts';

/** Sizes of SCTP, when it is wanted. */
export function sctpOf(fields: RequestData): SctpPortOptions | undefined {
  if (!fields.flag('enableSctp', false)) return undefined;
  const sizes = {
    maxSendMessageSize: fields.number('maxSendMessageSize'),
    maxReceiveMessageSize: fields.number('maxReceiveMessageSize'),
    sendBufferSize: fields.number('sctpSendBufferSize'),
    perStreamSendQueueLimit: fields.number('sctpPerStreamSendQueueLimit'),
    maxReceiverWindowBufferSize: fields.number('sctpMaxReceiverWindowBufferSize'),
    defaultStreamBufferedAmountLowThreshold: fields.number('sctpDefaultStreamBufferedAmountLowThreshold'),
  };
  const given = Object.fromEntries(Object.entries(sizes).filter(([, size]) => size !== undefined));
  return { ...given, isDataChannel: fields.flag('isDataChannel', false) };
}
