import { BlockList, isIP } from 'node:net';

/** IP addresses and networks, whatever way they are written in. An IPv4 address is the same within IPv6 (`::ffff:`). */
export class AddressList {
  readonly #list = new BlockList();

  /** @returns false when `text` is neither an address nor a network in CIDR notation (`192.0.2.0/24`) */
  add(text: string): boolean {
    const [address = '', prefix, ...rest] = text.split('/');
    const family = familyOf(address);
    if (family === undefined || rest.length > 0) return false;
    if (prefix === undefined) {
      this.#list.addAddress(address, family);
      return true;
    }
    const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (!(bits <= (family === 'ipv4' ? 32 : 128))) return false;
    this.#list.addSubnet(address, bits, family);
    return true;
  }

  /** Names of hosts are in no list. */
  has(address: string): boolean {
    const family = familyOf(address);
    return family !== undefined && this.#list.check(address, family);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  switch (isIP(address)) {
    case 4:
      return 'ipv4';
    case 6:
      return 'ipv6';
    default:
      return undefined;
  }
}
