import { toHexadecimal } from '../../wire/hexadecimal.ts';
import { isIntegrityValid } from '../stun/message-integrity.ts';
import { StunErrorCode } from '../stun/stun-attributes.ts';
import type { StunCrypto } from '../stun/stun-crypto.ts';
import {
  BINDING_METHOD,
  parseStunMessage,
  StunClass,
  type StunMessage,
  type TransportAddress,
} from '../stun/stun-message.ts';
import { AddressGatherer } from './address-gatherer.ts';
import { authenticate, UnauthenticatedErrors, writeSuccess } from './binding-request.ts';
import { candidatePriority, type IceCandidate } from './candidate.ts';
import { type CandidatePair, type IceBase, type IceRole, type LocalAddress, toLocalAddress } from './candidate-pair.ts';
import { ConsentFreshness } from './consent-freshness.ts';
import { IceCredentials, type IceParameters } from './credentials.ts';
import { iceStateError } from './ice-error.ts';
import { IceSession, PACING_MS } from './ice-session.ts';
import { type IceTuple, isSameTuple } from './ice-tuple.ts';
import type { NominationAttribute, SessionHost } from './session-host.ts';

/** Addresses of ours in a session. */
export const MAX_LOCAL_BASES = 32;
/**
 * Without a working pair so long after both sides' parameters are known, it has failed, whatever the checks said before:
 * the peer may come from an address nobody has told of (RFC 8863).
 */
export const CHECKING_TIMEOUT_MS = 40_000;

/** `disconnected` and `failed` are left by a restart, or when a check of the peer leads to a pair after all; `closed` never. */
export type IceState = 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';

export type IceAgentEvent =
  /** `bytes` belong to the caller. */
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly tuple: IceTuple }
  | { readonly type: 'state'; readonly state: IceState }
  /** Where to send from now on; undefined: nowhere. */
  | { readonly type: 'selected-tuple'; readonly tuple: IceTuple | undefined }
  /** A candidate of ours to be told to the peer. */
  | { readonly type: 'candidate'; readonly candidate: IceCandidate }
  /** No more candidates until a base is added. */
  | { readonly type: 'gathered' }
  /** TCP: connect to there, then say `connected` or `disconnected` with this tuple, whatever port it got. */
  | { readonly type: 'connect'; readonly tuple: IceTuple };

export interface IceAgentOptions {
  /** Ours. */
  readonly parameters: IceParameters;
  /** The offerer controls, unless the peer is lite (RFC 8445 §6.1.1). */
  readonly role: IceRole;
  readonly crypto: StunCrypto;
  /** Random bytes good enough for secrets. */
  readonly random: (sizeBytes: number) => Uint8Array;
  /** IP addresses of STUN servers to ask, at most `MAX_STUN_SERVERS`; default none. */
  readonly stunServers?: readonly TransportAddress[];
  /** Whether each check nominates (RFC 5245) or one at the end; default `regular`. */
  readonly nomination?: 'regular' | 'aggressive';
  /** When given, better pairs are nominated later too, counted in this attribute; the peer must have agreed. */
  readonly nominationAttribute?: NominationAttribute;
}

/**
 * A full ICE agent of one component (RFC 8445; trickle RFC 8838; TCP RFC 6544; consent RFC 7675): gathers host and
 * server-reflexive candidates, checks pairs, nominates or follows nominations, keeps consent, restarts. Without relays,
 * without RTCP of its own, without resolving names.
 */
export class IceAgent {
  readonly #options: IceAgentOptions;
  readonly #host: SessionHost;
  readonly #errors = new UnauthenticatedErrors();
  readonly #locals: LocalAddress[] = [];
  readonly #foundations = new Map<string, string>();
  readonly #candidates: IceCandidate[] = [];
  readonly #gatherer: AddressGatherer;
  #isGathered = true;
  #session: IceSession;
  /** Our credentials before a restart, good until the new ones have led to a pair. */
  #previous: IceCredentials | undefined;
  #state: IceState = 'new';
  #selected: CandidatePair | undefined;
  #consent: ConsentFreshness | undefined;
  /** Session whose credentials the checks for consent are made with. */
  #consentSession: IceSession | undefined;
  /** Before then nothing new is started. */
  #paceMs = 0;
  #checkingSinceMs: number | undefined;
  #events: IceAgentEvent[] = [];

