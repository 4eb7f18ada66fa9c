/** One end of a two-way stream of bytes: a pair of pipes to another process, or memory within this one. */
export interface BytePipe {
  /** Bytes that wait on this side, because the other end has not taken those before them. */
  readonly queuedBytes: number;
  /** Queues bytes for the other end. After the end of the pipe they are dropped. `bytes` must not be changed any more. */
  send(bytes: Uint8Array): void;
  /** Who gets what comes from the other end, cut anywhere. Called once, before the first bytes can come. */
  onBytes(receive: (bytes: Uint8Array) => void): void;
  /** Called once, when no more bytes will come: the other end closed or broke. */
  onEnd(ended: () => void): void;
  /** Ends the pipe on this side: nothing is received or sent any more. May be called again. */
  close(): void;
}
