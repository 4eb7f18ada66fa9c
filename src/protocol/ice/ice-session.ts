import { toHexadecimal } from '../../wire/hexadecimal.ts';
import { isIntegrityValid } from '../stun/message-integrity.ts';
import { MIN_RETRANSMISSION_MS, Retransmission } from '../stun/retransmission.ts';
import { StunAttribute, StunErrorCode } from '../stun/stun-attributes.ts';
import { BINDING_METHOD, StunClass, type StunMessage } from '../stun/stun-message.ts';
import { StunWriter } from '../stun/stun-writer.ts';
import { writeError, writeSuccess } from './binding-request.ts';
import type { IceCandidate } from './candidate.ts';
import {
  CandidatePair,
  canPair,
  type IceRole,
  type LocalAddress,
  type RemoteAddress,
  tupleOf,
} from './candidate-pair.ts';
import { CheckList } from './check-list.ts';
import { IceCredentials, type IceParameters } from './credentials.ts';
import { type IceTuple, isSameTuple } from './ice-tuple.ts';
import { RemoteAddresses } from './remote-addresses.ts';
import type { SessionHost } from './session-host.ts';

/** Time between the starts of two checks, Ta (RFC 8445 §14.2). */
export const PACING_MS = 50;
/**
 * Checks are sent at least this often, and up to so many times: some 36 s in all as RFC 8489 has it, but where a third is
 * lost each way, waits that double each time would spend most of them on two or three sendings.
 */
const MAX_CHECK_WAIT_MS = 2000;
const MAX_CHECK_SENDINGS = 16;
/** How long a controlling agent with a working pair waits for a better one. */
export const NOMINATION_PATIENCE_MS = 300;
/** How long connecting over TCP may take. */
export const TCP_CONNECT_TIMEOUT_MS = 10_000;

interface Check {
  readonly pair: CandidatePair;
  readonly bytes: Uint8Array;
  readonly role: IceRole;
  readonly isNomination: boolean;
  readonly retransmission: Retransmission;
}

/** The checks between one pair of credentials: from the first candidates to a nominated pair; a restart begins another. */
export class IceSession {
  readonly local: IceCredentials;
  #remote: IceCredentials | undefined;
  readonly #host: SessionHost;
  readonly #list = new CheckList();
  readonly #remotes = new RemoteAddresses();
  /** By transaction id in hexadecimal; at most one of a pair. */
  readonly #checks = new Map<string, Check>();
  #hasAllRemotes = false;
  /** Set with the first pair that works. */
  #firstValidMs: number | undefined;
  #nominated: CandidatePair | undefined;
  /** The one pair the peer was told of: without counted nominations it may follow only one. */
  #nominating: CandidatePair | undefined;
  /** Largest nomination taken or sent. */
  #nominationCount = 0;
  #selected: CandidatePair | undefined;

  constructor(local: IceCredentials, host: SessionHost) {
    this.local = local;
    this.#host = host;
  }

  get remote(): IceCredentials | undefined {
    return this.#remote;
  }

  setRemote(parameters: IceParameters): void {
    this.#remote = new IceCredentials(parameters, this.#host.crypto);
  }

