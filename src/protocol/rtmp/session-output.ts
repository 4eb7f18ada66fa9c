import { joinBytes } from '../../wire/join-bytes.ts';
import type { AcknowledgementWindow } from './acknowledgement.ts';

/**
 * Collects what one call of a session gives back. Bytes written one after another become one `send` event, placed
 * before whatever event follows, so that a caller who handles events in order also writes in order.
 */
export class SessionOutput<Event extends { readonly type: string }> {
  readonly #acknowledgements: AcknowledgementWindow;
  #events: (Event | SendEvent)[] = [];
  #out: Uint8Array[] = [];

  constructor(acknowledgements: AcknowledgementWindow) {
    this.#acknowledgements = acknowledgements;
  }

  send(bytes: Uint8Array): void {
    this.#out.push(bytes);
  }

  emit(event: Event): void {
    if (this.#out.length > 0) this.#flush();
    this.#events.push(event);
  }

  /** Everything since the last `finish`. */
  finish(): (Event | SendEvent)[] {
    if (this.#out.length > 0) this.#flush();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #flush(): void {
    const bytes = joinBytes(this.#out);
    this.#out = [];
    this.#acknowledgements.onSent(bytes.length);
    this.#events.push({ type: 'send', bytes });
  }
}

/** Write these bytes to the connection, before anything a later event leads to. */
export interface SendEvent {
  readonly type: 'send';
  readonly bytes: Uint8Array;
}
