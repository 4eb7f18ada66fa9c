import { formatIpAddress, parseIpAddress } from '../stun/ip-address.ts';
import type { IceCandidate } from './candidate.ts';
import type { RemoteAddress } from './candidate-pair.ts';
import type { IceTuple } from './ice-tuple.ts';

/** Addresses of the peer that are kept, those it told and those it came from. */
export const MAX_REMOTE_CANDIDATES = 64;

/** The peer's addresses, as it told them and as its checks have shown them. */
export class RemoteAddresses {
  readonly #addresses: RemoteAddress[] = [];

  get all(): readonly RemoteAddress[] {
    return this.#addresses;
  }

  #indexOf(transport: string, address: string, port: number): number {
    return this.#addresses.findIndex(
      (remote) => remote.port === port && remote.address === address && remote.transport === transport,
    );
  }

  /**
   * Takes a candidate the peer told, written as sockets write addresses, so that paths compare equal. One that a check has
   * shown before keeps that check's priority (RFC 8838 §11). Undefined for names, other components, and without room.
   */
  add(candidate: IceCandidate): { readonly remote: RemoteAddress; readonly isNew: boolean } | undefined {
    const ip = parseIpAddress(candidate.address);
    if (candidate.component !== 1 || ip === undefined) return undefined;
    const remote: RemoteAddress = { ...candidate, address: formatIpAddress(ip) };
    const at = this.#indexOf(remote.transport, remote.address, remote.port);
    if (at >= 0) {
      const updated = { ...remote, priority: this.#addresses[at]!.priority };
      this.#addresses[at] = updated;
      return { remote: updated, isNew: false };
    }
    if (this.#addresses.length >= MAX_REMOTE_CANDIDATES) return undefined;
    this.#addresses.push(remote);
    return { remote, isNew: true };
  }

  /** The address a check came from: a known one, or a peer-reflexive one (RFC 8445 §7.3.1.3); undefined without room. */
  learn({ protocol, remoteAddress, remotePort }: IceTuple, priority: number): RemoteAddress | undefined {
    const known = this.#addresses[this.#indexOf(protocol, remoteAddress, remotePort)];
    if (known !== undefined) return known;
    if (this.#addresses.length >= MAX_REMOTE_CANDIDATES) return undefined;
    const learnt: RemoteAddress = {
      transport: protocol,
      address: remoteAddress,
      port: remotePort,
      priority,
      foundation: `prflx${this.#addresses.length}`,
      type: 'prflx',
    };
    this.#addresses.push(learnt);
    return learnt;
  }
}
