/** Counts failures in a row for who may try again only so often. Progress starts the count anew. */
export class RetryCount {
  readonly #retries: number;
  #failures = 0;
  #seenBytes = 0;

  /** @param retries how often in a row to try again */
  constructor(retries: number) {
    this.#retries = retries;
  }

  /** There was a failure: whether to try again. @param bytes what has come or gone since the beginning */
  mayRetry(bytes: number): boolean {
    if (bytes > this.#seenBytes) this.#failures = 0;
    this.#seenBytes = bytes;
    return ++this.#failures <= this.#retries;
  }
}
