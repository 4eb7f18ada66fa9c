/**
 * A Scale header (RFC 2326 §12.34): how many times as fast the presentation goes by; negative in reverse. Undefined when
 * it is no number, or 0, which would stand still.
 */
export function parseScale(text: string): number | undefined {
  const match = /^\s*([+-]?)(\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})\s*$/.exec(text);
  if (match === null) return undefined;
  const scale = Number(match[2]) * (match[1] === '-' ? -1 : 1);
  return scale === 0 ? undefined : scale;
}

/** A Speed header (RFC 2326 §12.35): how many times as fast the data is to be sent. Undefined unless it is above 0. */
export function parseSpeed(text: string): number | undefined {
  const speed = parseScale(text);
  return speed !== undefined && speed > 0 ? speed : undefined;
}

/** The value of a Scale or Speed header, with up to six decimals. */
export function writeScale(scale: number): string {
  return scale.toFixed(6).replace(/\.?0+$/, '');
}
