import { findStreamName } from '../protocol/rtp/extensions/stream-name.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { StateError } from '../wire/errors.ts';

/** Most SSRCs of one producer that were learned from its packets, those of encodings it no longer sends included. */
export const MAX_LEARNED_SSRCS = 32;

/** Codes of the `StateError`s of an `RtpListener`. */
export type RtpListenerErrorCode =
  /** Another producer of the transport has this SSRC, or the producer has it twice. */
  | 'rtp-listener/ssrc-taken'
  /** Another producer of the transport has this MID. */
  | 'rtp-listener/mid-taken'
  /** The producer has this RID twice, or another has it, and without a MID nothing tells them apart. */
  | 'rtp-listener/rid-taken'
  /** An encoding with neither SSRC nor RID, that is not the only one of a producer with a MID: nothing tells its packets. */
  | 'rtp-listener/nothing-to-go-by'
  /** The producer is there already. */
  | 'rtp-listener/known';

/** What a producer's packets are told by. */
export interface ListenedParameters {
  readonly mid?: string | undefined;
  readonly encodings: readonly {
    readonly ssrc?: number | undefined;
    readonly rid?: string | undefined;
    readonly rtx?: { readonly ssrc: number } | undefined;
  }[];
}

/** Ids of the header extension elements that name a stream; 0 or left out for those that were not agreed on. */
export interface StreamNameIds {
  readonly mid?: number | undefined;
  readonly rid?: number | undefined;
  readonly rrid?: number | undefined;
}

/** The tables as `dump()` shows them: of each entry the id of its producer. */
export interface RtpListenerDump {
  readonly ssrcTable: readonly { readonly key: number; readonly value: string }[];
  readonly midTable: readonly { readonly key: string; readonly value: string }[];
  readonly ridTable: readonly { readonly key: string; readonly value: string }[];
}

interface Listened {
  readonly learnedSsrcs: number[];
  readonly ssrcs: readonly number[];
  readonly mid: string | undefined;
  readonly rids: readonly string[];
}

/**
 * Which producer of a transport a packet belongs to: by SSRC, else by MID, else by RID (RFC 8843 §9.2, RFC 8852 §3). An
 * SSRC found by a name is remembered. `P` is the producer.
 */
export class RtpListener<P extends { readonly id: string }> {
  readonly #producers = new Map<P, Listened>();
  readonly #bySsrc = new Map<number, P>();
  readonly #byMid = new Map<string, P>();
  /** RIDs are the producer's own: several may have one. */
  readonly #byRid = new Map<string, readonly P[]>();

  /**
   * Enters a producer; none of it when something of it can't be.
   * @throws StateError `RtpListenerErrorCode`
   */
  add(producer: P, parameters: ListenedParameters): void {
    const mid = parameters.mid === undefined || parameters.mid === '' ? undefined : parameters.mid;
    const ssrcs: number[] = [];
    const rids: string[] = [];
    for (const { ssrc, rid, rtx } of parameters.encodings) {
      if (ssrc !== undefined && ssrc !== 0) ssrcs.push(ssrc);
      if (rtx !== undefined && rtx.ssrc !== 0) ssrcs.push(rtx.ssrc);
      if (rid !== undefined && rid !== '') rids.push(rid);
    }
    if (!canTell(mid, parameters)) {
      const message = `an encoding of producer ${producer.id} has neither SSRC nor RID, and no MID of its own`;
      throw listenerError('rtp-listener/nothing-to-go-by', message);
    }
    this.#check(producer, { mid, ssrcs, rids });
    this.#producers.set(producer, { learnedSsrcs: [], ssrcs, mid, rids });
    for (const ssrc of ssrcs) this.#bySsrc.set(ssrc, producer);
    if (mid !== undefined) this.#byMid.set(mid, producer);
    for (const rid of rids) this.#byRid.set(rid, [...(this.#byRid.get(rid) ?? []), producer]);
  }

