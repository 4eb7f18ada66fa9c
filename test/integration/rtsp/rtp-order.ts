import { expect } from 'vitest';

export function sequenceNumbers(packets: readonly Uint8Array[]): number[] {
  return packets.map((packet) => (packet[2]! << 8) | packet[3]!);
}

/** No packet is missing, and none comes twice or out of order. */
export function expectConsecutive(packets: readonly Uint8Array[]): void {
  const numbers = sequenceNumbers(packets);
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0]! + i) & 0xffff));
}
