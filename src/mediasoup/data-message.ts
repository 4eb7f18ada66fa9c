/** Payload protocol identifiers of data channels (RFC 8831 §8). SCTP has no empty messages: theirs carry one byte. */
const Ppid = { string: 51, binary: 53, emptyString: 56, emptyBinary: 57 } as const;

/** A message as it leaves. */
export interface DataMessage {
  readonly ppid: number;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

/**
 * The bytes of a message and what kind it is; `ppid` overrides the kind.
 * @throws TypeError when it is neither text nor bytes
 */
export function dataMessageOf(message: unknown, ppid: number | undefined): DataMessage {
  if (typeof message !== 'string' && !(message instanceof Uint8Array)) {
    throw new TypeError('message must be a string or a Buffer');
  }
  if (ppid !== undefined && !Number.isInteger(ppid)) throw new TypeError('invalid ppid');
  const isText = typeof message === 'string';
  const isEmpty = message.length === 0;
  const byDefault = isText ? (isEmpty ? Ppid.emptyString : Ppid.string) : isEmpty ? Ppid.emptyBinary : Ppid.binary;
  // A copy: the caller may write into its bytes while these wait to leave.
  const bytes = isText ? encoder.encode(isEmpty ? ' ' : message) : isEmpty ? new Uint8Array(1) : message.slice();
  return { ppid: ppid ?? byDefault, bytes: new Uint8Array(bytes) };
}
