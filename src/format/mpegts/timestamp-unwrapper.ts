import { TIMESTAMP_MODULUS_90K } from './ts-packet.ts';

/**
 * Puts 33-bit timestamps at 90 kHz on one continuous line: each is taken as the value nearest to the one before. Times
 * below zero, which only a wrap right at the start can give, become zero.
 */
export class TimestampUnwrapper {
  #last: number | undefined;

  /** The time in microseconds, rounded. */
  toUs(timestamp90k: number): number {
    const last = this.#last;
    let value = timestamp90k;
    if (last !== undefined) {
      const ahead = timestamp90k - (((last % TIMESTAMP_MODULUS_90K) + TIMESTAMP_MODULUS_90K) % TIMESTAMP_MODULUS_90K);
      value = last + ahead;
      if (ahead >= TIMESTAMP_MODULUS_90K / 2) value -= TIMESTAMP_MODULUS_90K;
      else if (ahead < -TIMESTAMP_MODULUS_90K / 2) value += TIMESTAMP_MODULUS_90K;
    }
    this.#last = value;
    return Math.max(0, Math.round((value * 100) / 9));
  }
}
