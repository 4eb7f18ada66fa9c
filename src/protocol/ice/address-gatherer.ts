import { toHexadecimal } from '../../wire/hexadecimal.ts';
import { Retransmission } from '../stun/retransmission.ts';
import { BINDING_METHOD, StunClass, type StunMessage, type TransportAddress } from '../stun/stun-message.ts';
import { StunWriter } from '../stun/stun-writer.ts';
import { type LocalAddress, tupleOf } from './candidate-pair.ts';
import { type IceTuple, isSameTuple } from './ice-tuple.ts';

/** Requests of one base to one server; the last is given up 12 s after the first. */
const MAX_SENDINGS = 5;
/** Servers asked. */
export const MAX_STUN_SERVERS = 4;

interface Question {
  readonly local: LocalAddress;
  readonly tuple: IceTuple;
  readonly transaction: string;
  readonly bytes: Uint8Array;
  /** Undefined until it was sent. */
  retransmission: Retransmission | undefined;
}

/** What a server saw. */
export interface MappedAddress {
  readonly local: LocalAddress;
  readonly server: TransportAddress;
  readonly mapped: TransportAddress;
}

/** Asks STUN servers what our addresses look like from outside (RFC 8445 §5.1.1.2), UDP only, without credentials. */
export class AddressGatherer {
  readonly #servers: readonly TransportAddress[];
  readonly #random: (sizeBytes: number) => Uint8Array;
  #questions: Question[] = [];

  /** `servers` as IP addresses; those beyond `MAX_STUN_SERVERS` are not asked. */
  constructor(servers: readonly TransportAddress[], random: (sizeBytes: number) => Uint8Array) {
    this.#servers = servers.slice(0, MAX_STUN_SERVERS);
    this.#random = random;
  }

  add(local: LocalAddress): void {
    const { base } = local;
    if (base.protocol !== 'udp') return;
    for (const { address, port } of this.#servers) {
      if (address.includes(':') !== base.address.includes(':')) continue;
      const transactionId = this.#random(12);
      this.#questions.push({
        local,
        tuple: tupleOf(base, address, port),
        transaction: toHexadecimal(transactionId),
        bytes: new StunWriter(StunClass.request, BINDING_METHOD, transactionId).finish(),
        retransmission: undefined,
      });
    }
  }

  /** Whether every question was answered or given up. */
  get isDone(): boolean {
    return this.#questions.length === 0;
  }

  /** Whether something waits to be sent for the first time. */
  get hasNext(): boolean {
    return this.#questions.some(({ retransmission }) => retransmission === undefined);
  }

  /** The first sending of a question; paced by the caller. */
  next(nowMs: number): Question | undefined {
    const question = this.#questions.find(({ retransmission }) => retransmission === undefined);
    if (question !== undefined) question.retransmission = new Retransmission(nowMs, { maxSendings: MAX_SENDINGS });
    return question;
  }

  nextTimeoutMs(): number {
    return Math.min(...this.#questions.map(({ retransmission }) => retransmission?.dueMs ?? Number.POSITIVE_INFINITY));
  }

  /** Questions to be sent again now; those nobody answers are given up. */
  due(nowMs: number): readonly Question[] {
    const again: Question[] = [];
    this.#questions = this.#questions.filter((question) => {
      const { retransmission } = question;
      if (retransmission === undefined || retransmission.dueMs > nowMs) return true;
      if (retransmission.next(nowMs) === 'expired') return false;
      again.push(question);
      return true;
    });
    return again;
  }

  /** Takes a response; undefined when it answers no question or tells no address. */
  answer(message: StunMessage, tuple: IceTuple): MappedAddress | undefined {
    const transaction = toHexadecimal(message.transactionId);
    const question = this.#questions.find((candidate) => candidate.transaction === transaction);
    if (question === undefined || !isSameTuple(question.tuple, tuple)) return undefined;
    this.#questions = this.#questions.filter((other) => other !== question);
    const mapped = message.messageClass === StunClass.success ? message.mappedAddress() : undefined;
    const server = { address: tuple.remoteAddress, port: tuple.remotePort };
    return mapped === undefined ? undefined : { local: question.local, server, mapped };
  }
}
