import { type CandidateType, candidatePriority, DISCARD_PORT, pairPriority, type TcpType } from './candidate.ts';
import type { IceTuple } from './ice-tuple.ts';

/** Who decides which pair is used (RFC 8445 §6.1.1). */
export type IceRole = 'controlling' | 'controlled';

/** An address of this machine a socket is bound to. */
export interface IceBase {
  readonly protocol: 'udp' | 'tcp';
  /** IPv4 or IPv6 without brackets. */
  readonly address: string;
  /** 9 for active TCP, which has no port before it connects. */
  readonly port: number;
  readonly tcpType?: 'active' | 'passive';
  /** Among our addresses, more is better; default by the order they came in. */
  readonly localPreference?: number;
}

/** What is known of an address of the peer. */
export interface RemoteAddress {
  readonly transport: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
  readonly priority: number;
  readonly foundation: string;
  readonly type: CandidateType;
  readonly tcpType?: TcpType;
}

/** RFC 8445 §6.1.2.6. */
export type PairState = 'frozen' | 'waiting' | 'in-progress' | 'succeeded' | 'failed';

/** A base of ours with its numbers. */
export interface LocalAddress {
  readonly base: IceBase;
  readonly foundation: string;
  readonly priority: number;
  /** What we would have if a NAT gave this base an address nobody knew: PRIORITY of checks. */
  readonly peerReflexivePriority: number;
}

/** One of our addresses with one of theirs, and how far its check has come. */
export class CandidatePair {
  readonly local: LocalAddress;
  remote: RemoteAddress;
  readonly tuple: IceTuple;
  state: PairState = 'frozen';
  /** The controlling peer chose it before our own check succeeded; with its nomination, if it counts them. */
  chosenByPeer: { readonly nomination: number | undefined } | undefined;
  /** TCP: whether it is connected; always true for UDP. */
  isConnected: boolean;
  /** TCP: when connecting was given up, undefined while it is not tried. */
  connectDeadlineMs: number | undefined;

  constructor(local: LocalAddress, remote: RemoteAddress, tuple: IceTuple) {
    this.local = local;
    this.remote = remote;
    this.tuple = tuple;
    this.isConnected = local.base.protocol === 'udp' || local.base.tcpType === 'passive';
  }

  get foundation(): string {
    return `${this.local.foundation} ${this.remote.foundation}`;
  }

  priority(role: IceRole): bigint {
    const ours = this.local.priority;
    const theirs = this.remote.priority;
    return role === 'controlling' ? pairPriority(ours, theirs) : pairPriority(theirs, ours);
  }
}

/** The path of a base to an address. */
export function tupleOf(base: IceBase, remoteAddress: string, remotePort: number): IceTuple {
  const { protocol, address, port } = base;
  return { protocol, localAddress: address, localPort: port, remoteAddress, remotePort };
}

/** Whether a check can go from one to the other (RFC 8445 §6.1.2.2, RFC 6544 §6.2). */
export function canPair({ base }: LocalAddress, remote: RemoteAddress): boolean {
  if (base.protocol !== remote.transport || base.address.includes(':') !== remote.address.includes(':')) return false;
  if (base.protocol === 'udp') return remote.port !== 0;
  // A passive side only waits: its pairs come with the connections.
  return base.tcpType === 'active' && remote.tcpType === 'passive' && remote.port !== DISCARD_PORT;
}

/** A base with the priorities it gives. `index` counts the bases. */
export function toLocalAddress(base: IceBase, index: number, foundation: string): LocalAddress {
  const most = base.protocol === 'udp' ? 0xffff : 0x1fff;
  const options = {
    transport: base.protocol,
    localPreference: base.localPreference ?? most - index,
    ...(base.tcpType === undefined ? {} : { tcpType: base.tcpType }),
  };
  return {
    base,
    foundation,
    priority: candidatePriority({ ...options, type: 'host' }),
    peerReflexivePriority: candidatePriority({ ...options, type: 'prflx' }),
  };
}
