import { StunAttribute, StunErrorCode } from '../stun/stun-attributes.ts';
import type { StunCrypto } from '../stun/stun-crypto.ts';
import { BINDING_METHOD, parseStunMessage, StunClass, type StunMessage } from '../stun/stun-message.ts';
import { authenticate, UnauthenticatedErrors, writeError, writeSuccess } from './binding-request.ts';
import { IceCredentials, type IceParameters } from './credentials.ts';
import { iceStateError } from './ice-error.ts';
import { type IceTuple, isSameTuple } from './ice-tuple.ts';
import { RecentTransactions } from './recent-transactions.ts';

/** Paths kept of one peer; the one longest without a check makes room for another. */
export const MAX_TUPLES = 8;
/** A path without a valid check for so long must not be sent to any more (RFC 7675 §5.1). */
export const DEFAULT_CONSENT_TIMEOUT_MS = 30_000;

/** mediasoup's states: `connected` can be sent on, `completed` was nominated too, `disconnected` lost consent. */
export type IceLiteState = 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';

export type IceLiteEvent<T extends IceTuple> =
  /** `bytes` belong to the caller. */
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly tuple: T }
  | { readonly type: 'state'; readonly state: IceLiteState }
  /** Where to send from now on; undefined when there is no such path any more. */
  | { readonly type: 'selected-tuple'; readonly tuple: T | undefined }
  /** A path was found genuine: datagrams from there are this transport's, until it is removed. */
  | { readonly type: 'tuple-added'; readonly tuple: T }
  | { readonly type: 'tuple-removed'; readonly tuple: T }
  /** After a restart: nobody addresses us by this fragment any more. */
  | { readonly type: 'fragment-retired'; readonly usernameFragment: string };

export interface IceLiteAgentOptions {
  /** Ours. */
  readonly parameters: IceParameters;
  readonly crypto: StunCrypto;
  /** Milliseconds; 0 never takes consent away. Default `DEFAULT_CONSENT_TIMEOUT_MS`. */
  readonly consentTimeoutMs?: number;
}

interface Path<T> {
  readonly tuple: T;
  checkedMs: number;
}

/**
 * The side of ICE that only answers, for one transport of a server (RFC 8445 §2.5, RFC 7675): learns the peer's
 * addresses from its genuine requests, follows its nominations and renominations, and stops when checks stay away. It
 * hands back the very tuple objects it was given. Always controlled, always one component.
 *
 * Since such an agent sends no checks, it believes an address as soon as a genuine request came from there; the request
 * of another address heard on the way and sent again from elsewhere is ignored as long as it is among the last ones.
 */
export class IceLiteAgent<T extends IceTuple> {
  readonly #crypto: StunCrypto;
  readonly #consentTimeoutMs: number;
  readonly #errors = new UnauthenticatedErrors();
  readonly #recent = new RecentTransactions<T>();
  #credentials: IceCredentials;
  /** Before the restart; good until the new ones are used. */
  #oldCredentials: IceCredentials | undefined;
  #state: IceLiteState = 'new';
  /** In the order they were found. */
  #paths: Path<T>[] = [];
  #selected: Path<T> | undefined;
  /** The largest the peer has named, undefined before it named one. */
  #nomination: number | undefined;

  /** @throws StateError `ice/bad-credentials` */
  constructor(options: IceLiteAgentOptions) {
    this.#crypto = options.crypto;
    this.#consentTimeoutMs = options.consentTimeoutMs ?? DEFAULT_CONSENT_TIMEOUT_MS;
    this.#credentials = new IceCredentials(options.parameters, options.crypto);
  }

  get state(): IceLiteState {
    return this.#state;
  }

  get selectedTuple(): T | undefined {
    return this.#selected?.tuple;
  }

  /** Paths found genuine and still alive, at most `MAX_TUPLES`. */
  get tuples(): readonly T[] {
    return this.#paths.map(({ tuple }) => tuple);
  }

