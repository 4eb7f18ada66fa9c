import { DATA_CHANNEL_PPID } from '../protocol/sctp/data-channel-message.ts';

/** A message as it leaves. */
export interface DataMessage {
  readonly ppid: number;
  readonly bytes: Uint8Array;
}

/** SCTP has no empty messages: theirs carry one byte (RFC 8831 §6.6), and mediasoup's are these. */
const EMPTY_STRING_BYTES: Uint8Array = Uint8Array.of(0x20);
const EMPTY_BINARY_BYTES: Uint8Array = Uint8Array.of(0);

const encoder = new TextEncoder();

/**
 * The bytes of a message, which may be those of the caller, and what kind it is; `ppid` overrides the kind.
 * @throws TypeError when it is neither text nor bytes
 */
export function dataMessageOf(message: unknown, ppid: number | undefined): DataMessage {
  if (typeof message !== 'string' && !(message instanceof Uint8Array)) {
    throw new TypeError('message must be a string or a Buffer');
  }
  if (ppid !== undefined && !Number.isInteger(ppid)) throw new TypeError('invalid ppid');
  const { string, stringEmpty, binary, binaryEmpty } = DATA_CHANNEL_PPID;
  if (typeof message === 'string') {
    if (message === '') return { ppid: ppid ?? stringEmpty, bytes: EMPTY_STRING_BYTES };
    return { ppid: ppid ?? string, bytes: encoder.encode(message) };
  }
  if (message.length === 0) return { ppid: ppid ?? binaryEmpty, bytes: EMPTY_BINARY_BYTES };
  return { ppid: ppid ?? binary, bytes: message };
}
