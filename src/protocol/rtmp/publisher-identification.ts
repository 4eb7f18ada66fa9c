/**
 * How a publisher announces itself, which decides the replies it waits for: `fmle` (Flash Media Live Encoder, OBS,
 * FFmpeg, XSplit …) calls releaseStream or FCPublish before createStream, `haivision` after it, `flash` never.
 */
export type PublisherKind = 'fmle' | 'haivision' | 'flash';

/** Follows the calls in front of a `publish`. */
export class PublisherIdentification {
  #kind: PublisherKind | undefined;
  #hasCreatedStream = false;

  onCreateStream(): void {
    this.#hasCreatedStream = true;
  }

  /** releaseStream, FCPublish or FCUnpublish came. */
  onFmleCall(): void {
    this.#kind ??= this.#hasCreatedStream ? 'haivision' : 'fmle';
  }

  /** What the publisher that now says `publish` is; the next one on this connection is judged afresh. */
  take(): PublisherKind {
    const kind = this.#kind ?? 'flash';
    this.#kind = undefined;
    this.#hasCreatedStream = false;
    return kind;
  }
}
