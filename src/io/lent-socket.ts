import { Duplex } from 'node:stream';

/** A connection to a server, as far as a client of it cares. */
export type ClientSocket = Duplex & {
  /** The server's address; undefined when it is not known any more. */
  readonly remoteAddress: string | undefined;
};

export interface LentSocketOptions {
  readonly remoteAddress: string;
  /** Takes what the borrower writes. The bytes are shared, not copied. */
  readonly write: (bytes: Uint8Array) => void;
  /** The borrower is done with it, or `giveBack` was called. Called once. */
  readonly onReturned: () => void;
}

/**
 * A connection that belongs to somebody else, who passes on what comes by it. Its end ends nothing but the loan: writes
 * are not held back, and what comes afterwards is the owner's again.
 */
export class LentSocket extends Duplex {
  readonly remoteAddress: string;
  readonly #onWrite: (bytes: Uint8Array) => void;
  readonly #onReturned: () => void;

  constructor(options: LentSocketOptions) {
    super();
    this.remoteAddress = options.remoteAddress;
    this.#onWrite = options.write;
    this.#onReturned = options.onReturned;
  }

  /** Passes bytes on to the borrower. They are the borrower's from here on. */
  receive(bytes: Uint8Array): void {
    if (!this.destroyed) this.push(bytes);
  }

  override _read(): void {
    // What comes is passed on as it comes.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#onWrite(chunk);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#onReturned();
    done(error);
  }
}
