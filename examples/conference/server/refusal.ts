import type { RefusalCode } from '../protocol.ts';

/** A request cannot be granted; the page is told why. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}
