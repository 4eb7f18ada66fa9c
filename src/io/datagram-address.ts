/** Addresses in numbers as the kernel takes them. */
import { isIP, SocketAddress } from 'node:net';
import { endianness, networkInterfaces } from 'node:os';
import { ResourceError } from '../wire/errors.ts';
import type { DatagramErrorCode, DatagramTarget } from './datagram-socket.ts';

/** `AF_INET` and `AF_INET6` of Linux. */
const AF_INET = 2;
const AF_INET6 = 10;
/** `sizeof (struct sockaddr_in)` and `sizeof (struct sockaddr_in6)`. */
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;

const isLittleEndian = endianness() === 'LE';

/**
 * The target for a socket of `family`; an IPv4 address on an IPv6 socket becomes `::ffff:…` (RFC 4291 §2.5.5.2).
 * @throws ResourceError `datagram/bad-address`
 */
export function toDatagramTarget(family: 4 | 6, address: string, port: number): DatagramTarget {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badAddress(`${port} is not a port to send to`);
  const version = isIP(address);
  if (version === 0) throw badAddress(`${JSON.stringify(address)} is not an IP address`);
  if (family === 4) {
    const plain = version === 4 ? address : unmapped(canonicalIpv6(address));
    if (plain === undefined) throw badAddress(`${address} can't be reached from an IPv4 socket`);
    return targetOf(plain, port);
  }
  const canonical = version === 4 ? `::ffff:${address}` : canonicalIpv6(address);
  return targetOf(canonical, port);
}

function targetOf(address: string, port: number): DatagramTarget {
  return { address, port, socketAddress: writeSocketAddress(address, port), isSegmented: true, group: 0 };
}

/**
 * A `struct sockaddr_in` or `sockaddr_in6` of Linux for an address in canonical form.
 * @throws ResourceError `datagram/bad-address` when it has a zone this machine does not know
 */
function writeSocketAddress(address: string, port: number): Uint8Array {
  const isIpv4 = isIP(address) === 4;
  const bytes = new Uint8Array(isIpv4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, isLittleEndian);
  view.setUint16(2, port);
  if (isIpv4) {
    bytes.set(ipv4Bytes(address), 4);
  } else {
    const [plain = '', zone] = address.split('%');
    bytes.set(ipv6Bytes(plain), 8);
    if (zone !== undefined) view.setUint32(24, scopeId(zone), isLittleEndian);
  }
  return bytes;
}

/** Reads the `struct sockaddr_in` or `sockaddr_in6` of Linux at `at`; the address is written as `node:dgram` does. */
export function parseSocketAddress(
  bytes: Uint8Array,
  at: number,
): { readonly family: 4 | 6; readonly address: string; readonly port: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SOCKADDR_IN6_BYTES);
  const port = view.getUint16(2);
  if (view.getUint16(0, isLittleEndian) === AF_INET) {
    return { family: 4, address: bytes.subarray(at + 4, at + 8).join('.'), port };
  }
  const parts = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i).toString(16));
  const plain = canonicalIpv6(parts.join(':'));
  const zone = view.getUint32(24, isLittleEndian);
  return { family: 6, address: zone === 0 ? plain : `${plain}%${interfaceName(zone)}`, port };
}

/** Shortest form (RFC 5952), with the zone kept. */
function canonicalIpv6(address: string): string {
  const [plain = '', zone] = address.split('%');
  const { address: short } = new SocketAddress({ address: plain, family: 'ipv6' });
  return zone === undefined ? short : `${short}%${zone}`;
}

/** The IPv4 address inside `::ffff:a.b.c.d`, undefined for another one. */
function unmapped(canonical: string): string | undefined {
  const plain = canonical.startsWith('::ffff:') ? canonical.slice('::ffff:'.length) : '';
  return isIP(plain) === 4 ? plain : undefined;
}

function ipv4Bytes(address: string): readonly number[] {
  return address.split('.').map(Number);
}

/** Bytes of an address that `isIP` took, without zone. */
function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail = ''] = address.split('::');
  const bytes = new Uint8Array(16);
  bytes.set(groups(head));
  const back = groups(tail);
  bytes.set(back, bytes.length - back.length);
  return bytes;
}

function groups(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

/** Number of an interface for `sin6_scope_id`. */
function scopeId(zone: string): number {
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  for (const found of networkInterfaces()[zone] ?? []) {
    if (found.family === 'IPv6' && found.scopeid > 0) return found.scopeid;
  }
  throw badAddress(`there is no interface ${JSON.stringify(zone)} with a link-local address`);
}

/** Name of the interface with this number, or the number where it has no link-local address any more. */
function interfaceName(scope: number): string {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (addresses.some((found) => found.family === 'IPv6' && found.scopeid === scope)) return name;
  }
  return String(scope);
}

function badAddress(message: string): ResourceError {
  return new ResourceError('datagram/bad-address' satisfies DatagramErrorCode, message);
}