  /** Takes a producer out, and all that was learned of it. */
  remove(producer: P): void {
    const listened = this.#producers.get(producer);
    if (listened === undefined) return;
    this.#producers.delete(producer);
    for (const ssrc of listened.ssrcs) this.#bySsrc.delete(ssrc);
    for (const ssrc of listened.learnedSsrcs) this.#bySsrc.delete(ssrc);
    if (listened.mid !== undefined) this.#byMid.delete(listened.mid);
    for (const rid of listened.rids) {
      const others = (this.#byRid.get(rid) ?? []).filter((other) => other !== producer);
      if (others.length === 0) this.#byRid.delete(rid);
      else this.#byRid.set(rid, others);
    }
  }

  /** The producer of a packet, whose SSRC is remembered; `undefined` when nothing tells. */
  find(packet: RtpPacketView, ids: StreamNameIds): P | undefined {
    const { ssrc } = packet;
    return this.#bySsrc.get(ssrc) ?? this.#learn(ssrc, this.#findByName(packet, ids));
  }

  /** The producer an SSRC is known to belong to: for RTCP. */
  findBySsrc(ssrc: number): P | undefined {
    return this.#bySsrc.get(ssrc);
  }

  dump(): RtpListenerDump {
    const ridTable = [];
    for (const [key, producers] of this.#byRid) for (const { id } of producers) ridTable.push({ key, value: id });
    return {
      ssrcTable: Array.from(this.#bySsrc, ([key, { id }]) => ({ key, value: id })),
      midTable: Array.from(this.#byMid, ([key, { id }]) => ({ key, value: id })),
      ridTable,
    };
  }

  #findByName(packet: RtpPacketView, { mid = 0, rid = 0, rrid = 0 }: StreamNameIds): P | undefined {
    const name = findStreamName(packet, mid);
    // A MID that is not known belongs to nobody here, whatever RID goes with it.
    if (name !== undefined) return this.#byMid.get(name);
    const own = findStreamName(packet, rid) ?? findStreamName(packet, rrid);
    const producers = own === undefined ? undefined : this.#byRid.get(own);
    // Between two with this RID nothing decides.
    return producers?.length === 1 ? producers[0] : undefined;
  }

  #learn(ssrc: number, producer: P | undefined): P | undefined {
    const learned = producer === undefined ? undefined : this.#producers.get(producer)?.learnedSsrcs;
    if (producer === undefined || learned === undefined) return undefined;
    if (learned.length === MAX_LEARNED_SSRCS) this.#bySsrc.delete(learned.shift()!);
    learned.push(ssrc);
    this.#bySsrc.set(ssrc, producer);
    return producer;
  }

  #check(producer: P, { mid, ssrcs, rids }: Pick<Listened, 'mid' | 'ssrcs' | 'rids'>): void {
    const { id } = producer;
    if (this.#producers.has(producer)) throw listenerError('rtp-listener/known', `producer ${id} is there already`);
    const seen = new Set<number>();
    for (const ssrc of ssrcs) {
      if (seen.has(ssrc) || this.#bySsrc.has(ssrc)) {
        throw listenerError('rtp-listener/ssrc-taken', `SSRC ${ssrc} of producer ${id} is taken`);
      }
      seen.add(ssrc);
    }
    if (mid !== undefined && this.#byMid.has(mid)) {
      throw listenerError('rtp-listener/mid-taken', `MID ${mid} of producer ${id} is taken`);
    }
    const taken = rids.find((rid, i) => rids.indexOf(rid) < i || (mid === undefined && this.#byRid.has(rid)));
    if (taken !== undefined) {
      throw listenerError('rtp-listener/rid-taken', `RID ${taken} of producer ${id} is taken, and no MID decides`);
    }
  }
}

/** Whether packets of every encoding can be told. The one encoding of a producer may go by the MID alone. */
function canTell(mid: string | undefined, { encodings }: ListenedParameters): boolean {
  if (encodings.length <= 1 && mid !== undefined) return true;
  return encodings.length > 0 && encodings.every(({ ssrc, rid }) => (ssrc ?? 0) !== 0 || (rid ?? '') !== '');
}

function listenerError(code: RtpListenerErrorCode, message: string): StateError {
  return new StateError(code, message);
}
