/** A deep copy of plain data, so that callers can change what they got without changing what it came from. */
export function clone<T>(value: T): T {
  return value === undefined ? value : structuredClone(value);
}
