import { CHROMINANCE_QUANTIZERS, LUMINANCE_QUANTIZERS } from '../../../codec/jpeg/jpeg.tables.ts';

/** Q values above this have their tables in the packets (RFC 2435 §3.1.8). */
export const LAST_COMPUTED_Q = 99;

/** Q values from here on have their tables in the packets. */
export const FIRST_SENT_Q = 128;

/** The Q whose tables may differ from image to image and so are in each. */
export const Q_WITH_TABLES = 255;

/** Luminance and chrominance table for a Q of 1–99 (§4.2, appendix A): the usual ones scaled, smaller for a higher Q. */
export function computedQuantizers(q: number): readonly [Uint8Array, Uint8Array] {
  const factor = q < 50 ? Math.floor(5000 / q) : 200 - q * 2;
  const scaled = (table: Uint8Array): Uint8Array =>
    table.map((value) => Math.min(Math.max(Math.floor((value * factor + 50) / 100), 1), 255));
  return [scaled(LUMINANCE_QUANTIZERS), scaled(CHROMINANCE_QUANTIZERS)];
}