  /** Whether datagrams of this path may be taken. */
  isKnown(tuple: IceTuple): boolean {
    for (const path of this.#paths) if (isSameTuple(path.tuple, tuple)) return true;
    return false;
  }

  /** Takes a STUN message that came by `tuple`; anything else is ignored. */
  receive(bytes: Uint8Array, tuple: T, nowMs: number): IceLiteEvent<T>[] {
    if (this.#state === 'closed') return [];
    const message = parseStunMessage(bytes);
    // Nothing was asked, so no responses are expected; indications change nothing.
    if (message?.messageClass !== StunClass.request || message.method !== BINDING_METHOD) return [];
    const credentials = authenticate(message, [this.#credentials, this.#oldCredentials], this.#crypto);
    if (typeof credentials === 'number') {
      const answer = this.#errors.answer(message, credentials, nowMs);
      return answer === undefined ? [] : [{ type: 'send', bytes: answer, tuple }];
    }
    const code = errorOf(message);
    if (code !== undefined) return [{ type: 'send', bytes: writeError(message, code, credentials), tuple }];
    const novelty = this.#recent.add(message.transactionId, tuple);
    if (novelty === 'from-elsewhere') return [];
    // Its answer was lost, or it is a copy: it tells nothing new about the path.
    if (novelty === 'repeated') return [{ type: 'send', bytes: writeSuccess(message, tuple, credentials), tuple }];
    const events: IceLiteEvent<T>[] = [];
    if (credentials === this.#credentials) this.#retireOld(events);
    const path = this.#findOrAdd(tuple, nowMs, events);
    events.push({ type: 'send', bytes: writeSuccess(message, tuple, credentials), tuple: path.tuple });
    this.#follow(message, path, events);
    return events;
  }

  /** Follows the peer's choice; its first path serves until there is one. */
  #follow(message: StunMessage, path: Path<T>, events: IceLiteEvent<T>[]): void {
    const nomination = message.u32(StunAttribute.nomination) ?? message.u32(StunAttribute.googNomination);
    if (nomination === undefined && !message.has(StunAttribute.useCandidate)) {
      if (this.#selected !== undefined) return;
      this.#select(path, events);
      this.#enter('connected', events);
      return;
    }
    if (nomination !== undefined) {
      if (this.#nomination !== undefined && nomination <= this.#nomination) return;
      this.#nomination = nomination;
    }
    this.#select(path, events);
    this.#enter('completed', events);
  }

  #findOrAdd(tuple: T, nowMs: number, events: IceLiteEvent<T>[]): Path<T> {
    const known = this.#paths.find((path) => isSameTuple(path.tuple, tuple));
    if (known !== undefined) {
      known.checkedMs = nowMs;
      return known;
    }
    if (this.#paths.length >= MAX_TUPLES) {
      const others = this.#paths.filter((path) => path !== this.#selected);
      this.#drop(leastRecent(others)!, events);
    }
    const path: Path<T> = { tuple, checkedMs: nowMs };
    this.#paths.push(path);
    events.push({ type: 'tuple-added', tuple });
    return path;
  }

  #drop(path: Path<T>, events: IceLiteEvent<T>[]): void {
    this.#paths = this.#paths.filter((other) => other !== path);
    events.push({ type: 'tuple-removed', tuple: path.tuple });
  }

  #select(path: Path<T> | undefined, events: IceLiteEvent<T>[]): void {
    if (this.#selected === path) return;
    this.#selected = path;
    events.push({ type: 'selected-tuple', tuple: path?.tuple });
  }

  #enter(state: IceLiteState, events: IceLiteEvent<T>[]): void {
    if (this.#state === state) return;
    this.#state = state;
    events.push({ type: 'state', state });
  }

  #retireOld(events: IceLiteEvent<T>[]): void {
    if (this.#oldCredentials === undefined) return;
    events.push({ type: 'fragment-retired', usernameFragment: this.#oldCredentials.usernameFragment });
    this.#oldCredentials = undefined;
  }

  /** A path that has ended, such as a TCP connection that was closed. */
  removeTuple(tuple: IceTuple): IceLiteEvent<T>[] {
    const events: IceLiteEvent<T>[] = [];
    const path = this.#paths.find((candidate) => isSameTuple(candidate.tuple, tuple));
    if (path === undefined) return events;
    this.#drop(path, events);
    this.#replaceSelected(events);
    return events;
  }

  /** When the selected path is gone, the one checked last serves, until the peer chooses again. */
  #replaceSelected(events: IceLiteEvent<T>[]): void {
    if (this.#selected === undefined || this.#paths.includes(this.#selected)) return;
    const next = this.#paths.reduce<Path<T> | undefined>(
      (best, path) => (best === undefined || path.checkedMs > best.checkedMs ? path : best),
      undefined,
    );
    this.#select(next, events);
    // The peer may count anew after it lost this one.
    this.#nomination = undefined;
    if (next === undefined) this.#enter('disconnected', events);
  }

  /**
   * Takes new parameters (RFC 8445 §9): what is sent goes on by the old path, and the old parameters are good, until the
   * peer checks with the new ones.
   * @throws StateError `ice/bad-credentials`, `ice/wrong-state` once closed
   */
  restart(parameters: IceParameters): IceLiteEvent<T>[] {
    if (this.#state === 'closed') throw iceStateError('ice/wrong-state', 'the agent is closed');
    const credentials = new IceCredentials(parameters, this.#crypto);
    const events: IceLiteEvent<T>[] = [];
    this.#retireOld(events);
    this.#oldCredentials = this.#credentials;
    this.#credentials = credentials;
    this.#nomination = undefined;
    return events;
  }

  /** When the path longest without a check loses consent. */
  nextTimeoutMs(): number | undefined {
    const oldest = this.#consentTimeoutMs === 0 ? undefined : leastRecent(this.#paths);
    return oldest === undefined ? undefined : oldest.checkedMs + this.#consentTimeoutMs;
  }

  handleTimeout(nowMs: number): IceLiteEvent<T>[] {
    const events: IceLiteEvent<T>[] = [];
    if (this.#consentTimeoutMs === 0) return events;
    for (const path of this.#paths) {
      if (nowMs - path.checkedMs >= this.#consentTimeoutMs) this.#drop(path, events);
    }
    this.#replaceSelected(events);
    return events;
  }

  /** Ends it; its paths are told as removed. May be called again. */
  close(): IceLiteEvent<T>[] {
    const events: IceLiteEvent<T>[] = [];
    for (const path of this.#paths) this.#drop(path, events);
    this.#select(undefined, events);
    this.#enter('closed', events);
    return events;
  }
}

/** Why a genuine request is refused all the same. */
function errorOf(request: StunMessage): number | undefined {
  if (request.unknownRequired.length > 0) return StunErrorCode.unknownAttribute;
  if (request.u32(StunAttribute.priority) === undefined) return StunErrorCode.badRequest;
  // Two controlled sides would wait for each other (RFC 8445 §7.3.1.1).
  return request.has(StunAttribute.iceControlled) ? StunErrorCode.roleConflict : undefined;
}

function leastRecent<T>(paths: readonly Path<T>[]): Path<T> | undefined {
  return paths.reduce<Path<T> | undefined>(
    (oldest, path) => (oldest === undefined || path.checkedMs < oldest.checkedMs ? path : oldest),
    undefined,
  );
}
