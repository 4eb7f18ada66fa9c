import { ResourceError } from '../wire/errors.ts';
import { parseSocketAddress, toDatagramTarget } from './datagram-address.ts';
import type { DatagramTarget } from './datagram-socket.ts';

/** Senders of datagrams kept as objects; of more, those first seen are made anew. */
export const MAX_DATAGRAM_SOURCES = 16_384;

/** Places of the table by the bytes of an address; one for each hash, the last one seen. */
const PLACES = 4096;
const PLACE_WORDS = 8;
/** `AF_INET` in the low half of the first word; the port is in the other. */
const AF_INET = 2;
const IPV4_WORDS = 2;
const IPV6_WORDS = 7;

/** Who sends to the sockets of this process: objects made once, so that a packet costs neither object nor text. */
export class DatagramSources {
  /** In the order they were made. */
  readonly #byName = new Map<string, DatagramTarget>();
  readonly #words: Uint32Array = new Uint32Array(PLACES * PLACE_WORDS);
  readonly #targets: (DatagramTarget | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  /**
   * @param address as `node:dgram` reports it on a socket of `family`
   * @returns undefined for a source that can't be answered: port 0, or a zone that is no interface any more
   */
  of(family: 4 | 6, address: string, port: number): DatagramTarget | undefined {
    if (port === 0) return undefined;
    const name = `${address} ${port}`;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byName.size >= MAX_DATAGRAM_SOURCES) {
      for (const oldest of this.#byName.keys()) {
        this.#byName.delete(oldest);
        break;
      }
    }
    const target = answerable(family, address, port);
    if (target !== undefined) this.#byName.set(name, target);
    return target;
  }

  /**
   * The same by a `struct sockaddr_in` or `sockaddr_in6` of Linux at `at`.
   * @param words the memory of `bytes`
   */
  ofSocketAddress(bytes: Uint8Array, words: Uint32Array, at: number): DatagramTarget | undefined {
    const first = at >>> 2;
    const isIpv4 = (words[first]! & 0xffff) === AF_INET;
    const count = isIpv4 ? IPV4_WORDS : IPV6_WORDS;
    let hash = 0;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ words[first + i]!, 0x9e37_79b1) ^ (hash >>> 15);
    const place = (hash >>> 8) % PLACES;
    const known = this.#targets[place];
    if (known !== undefined && this.#isSame(place * PLACE_WORDS, words, first, count)) return known;
    const { family, address, port } = parseSocketAddress(bytes, at);
    const target = this.of(family, address, port);
    if (target === undefined) return undefined;
    this.#targets[place] = target;
    for (let i = 0; i < count; i++) this.#words[place * PLACE_WORDS + i] = words[first + i]!;
    return target;
  }

  #isSame(place: number, words: Uint32Array, first: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.#words[place + i] !== words[first + i]) return false;
    return true;
  }
}

function answerable(family: 4 | 6, address: string, port: number): DatagramTarget | undefined {
  try {
    return toDatagramTarget(family, address, port);
  } catch (error) {
    if (error instanceof ResourceError) return undefined;
    throw error;
  }
}

/** One for the process: sources are the same whichever socket they send to. */
export const datagramSources: DatagramSources = new DatagramSources();
