import { AddressList } from '../../../io/address-list.ts';

/**
 * Which hosts may be registered. Whoever may register makes the server connect to where it says: without a list that is
 * only where the request came from.
 */
export class BackEndGuard {
  readonly #isListed: boolean;
  readonly #addresses = new AddressList();
  readonly #names = new Set<string>();

  /** @param allow addresses, networks in CIDR notation, and names of hosts */
  constructor(allow: readonly string[]) {
    this.#isListed = allow.length > 0;
    for (const entry of allow) if (!this.#addresses.add(entry)) this.#names.add(entry.toLowerCase());
  }

  /**
   * @param host of a URL, in lower case. A name is not looked up: who answers for it may say one thing now and another
   *   when it is connected to
   * @param from address of who asks
   */
  allows(host: string, from: string): boolean {
    if (this.#isListed) return this.#names.has(host) || this.#addresses.has(host);
    const own = new AddressList();
    return own.add(from) && own.has(host);
  }
}
