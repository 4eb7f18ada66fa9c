/** IP addresses between text and bytes. */

/** Longest text read as an address; a zone is not understood. */
const MAX_ADDRESS_CHARACTERS = 45;
const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The 4 bytes of an IPv4 address in four decimal numbers or the 16 of an IPv6 address (RFC 4291 §2.2), undefined for
 * anything else. An IPv4-mapped address (`::ffff:192.0.2.1`), as sockets of both families tell it, gives the 4 bytes.
 */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (text.length > MAX_ADDRESS_CHARACTERS) return undefined;
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (bytes?.length !== 16 || MAPPED_PREFIX.some((byte, i) => bytes[i] !== byte)) return bytes;
  return bytes.subarray(12);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!;
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const gap = text.indexOf('::');
  if (gap !== text.lastIndexOf('::')) return undefined;
  const head = gap < 0 ? text : text.slice(0, gap);
  const tail = gap < 0 ? '' : text.slice(gap + 2);
  // Only the end of the whole may be written as IPv4.
  if (gap >= 0 && head.includes('.')) return undefined;
  const front = parseGroups(head);
  const back = parseGroups(tail);
  if (front === undefined || back === undefined) return undefined;
  const missing = 16 - front.length - back.length;
  // A double colon stands for at least one group.
  if (gap < 0 ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** Groups of four digits, the last two of all possibly as an IPv4 address. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':', 9);
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    if (i === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else {
      if (!/^[\da-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >>> 8, value & 0xff);
    }
  }
  return bytes.length > 16 ? undefined : bytes;
}

/** The text of 4 or 16 bytes; IPv6 in its shortest form (RFC 5952). */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  let gapAt = -1;
  let gapLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i <= gapLength) continue;
    gapAt = i;
    gapLength = end - i;
  }
  const toText = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (gapAt < 0) return toText(groups);
  return `${toText(groups.slice(0, gapAt))}::${toText(groups.slice(gapAt + gapLength))}`;
}
