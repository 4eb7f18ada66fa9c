/** How a message is to be sent. Lifetime and retransmissions are limits of partial reliability (RFC 3758, RFC 7496). */
export interface SendOptions {
  /** In order with the other ordered messages of the stream; true by default. */
  readonly ordered?: boolean;
  /** How often a fragment may be sent again before the message is given up; without limit by default. */
  readonly maxRetransmits?: number;
  /** Milliseconds after which the message is given up; without limit by default. */
  readonly maxLifetimeMs?: number;
}

/** A message on its way out: queued, then cut into chunks. */
export class OutgoingMessage {
  readonly streamId: number;
  readonly ppid: number;
  /** The caller's, unchanged until everything is acknowledged. */
  readonly bytes: Uint8Array;
  readonly isOrdered: boolean;
  readonly maxRetransmits: number;
  readonly expiresAtMs: number;
  /** SSN or MID; given with the first chunk, so that messages given up before take none. −1 until then. */
  sequence = -1;
  /** Bytes that are in chunks. */
  cutBytes = 0;
  /** FSN of the next chunk. */
  nextFsn = 0;
  /** Indices of its first and last chunk so far. */
  firstIndex = -1;
  lastIndex = -1;
  isAbandoned = false;

  constructor(streamId: number, ppid: number, bytes: Uint8Array, options: SendOptions, nowMs: number) {
    this.streamId = streamId;
    this.ppid = ppid;
    this.bytes = bytes;
    this.isOrdered = options.ordered ?? true;
    this.maxRetransmits = options.maxRetransmits ?? Number.POSITIVE_INFINITY;
    this.expiresAtMs = nowMs + (options.maxLifetimeMs ?? Number.POSITIVE_INFINITY);
  }

  /** Bytes not in chunks yet. */
  get leftBytes(): number {
    return this.bytes.length - this.cutBytes;
  }
}