  /** @throws StateError `ice/bad-credentials` */
  constructor(options: IceAgentOptions) {
    this.#options = options;
    this.#gatherer = new AddressGatherer(options.stunServers ?? [], options.random);
    const [tieBreaker] = new BigUint64Array(options.random(8).slice().buffer);
    this.#host = {
      crypto: options.crypto,
      random: options.random,
      tieBreaker: tieBreaker!,
      nomination: options.nomination ?? 'regular',
      nominationAttribute: options.nominationAttribute,
      locals: this.#locals,
      role: options.role,
      send: (bytes, tuple) => this.#events.push({ type: 'send', bytes, tuple }),
      connect: (tuple) => this.#events.push({ type: 'connect', tuple }),
      selected: (pair, isNominated, nowMs) => this.#select(pair, isNominated, nowMs),
    };
    this.#session = new IceSession(new IceCredentials(options.parameters, options.crypto), this.#host);
  }

  get state(): IceState {
    return this.#state;
  }

  /** May change when both sides took the same one. */
  get role(): IceRole {
    return this.#host.role;
  }

  get selectedTuple(): IceTuple | undefined {
    return this.#selected?.tuple;
  }

  /** Whether datagrams of this path may be taken: a check by it has succeeded, before a restart or since. */
  isKnown(tuple: IceTuple): boolean {
    const selected = this.#selected?.tuple;
    return (selected !== undefined && isSameTuple(selected, tuple)) || this.#session.isValid(tuple);
  }

  /**
   * A socket of ours: its host candidate is told at once, its address behind a NAT when a server has answered.
   * @throws StateError `ice/bad-candidate`, `ice/too-many-candidates`
   */
  addBase(base: IceBase): IceAgentEvent[] {
    if (this.#state === 'closed') return [];
    if (this.#locals.length >= MAX_LOCAL_BASES) throw iceStateError('ice/too-many-candidates', 'too many addresses');
    if ((base.protocol === 'tcp') !== (base.tcpType !== undefined)) {
      throw iceStateError('ice/bad-candidate', 'a TCP address is active or passive');
    }
    const kind = `host ${base.protocol} ${base.tcpType ?? ''}`;
    const local = toLocalAddress(base, this.#locals.length, this.#foundationOf(`${kind} ${base.address}`));
    this.#locals.push(local);
    this.#gatherer.add(local);
    this.#tell({
      foundation: local.foundation,
      component: 1,
      transport: base.protocol,
      priority: local.priority,
      address: base.address,
      port: base.port,
      type: 'host',
      ...(base.tcpType === undefined ? {} : { tcpType: base.tcpType }),
    });
    this.#isGathered = false;
    this.#session.addLocal(local);
    if (this.#gatherer.isDone) this.#endGathering();
    return this.#flush();
  }

  /** The same for candidates of one type, address and server (RFC 8445 §5.1.1.3). */
  #foundationOf(key: string): string {
    const known = this.#foundations.get(key);
    if (known !== undefined) return known;
    const foundation = String(this.#foundations.size + 1);
    this.#foundations.set(key, foundation);
    return foundation;
  }

  #tell(candidate: IceCandidate): void {
    this.#candidates.push(candidate);
    this.#events.push({ type: 'candidate', candidate });
  }

  #endGathering(): void {
    if (this.#isGathered) return;
    this.#isGathered = true;
    this.#events.push({ type: 'gathered' });
  }

  /**
   * The peer's parameters; a lite peer makes us control. New ones need a `restart` of ours first.
   * @throws StateError `ice/wrong-state`, `ice/bad-credentials`
   */
  setRemoteParameters(parameters: IceParameters, nowMs: number): IceAgentEvent[] {
    const known = this.#session.remote?.usernameFragment;
    if (known === parameters.usernameFragment || this.#state === 'closed') return [];
    if (known !== undefined) throw iceStateError('ice/wrong-state', 'the peer restarts: so must we');
    this.#session.setRemote(parameters);
    if (parameters.iceLite === true) this.#host.role = 'controlling';
    this.#checkingSinceMs = nowMs;
    this.#enter('checking');
    return this.#flush();
  }

  /** A candidate of the peer; those of no use here are ignored. */
  addRemoteCandidate(candidate: IceCandidate): IceAgentEvent[] {
    if (this.#state !== 'closed') this.#session.addRemote(candidate);
    return this.#flush();
  }

  /** The peer has no more candidates: nothing better is waited for. */
  endOfRemoteCandidates(): IceAgentEvent[] {
    this.#session.endOfRemotes();
    return this.#flush();
  }

  /** Takes a STUN message that came by `tuple`, its local side written as that of a base; anything else is ignored. */
  receive(bytes: Uint8Array, tuple: IceTuple, nowMs: number): IceAgentEvent[] {
    const message = this.#state === 'closed' ? undefined : parseStunMessage(bytes);
    if (message?.method !== BINDING_METHOD) return [];
    if (message.messageClass === StunClass.request) this.#receiveRequest(message, tuple, nowMs);
    else if (message.messageClass !== StunClass.indication) this.#receiveResponse(message, tuple, nowMs);
    return this.#flush();
  }

  #receiveRequest(message: StunMessage, tuple: IceTuple, nowMs: number): void {
    const accepted = [this.#session.local, this.#previous];
    const credentials = authenticate(message, accepted, this.#options.crypto);
    if (credentials === StunErrorCode.badRequest || credentials === StunErrorCode.unauthenticated) {
      const answer = this.#errors.answer(message, credentials, nowMs);
      if (answer !== undefined) this.#host.send(answer, tuple);
    } else if (credentials === this.#session.local) {
      this.#session.handleRequest(message, tuple, nowMs);
    } else if (message.unknownRequired.length === 0) {
      // The session before the restart: its consent is still given, but nothing is learnt.
      this.#host.send(writeSuccess(message, tuple, credentials), tuple);
    }
  }

  #receiveResponse(message: StunMessage, tuple: IceTuple, nowMs: number): void {
    const found = this.#gatherer.answer(message, tuple);
    if (found !== undefined) this.#learnOwnAddress(found.local, found.server, found.mapped);
    if (this.#gatherer.isDone) this.#endGathering();
    const transaction = toHexadecimal(message.transactionId);
    const consent = this.#consent;
    const remote = this.#consentSession?.remote;
    if (consent?.isOutstanding(transaction) !== true || remote === undefined) {
      this.#session.handleResponse(message, tuple, nowMs);
      return;
    }
    const isGenuine =
      isSameTuple(consent.pair.tuple, tuple) && isIntegrityValid(message, remote.key, this.#options.crypto);
    if (isGenuine && message.messageClass === StunClass.success) consent.given(transaction, nowMs);
  }

  #learnOwnAddress(local: LocalAddress, server: TransportAddress, mapped: TransportAddress): void {
    const { base } = local;
    const isKnown = this.#candidates.some(
      (candidate) =>
        candidate.transport === 'udp' && candidate.address === mapped.address && candidate.port === mapped.port,
    );
    if (isKnown) return;
    this.#tell({
      foundation: this.#foundationOf(`srflx ${base.address} ${server.address}`),
      component: 1,
      transport: 'udp',
      priority: candidatePriority({
        type: 'srflx',
        transport: 'udp',
        localPreference: Math.floor(local.priority / 256) & 0xffff,
      }),
      address: mapped.address,
      port: mapped.port,
      type: 'srflx',
      relatedAddress: base.address,
      relatedPort: base.port,
    });
  }

  #select(pair: CandidatePair, isNominated: boolean, nowMs: number): void {
    const old = this.#selected;
    if (pair !== old) {
      this.#selected = pair;
      this.#consent = new ConsentFreshness(pair, this.#options.random, nowMs);
      this.#consentSession = this.#session;
      this.#previous = undefined;
      if (old === undefined || !isSameTuple(old.tuple, pair.tuple)) {
        this.#events.push({ type: 'selected-tuple', tuple: pair.tuple });
      }
    }
    this.#enter(isNominated ? 'completed' : 'connected');
  }

  #enter(state: IceState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (state !== 'checking') this.#checkingSinceMs = undefined;
    this.#events.push({ type: 'state', state });
  }

  /**
   * New parameters, then all our candidates again (RFC 8445 §9). The peer's follow by `setRemoteParameters`; until a pair
   * works with both, what is sent goes on by the old one.
   * @throws StateError `ice/wrong-state` once closed, `ice/bad-credentials`
   */
  restart(parameters: IceParameters): IceAgentEvent[] {
    if (this.#state === 'closed') throw iceStateError('ice/wrong-state', 'the agent is closed');
    const session = new IceSession(new IceCredentials(parameters, this.#options.crypto), this.#host);
    this.#previous = this.#session.local;
    this.#session = session;
    for (const candidate of this.#candidates) this.#events.push({ type: 'candidate', candidate });
    if (this.#isGathered) this.#events.push({ type: 'gathered' });
    return this.#flush();
  }

  /** TCP: the connection asked for stands. */
  connected(tuple: IceTuple): IceAgentEvent[] {
    this.#session.connected(tuple);
    return this.#flush();
  }

  /** TCP: a connection asked for failed, or any connection ended. */
  disconnected(tuple: IceTuple): IceAgentEvent[] {
    this.#session.disconnected(tuple);
    if (this.#selected !== undefined && isSameTuple(this.#selected.tuple, tuple)) this.#loseSelected();
    return this.#flush();
  }

  #loseSelected(): void {
    this.#selected = undefined;
    this.#consent = undefined;
    this.#session.loseSelected();
    this.#events.push({ type: 'selected-tuple', tuple: undefined });
    this.#enter('disconnected');
  }

  get #hasNext(): boolean {
    return this.#gatherer.hasNext || this.#session.hasNext;
  }

  nextTimeoutMs(): number | undefined {
    if (this.#state === 'closed') return undefined;
    const soonestMs = Math.min(
      this.#hasNext ? this.#paceMs : Number.POSITIVE_INFINITY,
      this.#gatherer.nextTimeoutMs(),
      this.#session.nextTimeoutMs(),
      this.#consent?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.#checkingSinceMs === undefined ? Number.POSITIVE_INFINITY : this.#checkingSinceMs + CHECKING_TIMEOUT_MS,
    );
    return soonestMs === Number.POSITIVE_INFINITY ? undefined : soonestMs;
  }

  handleTimeout(nowMs: number): IceAgentEvent[] {
    if (this.#state === 'closed') return [];
    for (const { bytes, tuple } of this.#gatherer.due(nowMs)) this.#host.send(bytes, tuple);
    if (this.#gatherer.isDone) this.#endGathering();
    this.#session.handleTimeout(nowMs);
    this.#keepConsent(nowMs);
    if (this.#hasNext && nowMs >= this.#paceMs) {
      this.#paceMs = nowMs + PACING_MS;
      const question = this.#gatherer.next(nowMs);
      if (question === undefined) this.#session.startNext(nowMs);
      else this.#host.send(question.bytes, question.tuple);
    }
    const isLate = this.#checkingSinceMs !== undefined && nowMs >= this.#checkingSinceMs + CHECKING_TIMEOUT_MS;
    if (isLate) this.#enter('failed');
    return this.#flush();
  }

  #keepConsent(nowMs: number): void {
    const consent = this.#consent;
    const session = this.#consentSession;
    const due = consent?.poll(nowMs);
    if (due === undefined || consent === undefined || session === undefined) return;
    if (due === 'expired') {
      this.#loseSelected();
      return;
    }
    const transactionId = this.#options.random(12);
    consent.sent(toHexadecimal(transactionId));
    this.#host.send(session.writeCheck(consent.pair, false, transactionId), consent.pair.tuple);
  }

  /** Ends it; nothing is sent. May be called again. */
  close(): IceAgentEvent[] {
    this.#consent = undefined;
    this.#enter('closed');
    return this.#flush();
  }

  #flush(): IceAgentEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
