import { joinBytes } from './join-bytes.ts';

/**
 * The parts in order as one buffer, which is shared with them where they lie side by side in memory, and new otherwise.
 * @param parts at least one
 */
export function joinNeighbours(parts: readonly Uint8Array[]): Uint8Array {
  const first = parts[0]!;
  let end = first.byteOffset + first.length;
  let i = 1;
  for (; i < parts.length; i++) {
    const part = parts[i]!;
    if (part.buffer !== first.buffer || part.byteOffset !== end) break;
    end += part.length;
  }
  if (i < parts.length) return joinBytes(parts);
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}
