import { getU32 } from '../../wire/big-endian.ts';
import type { AssociationContext } from './association-context.ts';
import { agreementWith, cookieEchoOf, judgeCookie, ourSetup } from './association-setup.ts';
import { CHUNK_TYPE } from './chunk-type.ts';
import { ERROR_CAUSE, numberValue, parseCauses, staleMsOf, writeError } from './error-cause.ts';
import { CHUNK_HEADER_BYTES } from './packet-builder.ts';
import { MAX_STALE_COOKIES } from './sctp-limits.ts';
import { parseSetupChunk, writeSetupChunk } from './setup-chunk.ts';
import { type CookieState, StateCookies } from './state-cookie.ts';

/** Sets the association up, from either side and from both at once, and again when the peer begins anew (RFC 9260 §5). */
export class AssociationHandshake {
  readonly #context: AssociationContext;
  readonly #cookies: StateCookies;
  #cookieEcho: Uint8Array | undefined;
  #staleCookies = 0;

  constructor(context: AssociationContext) {
    this.#context = context;
    this.#cookies = new StateCookies(context.settings.crypto);
  }

  start(nowMs: number): void {
    this.#context.state = 'cookie-wait';
    this.#sendInit(nowMs);
  }

  /** T1 expired. */
  resend(nowMs: number): void {
    const context = this.#context;
    context.resends++;
    if (context.resends > context.settings.maxSetupRetransmissions) {
      context.fail('sctp/setup-timeout', `the peer did not get us further than ${context.state}`);
    } else if (context.state === 'cookie-wait') this.#sendInit(nowMs);
    else this.#sendCookieEcho(nowMs);
  }