  /** Pairs a new base with every address of the peer that is known. */
  addLocal(local: LocalAddress): void {
    for (const remote of this.#remotes.all) this.#pair(local, remote);
  }

  /** Takes a candidate; ignores names, other components, and those beyond `MAX_REMOTE_CANDIDATES`. */
  addRemote(candidate: IceCandidate): void {
    const added = this.#remotes.add(candidate);
    if (added === undefined) return;
    const { remote, isNew } = added;
    if (!isNew) {
      for (const pair of this.#list.pairs) if (isAddressOf(pair, remote)) pair.remote = remote;
    } else if (this.#nominated === undefined || this.#host.nominationAttribute !== undefined) {
      for (const local of this.#host.locals) this.#pair(local, remote);
    }
  }

  endOfRemotes(): void {
    this.#hasAllRemotes = true;
  }

  #pair(local: LocalAddress, remote: RemoteAddress): void {
    if (!canPair(local, remote)) return;
    const tuple = tupleOf(local.base, remote.address, remote.port);
    this.#list.add(new CandidatePair(local, remote, tuple), this.#host.role);
  }

  /** Answers a request made with our password and learns from it (RFC 8445 §7.3.1). */
  handleRequest(request: StunMessage, tuple: IceTuple, nowMs: number): void {
    const local = this.#host.locals.find(
      ({ base }) =>
        base.port === tuple.localPort && base.address === tuple.localAddress && base.protocol === tuple.protocol,
    );
    if (local === undefined) return;
    const priority = request.u32(StunAttribute.priority);
    let code: number | undefined;
    if (request.unknownRequired.length > 0) code = StunErrorCode.unknownAttribute;
    else if (priority === undefined) code = StunErrorCode.badRequest;
    else code = this.#settleRoles(request);
    if (code !== undefined || priority === undefined) {
      this.#host.send(writeError(request, code ?? StunErrorCode.badRequest, this.local), tuple);
      return;
    }
    this.#host.send(writeSuccess(request, tuple, this.local), tuple);
    const pair = this.#list.find(tuple) ?? this.#learn(local, tuple, priority);
    if (pair === undefined) return;
    pair.isConnected = true;
    const nomination = request.u32(StunAttribute.nomination) ?? request.u32(StunAttribute.googNomination);
    const isChosen = nomination !== undefined || request.has(StunAttribute.useCandidate);
    if (isChosen && this.#host.role === 'controlled') {
      pair.chosenByPeer = { nomination };
      if (pair.state === 'succeeded') this.#followPeer(pair, nowMs);
    }
    const isDecided = this.#nominated !== undefined && !isChosen && this.#host.nominationAttribute === undefined;
    if (pair.state !== 'succeeded' && !isDecided) this.#list.trigger(pair);
  }

  /** Decides who is in control when both or none think they are (§7.3.1.1). @returns the error to answer with */
  #settleRoles(request: StunMessage): number | undefined {
    const { role, tieBreaker } = this.#host;
    const theirs = request.u64(role === 'controlling' ? StunAttribute.iceControlling : StunAttribute.iceControlled);
    if (theirs === undefined) return undefined;
    const isOursLarger = tieBreaker >= theirs;
    // The larger number controls: whoever finds itself wrong changes, whoever is right says so.
    if ((role === 'controlling') === isOursLarger) return StunErrorCode.roleConflict;
    this.#switchRole();
    return undefined;
  }

