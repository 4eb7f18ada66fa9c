/** Throws when two byte strings differ; `what` names them. */
export function expectSameBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  const isSame = actual?.length === expected.length && expected.every((byte, i) => actual[i] === byte);
  if (!isSame) throw new RangeError(`${what} differ`);
}