  #sendInit(nowMs: number, cookiePreservativeMs?: number): void {
    const context = this.#context;
    const setup = ourSetup(context.settings, context.localTag, context.localInitialTsn);
    const asking = cookiePreservativeMs === undefined ? setup : { ...setup, cookiePreservativeMs };
    context.sendAlone(0, writeSetupChunk('init', asking));
    context.startResendTimer(nowMs);
  }

  #sendCookieEcho(nowMs: number): void {
    const context = this.#context;
    if (this.#cookieEcho !== undefined) context.sendAlone(context.peerTag, this.#cookieEcho);
    context.startResendTimer(nowMs);
  }

  /** INIT (§5.1 B, §5.2.1, §5.2.2): answered without changing anything, since anybody can send one. */
  handleInit(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    const setup = parseSetupChunk(packet, at, end);
    if (setup === undefined) {
      context.dropped.malformed++;
      return;
    }
    const { settings, isSettingUp, localTag, peerTag } = context;
    const tag = isSettingUp ? localTag : context.randomTag();
    const initialTsn = isSettingUp ? context.localInitialTsn : context.randomNumber();
    const cookie = this.#cookies.seal({
      createdAtMs: nowMs,
      lifetimeMs: settings.cookieLifetimeMs + Math.min(settings.cookieLifetimeMs, setup.cookiePreservativeMs ?? 0),
      localTag: tag,
      localInitialTsn: initialTsn,
      tieLocalTag: peerTag === 0 ? 0 : localTag,
      tiePeerTag: peerTag,
      agreement: agreementWith(settings, setup),
    });
    const { initiateTag, unrecognized } = setup;
    const answer = { ...ourSetup(settings, tag, initialTsn), cookie, unrecognized };
    context.sendAlone(initiateTag, writeSetupChunk('initAck', answer));
  }

  handleInitAck(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    if (context.state !== 'cookie-wait') return;
    const setup = parseSetupChunk(packet, at, end);
    if (setup?.cookie === undefined) {
      context.peerTag = setup?.initiateTag ?? 0;
      const cause = { code: ERROR_CAUSE.invalidParameter, value: new Uint8Array(0) };
      context.fail('sctp/bad-setup', 'INIT ACK is malformed or has no cookie', cause);
      return;
    }
    context.peerTag = setup.initiateTag;
    context.prepare(agreementWith(context.settings, setup));
    context.state = 'cookie-echoed';
    context.resends = 0;
    this.#cookieEcho = cookieEchoOf(setup.cookie);
    this.#sendCookieEcho(nowMs);
  }

  /** COOKIE ECHO. True when a COOKIE ACK is due. */
  handleCookieEcho(packet: Uint8Array, at: number, end: number, nowMs: number): boolean {
    const context = this.#context;
    const cookie = this.#cookies.open(packet.subarray(at + CHUNK_HEADER_BYTES, end));
    if (cookie === undefined || cookie.localTag !== getU32(packet, 4)) {
      context.dropped.tag++;
      return false;
    }
    const tags = context.state === 'new' ? undefined : context.tags;
    switch (judgeCookie(cookie, tags, !context.isSettingUp, nowMs)) {
      case 'discard':
        return false;
      case 'stale': {
        const staleUs = Math.min(0xffff_ffff, (nowMs - cookie.createdAtMs - cookie.lifetimeMs) * 1000);
        const error = writeError({ code: ERROR_CAUSE.staleCookie, value: numberValue(staleUs) });
        context.sendAlone(cookie.agreement.peerTag, error);
        return false;
      }
      case 'restart':
        this.#restart(cookie, nowMs);
        return true;
      case 'establish':
        this.#adopt(cookie);
        this.becomeEstablished(nowMs);
        return true;
      case 'acknowledge':
        return true;
    }
  }

  #adopt(cookie: CookieState): void {
    const context = this.#context;
    context.peerTag = cookie.agreement.peerTag;
    context.localTag = cookie.localTag;
    context.localInitialTsn = cookie.localInitialTsn;
    context.prepare(cookie.agreement);
  }

  /** §5.2.4.1: the peer has forgotten the association and everything in it. */
  #restart(cookie: CookieState, nowMs: number): void {
    const context = this.#context;
    context.control.length = 0;
    context.queue.startOver();
    this.#adopt(cookie);
    context.guardDeadlineMs = Number.POSITIVE_INFINITY;
    context.resendDeadlineMs = Number.POSITIVE_INFINITY;
    context.reconfigurationDeadlineMs = Number.POSITIVE_INFINITY;
    context.state = 'established';
    context.hear(nowMs);
    const { outboundStreams, inboundStreams } = cookie.agreement;
    context.emit({ type: 'restarted', outboundStreams, inboundStreams });
  }

  /** The peer has our cookie, or we its own: data flows. */
  becomeEstablished(nowMs: number): void {
    const context = this.#context;
    context.state = 'established';
    context.resendDeadlineMs = Number.POSITIVE_INFINITY;
    context.resends = 0;
    this.#cookieEcho = undefined;
    context.hear(nowMs);
    const { outboundStreams, inboundStreams } = context.transfer!.agreement;
    context.emit({ type: 'connected', outboundStreams, inboundStreams });
  }

  /** ERROR: of interest is a stale cookie (§5.2.6), for which a new one is asked, with a longer life. */
  handleError(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    if (context.state !== 'cookie-echoed') return;
    const stale = parseCauses(packet, at, end).find(({ code }) => code === ERROR_CAUSE.staleCookie);
    if (stale === undefined) return;
    if (++this.#staleCookies > MAX_STALE_COOKIES) {
      context.fail('sctp/stale-cookie', 'the peer found every cookie too old');
      return;
    }
    context.state = 'cookie-wait';
    context.transfer = undefined;
    context.peerTag = 0;
    context.resends = 0;
    this.#sendInit(nowMs, Math.ceil(2 * staleMsOf(stale)) + 1000);
  }
}

/** A COOKIE ACK. */
export const COOKIE_ACK: Uint8Array = Uint8Array.of(CHUNK_TYPE.cookieAck, 0, 0, CHUNK_HEADER_BYTES);
