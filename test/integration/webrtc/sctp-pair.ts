/** Two associations over a simulated network, and what tests ask of them. */
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent, SctpMessageEvent } from '../../../src/protocol/sctp/sctp-event.ts';
import type { SctpOptions } from '../../../src/protocol/sctp/sctp-options.ts';
import type { Link, LinkOptions } from '../../peers/netem.ts';
import { MachinePeer, SimulatedNetwork } from '../../peers/netem.ts';

/** Options of an association but its crypto. */
export type PairOptions = Partial<SctpOptions>;

/** One end: an association and what it told. */
export class SctpEnd {
  readonly association: SctpAssociation;
  readonly peer: MachinePeer<SctpEvent>;
  readonly #network: SimulatedNetwork;

  constructor(network: SimulatedNetwork, options: PairOptions, onEvent?: (event: SctpEvent) => void) {
    this.#network = network;
    this.association = new SctpAssociation({ crypto: nodeSctpCrypto, ...options });
    this.peer = new MachinePeer<SctpEvent>(this.association, onEvent);
  }

  /** Runs a command of the association, with the time. */
  do(command: (association: SctpAssociation, nowMs: number) => SctpEvent[]): void {
    this.peer.handle(command(this.association, this.#network.nowMs));
  }

  send(streamId: number, bytes: Uint8Array, options: Parameters<SctpAssociation['sendMessage']>[3] = {}): void {
    this.do((association, nowMs) => association.sendMessage(streamId, 53, bytes, options, nowMs));
  }

  get messages(): readonly SctpMessageEvent[] {
    return this.events('message');
  }

  events<Type extends SctpEvent['type']>(type: Type): readonly Extract<SctpEvent, { readonly type: Type }>[] {
    return this.peer.events.filter(
      (event): event is Extract<SctpEvent, { readonly type: Type }> => event.type === type,
    );
  }
}

/** What a pair stands on. */
export interface Pair {
  readonly network: SimulatedNetwork;
  readonly a: SctpEnd;
  readonly b: SctpEnd;
  readonly links: readonly [Link, Link];
}

/** Two ends that have not started. */
export function pairOf(link: LinkOptions, a: PairOptions = {}, b: PairOptions = a): Pair {
  const network = new SimulatedNetwork();
  const ends = { a: new SctpEnd(network, a), b: new SctpEnd(network, b) };
  const links = network.connect(ends.a.peer, ends.b.peer, link);
  return { network, ...ends, links };
}

/** Two ends that are connected. */
export function connectedPair(link: LinkOptions, a: PairOptions = {}, b: PairOptions = a): Pair {
  const pair = pairOf(link, a, b);
  pair.a.do((association, nowMs) => association.start(nowMs));
  pair.b.do((association, nowMs) => association.start(nowMs));
  const isUp = (end: SctpEnd): boolean => end.association.state === 'established';
  if (!pair.network.runUntil(() => isUp(pair.a) && isUp(pair.b))) {
    throw new RangeError(`not connected: ${pair.a.association.state}, ${pair.b.association.state}`);
  }
  return pair;
}

/** Bytes that tell messages apart: their number, then a pattern of it. */
export function numbered(number: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 4; i < sizeBytes; i++) bytes[i] = number + i * 7 + (i >> 8);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/**
 * Sends messages from `a` as room comes, until all have arrived at `b`. Returns the virtual seconds it took.
 * @throws RangeError when it takes longer than `limitMs`
 */
export function transfer(
  { network, a, b }: Pair,
  messages: readonly Uint8Array[],
  send: { readonly streamOf?: (index: number) => number; readonly ordered?: boolean; readonly limitMs?: number } = {},
): number {
  const { streamOf = () => 1, ordered = true, limitMs = 600_000 } = send;
  const startMs = network.nowMs;
  let next = 0;
  let received = 0;
  let seen = 0;
  const isDone = (): boolean => {
    for (; next < messages.length; next++) {
      const message = messages[next]!;
      if (a.association.checkSend(streamOf(next), message.length) !== undefined) break;
      a.send(streamOf(next), message, { ordered });
    }
    for (; seen < b.peer.events.length; seen++) if (b.peer.events[seen]!.type === 'message') received++;
    return received >= messages.length || a.association.state === 'failed' || b.association.state === 'failed';
  };
  if (!network.runUntil(isDone, limitMs) || received < messages.length) {
    throw new RangeError(`${received} of ${messages.length} messages; ${JSON.stringify(a.association.statistics)}`);
  }
  return (network.nowMs - startMs) / 1000;
}
