import { StunAttribute } from '../stun/stun-attributes.ts';
import { looksLikeStun, parseStunMessage, StunClass } from '../stun/stun-message.ts';

/** Paths one transport may have in a table; an agent keeps fewer. */
export const MAX_ROUTES_PER_TRANSPORT = 16;
/** Longest user name read of a request, in bytes (RFC 8489 §14.3). */
const MAX_USERNAME_BYTES = 508;
const COLON = 0x3a;

const decoder = new TextDecoder();

/**
 * Which transport a datagram that came to a shared port belongs to: by the address it came from, else, for a STUN
 * request, by the username fragment it is addressed to (RFC 8445 §7.3). An address becomes a route only when the
 * transport has found a request from there genuine (`addRoute`), and an address that is one transport's can't be taken
 * by another before it was given up. One table serves one socket; fragments may be shared between tables.
 */
export class TupleTable<T extends object> {
  /** By address, then by port: looking up needs no new text. */
  readonly #routes = new Map<string, Map<number, T>>();
  readonly #routesOf = new Map<T, { readonly address: string; readonly port: number }[]>();
  readonly #fragments: UfragTable<T>;
  #size = 0;

  constructor(fragments: UfragTable<T>) {
    this.#fragments = fragments;
  }

  /** Routes known. */
  get size(): number {
    return this.#size;
  }

  /** Whose datagram this is; undefined when it is nobody's and to be dropped. */
  find(bytes: Uint8Array, address: string, port: number): T | undefined {
    return this.#routes.get(address)?.get(port) ?? this.#fragments.find(bytes);
  }

  /** Datagrams from there are `transport`'s. @returns false when they are another's, or it has as many as it may */
  addRoute(address: string, port: number, transport: T): boolean {
    const ports = this.#routes.get(address);
    const owner = ports?.get(port);
    if (owner !== undefined) return owner === transport;
    const routes = this.#routesOf.get(transport) ?? [];
    if (routes.length >= MAX_ROUTES_PER_TRANSPORT) return false;
    if (routes.length === 0) this.#routesOf.set(transport, routes);
    routes.push({ address, port });
    if (ports === undefined) this.#routes.set(address, new Map([[port, transport]]));
    else ports.set(port, transport);
    this.#size++;
    return true;
  }

  /** Undoes `addRoute`; nothing happens when the route is another's. */
  removeRoute(address: string, port: number, transport: T): void {
    const ports = this.#routes.get(address);
    if (ports?.get(port) !== transport) return;
    ports.delete(port);
    if (ports.size === 0) this.#routes.delete(address);
    this.#size--;
    const routes = this.#routesOf.get(transport) ?? [];
    const left = routes.filter((route) => route.address !== address || route.port !== port);
    if (left.length === 0) this.#routesOf.delete(transport);
    else this.#routesOf.set(transport, left);
  }

  /** Forgets every route of a transport that ends. */
  removeTransport(transport: T): void {
    for (const { address, port } of this.#routesOf.get(transport) ?? []) this.removeRoute(address, port, transport);
  }
}

/** Transports by the username fragments peers address them with. */
export class UfragTable<T extends object> {
  readonly #transports = new Map<string, T>();

  get size(): number {
    return this.#transports.size;
  }

  /** @returns false when the fragment is another transport's */
  add(usernameFragment: string, transport: T): boolean {
    const owner = this.#transports.get(usernameFragment);
    if (owner !== undefined) return owner === transport;
    this.#transports.set(usernameFragment, transport);
    return true;
  }

  /** Nothing happens when the fragment is another transport's. */
  remove(usernameFragment: string, transport: T): void {
    if (this.#transports.get(usernameFragment) === transport) this.#transports.delete(usernameFragment);
  }

  /** Whom a STUN request is addressed to. Nothing of it was checked yet: only its own transport can. */
  find(bytes: Uint8Array): T | undefined {
    const usernameFragment = localUfragOf(bytes);
    return usernameFragment === undefined ? undefined : this.#transports.get(usernameFragment);
  }
}

/** The receiver's username fragment a STUN request names: what stands before the colon of USERNAME. */
export function localUfragOf(bytes: Uint8Array): string | undefined {
  if (!looksLikeStun(bytes)) return undefined;
  const message = parseStunMessage(bytes);
  if (message?.messageClass !== StunClass.request) return undefined;
  const username = message.value(StunAttribute.username);
  if (username === undefined || username.length > MAX_USERNAME_BYTES) return undefined;
  const colon = username.indexOf(COLON);
  return colon < 1 ? undefined : decoder.decode(username.subarray(0, colon));
}