  #switchRole(): void {
    this.#host.role = this.#host.role === 'controlling' ? 'controlled' : 'controlling';
    this.#nominating = undefined;
  }

  /** A pair nobody knew of: with an address only this request has shown, or one that had none with this base yet. */
  #learn(local: LocalAddress, tuple: IceTuple, priority: number): CandidatePair | undefined {
    const remote = this.#remotes.learn(tuple, priority);
    return remote === undefined ? undefined : this.#list.add(new CandidatePair(local, remote, tuple), this.#host.role);
  }

  /** Takes a response to a check; one that is not genuine or came by another path is as if it were lost. */
  handleResponse(response: StunMessage, tuple: IceTuple, nowMs: number): void {
    const transaction = toHexadecimal(response.transactionId);
    const check = this.#checks.get(transaction);
    if (check === undefined || this.#remote === undefined || !isSameTuple(check.pair.tuple, tuple)) return;
    if (!isIntegrityValid(response, this.#remote.key, this.#host.crypto)) return;
    if (response.unknownRequired.length > 0) return;
    this.#checks.delete(transaction);
    const { pair } = check;
    if (response.messageClass === StunClass.success) {
      this.#succeed(check, nowMs);
    } else if (response.errorCode() === StunErrorCode.roleConflict) {
      // Asked again in the other role, unless that was changed since (§7.2.5.1).
      if (check.role === this.#host.role) this.#switchRole();
      if (pair.state !== 'succeeded') pair.state = 'waiting';
      this.#list.trigger(pair);
    } else {
      pair.state = 'failed';
    }
  }

  #succeed(check: Check, nowMs: number): void {
    const { pair } = check;
    pair.state = 'succeeded';
    this.#firstValidMs ??= nowMs;
    this.#list.unfreeze(pair.foundation);
    const isOurs = this.#host.role === 'controlling' && check.isNomination;
    if (isOurs && this.#isBetter(pair)) this.#nominate(pair, nowMs);
    else if (this.#host.role === 'controlled' && pair.chosenByPeer !== undefined) this.#followPeer(pair, nowMs);
    else this.#reselect(nowMs);
  }

  /** Whether a pair may take the place of the nominated one: the nomination of aggressive agents that is worth more (RFC 5245 §8.1.1.2). */
  #isBetter(pair: CandidatePair): boolean {
    const { role } = this.#host;
    return this.#nominated === undefined || pair.priority(role) > this.#nominated.priority(role);
  }

  /** The peer has chosen a pair that works; counted choices go by their count (renomination). */
  #followPeer(pair: CandidatePair, nowMs: number): void {
    const nomination = pair.chosenByPeer?.nomination;
    pair.chosenByPeer = undefined;
    if (nomination === undefined) {
      if (!this.#isBetter(pair)) return;
    } else {
      if (nomination <= this.#nominationCount) return;
      this.#nominationCount = nomination;
    }
    this.#nominate(pair, nowMs);
  }

  #nominate(pair: CandidatePair, nowMs: number): void {
    this.#nominated = pair;
    if (this.#host.nomination === 'regular' && this.#host.nominationAttribute === undefined) {
      this.#list.dropUnchecked();
      for (const [transaction, check] of this.#checks) if (check.pair !== pair) this.#forget(transaction, check);
    }
    this.#reselect(nowMs);
  }

  #forget(transaction: string, { pair }: Check): void {
    this.#checks.delete(transaction);
    if (pair.state === 'in-progress') pair.state = 'failed';
  }

  /** Sends by the nominated pair, before there is one by the best that works (RFC 8445 §12.1). */
  #reselect(nowMs: number): void {
    const pair = this.#nominated ?? this.#list.best('succeeded', this.#host.role);
    if (pair === undefined) return;
    this.#selected = pair;
    this.#host.selected(pair, this.#nominated !== undefined, nowMs);
  }

  /** Whether a path was found to work: what comes by it is the peer's. */
  isValid(tuple: IceTuple): boolean {
    return this.#list.find(tuple)?.state === 'succeeded';
  }

  /** The selected pair has lost consent: what was found is not believed any more. */
  loseSelected(): void {
    this.#nominated = undefined;
    this.#nominating = undefined;
    this.#selected = undefined;
    this.#firstValidMs = undefined;
    this.#nominationCount = 0;
    for (const pair of this.#list.pairs) if (pair.state === 'succeeded') pair.state = 'failed';
  }

  /** Whether a check waits to be started. */
  get hasNext(): boolean {
    return this.#remote !== undefined && (this.#list.hasNext || this.#pairToNominate() !== undefined);
  }

  /** Starts the next check; paced by the caller. */
  startNext(nowMs: number): void {
    if (this.#remote === undefined) return;
    if (this.#isTimeToNominate(nowMs)) {
      const pair = this.#pairToNominate();
      if (pair !== undefined) {
        if (this.#host.nomination === 'regular') this.#nominating = pair;
        this.#check(pair, true, nowMs);
        return;
      }
    }
    const pair = this.#list.next(this.#host.role);
    if (pair !== undefined) this.#startCheck(pair, nowMs);
  }

  /** The pair a controlling agent wants and has not told of yet. */
  #pairToNominate(): CandidatePair | undefined {
    const { role, nominationAttribute } = this.#host;
    if (role !== 'controlling' || this.#firstValidMs === undefined) return undefined;
    if (this.#nominated !== undefined && nominationAttribute === undefined) return undefined;
    const isTold = this.#nominating?.state === 'succeeded' && nominationAttribute === undefined;
    const best = isTold ? this.#nominating : this.#list.best('succeeded', role);
    if (best === undefined || best === this.#nominated || !this.#isBetter(best)) return undefined;
    for (const check of this.#checks.values()) if (check.isNomination && check.pair === best) return undefined;
    return best;
  }

  #isTimeToNominate(nowMs: number): boolean {
    if (this.#firstValidMs === undefined) return false;
    if (nowMs >= this.#firstValidMs + NOMINATION_PATIENCE_MS) return true;
    const { role } = this.#host;
    const best = this.#list.best('succeeded', role)?.priority(role) ?? 0n;
    for (const pair of this.#list.pairs) {
      const isOpen = pair.state !== 'succeeded' && pair.state !== 'failed';
      if (isOpen && pair.priority(role) > best) return false;
    }
    return this.#hasAllRemotes;
  }

  #startCheck(pair: CandidatePair, nowMs: number): void {
    if (!pair.isConnected) {
      if (pair.connectDeadlineMs !== undefined) {
        // It was connected once; nobody connects again.
        if (pair.state !== 'in-progress') pair.state = 'failed';
        return;
      }
      pair.state = 'in-progress';
      pair.connectDeadlineMs = nowMs + TCP_CONNECT_TIMEOUT_MS;
      this.#host.connect(pair.tuple);
      return;
    }
    // One check of a pair at a time: a trigger while it is on its way sends it again at once.
    for (const [transaction, check] of this.#checks) {
      if (check.pair !== pair) continue;
      if (check.role === this.#host.role && pair.tuple.protocol === 'udp') {
        this.#host.send(check.bytes, pair.tuple);
        return;
      }
      this.#checks.delete(transaction);
    }
    this.#check(pair, this.#host.role === 'controlling' && this.#host.nomination === 'aggressive', nowMs);
  }

  #check(pair: CandidatePair, isNomination: boolean, nowMs: number): void {
    const transactionId = this.#host.random(12);
    const bytes = this.writeCheck(pair, isNomination, transactionId);
    if (pair.state !== 'succeeded') pair.state = 'in-progress';
    const retransmission = new Retransmission(nowMs, {
      firstWaitMs: Math.max(MIN_RETRANSMISSION_MS, PACING_MS * this.#list.activeCount),
      maxWaitMs: MAX_CHECK_WAIT_MS,
      maxSendings: MAX_CHECK_SENDINGS,
      isReliable: pair.tuple.protocol === 'tcp',
    });
    const { role } = this.#host;
    this.#checks.set(toHexadecimal(transactionId), { pair, bytes, role, isNomination, retransmission });
    this.#host.send(bytes, pair.tuple);
  }

  /** A check of this session (RFC 8445 §7.2.4), also those for consent. */
  writeCheck(pair: CandidatePair, isNomination: boolean, transactionId: Uint8Array): Uint8Array {
    const { role, tieBreaker, nominationAttribute } = this.#host;
    const remote = this.#remote!;
    const writer = new StunWriter(StunClass.request, BINDING_METHOD, transactionId)
      .text(StunAttribute.username, `${remote.usernameFragment}:${this.local.usernameFragment}`)
      .u32(StunAttribute.priority, pair.local.peerReflexivePriority)
      .u64(role === 'controlling' ? StunAttribute.iceControlling : StunAttribute.iceControlled, tieBreaker);
    if (isNomination) {
      writer.flag(StunAttribute.useCandidate);
      if (nominationAttribute !== undefined) writer.u32(nominationAttribute, ++this.#nominationCount);
    }
    return writer.messageIntegrity(remote.key).fingerprint().finish();
  }

  /** When a check is to be sent again or given up. */
  nextTimeoutMs(): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const { retransmission } of this.#checks.values()) soonestMs = Math.min(soonestMs, retransmission.dueMs);
    for (const pair of this.#list.pairs) {
      if (!pair.isConnected && pair.state === 'in-progress') {
        soonestMs = Math.min(soonestMs, pair.connectDeadlineMs ?? soonestMs);
      }
    }
    return soonestMs;
  }

  handleTimeout(nowMs: number): void {
    for (const [transaction, check] of this.#checks) {
      if (check.retransmission.dueMs > nowMs) continue;
      if (check.retransmission.next(nowMs) === 'send') {
        this.#host.send(check.bytes, check.pair.tuple);
      } else {
        this.#checks.delete(transaction);
        if (check.pair !== this.#selected) check.pair.state = 'failed';
      }
    }
    for (const pair of this.#list.pairs) {
      const isLate = !pair.isConnected && pair.state === 'in-progress' && nowMs >= (pair.connectDeadlineMs ?? nowMs);
      if (isLate) pair.state = 'failed';
    }
  }

  /** TCP: a connection asked for stands. */
  connected(tuple: IceTuple): void {
    const pair = this.#list.find(tuple);
    if (pair === undefined || pair.isConnected || pair.state !== 'in-progress') return;
    pair.isConnected = true;
    pair.state = 'waiting';
    this.#list.trigger(pair);
  }

  /** TCP: a connection has ended, or could not be made. */
  disconnected(tuple: IceTuple): void {
    const pair = this.#list.find(tuple);
    if (pair === undefined) return;
    pair.state = 'failed';
    pair.isConnected = false;
    for (const [transaction, check] of this.#checks) if (check.pair === pair) this.#checks.delete(transaction);
  }
}

function isAddressOf({ remote }: CandidatePair, address: RemoteAddress): boolean {
  return remote.port === address.port && remote.address === address.address && remote.transport === address.transport;
}
