import type { StateError } from '../../wire/errors.ts';
import { attributeOf, ownDirectionOf, type SessionDescription } from '../sdp/session-description.ts';
import { parseSessionDescription } from '../sdp/session-description-parser.ts';
import { writeSessionDescription } from '../sdp/session-description-writer.ts';
import { ClientAuthenticator } from './client-authentication.ts';
import type { RtspClientEvent, RtspClientTrack } from './client-events.ts';
import { ClientExchange, type ClientRequest } from './client-exchange.ts';
import type { AuthenticationCrypto } from './digest.ts';
import { parseRange, type RtspRange, writeRange } from './range-header.ts';
import { parseRtpInfo } from './rtp-info.ts';
import { type RtspErrorCode, rtspError, rtspStateError } from './rtsp-error.ts';
import type { RtspRequest, RtspResponse } from './rtsp-message.ts';
import { RtspMessageReader, type RtspMessageReaderOptions } from './rtsp-message-reader.ts';
import { aggregateUrlOf, joinControl, parseRtspUrl, type RtspUrl, writeRtspUrl } from './rtsp-url.ts';
import { parseScale, parseSpeed, writeScale } from './scale-and-speed.ts';
import { replyToServer } from './server-request-reply.ts';
import { parseSession, RTSP_DEFAULT_SESSION_TIMEOUT_SECONDS } from './session-header.ts';
import { isInterleaved, parseTransports, type RtspTransport, writeTransports } from './transport-header.ts';

/** How a device is asked for its back channel (ONVIF Streaming Specification §5.3.2). */
const BACK_CHANNEL_FEATURE = 'www.onvif.org/ver20/backchannel';

/** How long the answer to TEARDOWN is waited for. */
const TEARDOWN_TIMEOUT_MS = 2000;

const REDIRECTS: ReadonlySet<number> = new Set([300, 301, 302, 303, 305, 307, 308]);

/** Settings of a client session. Times are milliseconds. */
export interface RtspClientSessionOptions {
  /** Where to; see `parseRtspUrl`. Its credentials are used when `credentials` are not given. */
  readonly url: RtspUrl;
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly crypto: Pick<AuthenticationCrypto, 'hash'>;
  /** 8 random bytes or more in hexadecimal digits, for digest authentication. */
  readonly cnonce: string;
  /** What is published; its tracks need `a=control`. Without it the session plays. */
  readonly announcement?: SessionDescription;
  /** Whether to ask for the device's back channel. A device that has none is played without. */
  readonly wantsBackChannel?: boolean;
  /** `Millrace` by default. */
  readonly userAgent?: string;
  /** How long an answer may take; 10000. */
  readonly responseTimeoutMs?: number;
  readonly limits?: RtspMessageReaderOptions;
}

/** A track to set up. */
export interface TrackSetup {
  readonly track: RtspClientTrack;
  /** Alternatives in the order they are wanted; `mode` is added for publishing. */
  readonly transports: readonly RtspTransport[];
  /** Further headers, for example `KeyMgmt` (RFC 4567 §3.2). */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** What of a stream to play, and how. */
export interface PlayRequest {
  /** From its beginning by default, or from where it was paused. */
  readonly range?: RtspRange;
  readonly scale?: number;
  readonly speed?: number;
}

type State =
  | 'idle'
  | 'opening'
  | 'described'
  | 'setting-up'
  | 'ready'
  | 'starting'
  | 'running'
  | 'paused'
  | 'ending'
  | 'over';

/**
 * One RTSP connection, seen from a client that plays or publishes one stream (RFC 2326): OPTIONS, DESCRIBE or ANNOUNCE;
 * SETUP of the tracks its owner chooses over transports its owner provides; PLAY or RECORD; then it keeps the session
 * alive. `start`, then `receive` what comes; the events say what to do next. Tunnels, sockets and RTCP are the owner's.
 *
 * Servers that allow no aggregate PLAY (459) are not played.
 */
export class RtspClientSession {
  readonly #options: RtspClientSessionOptions;
  readonly #requestUrl: string;
  readonly #reader: RtspMessageReader;
  readonly #exchange: ClientExchange;
  #events: RtspClientEvent[] = [];
  #state: State = 'idle';
  #publicMethods: ReadonlySet<string> = new Set();
  #wantsBackChannel: boolean;
  #aggregateUrl: string;
  #tracks: readonly RtspClientTrack[] = [];
  #setups: TrackSetup[] = [];
  #timeoutMs = RTSP_DEFAULT_SESSION_TIMEOUT_SECONDS * 1000;
  #keepAliveAtMs: number | undefined;
  #hasStarted = false;

  constructor(options: RtspClientSessionOptions) {
    this.#options = options;
    this.#requestUrl = writeRtspUrl(options.url);
    this.#aggregateUrl = this.#requestUrl;
    this.#wantsBackChannel = options.wantsBackChannel ?? false;
    this.#reader = new RtspMessageReader(options.limits);
    const { username, password } = options.credentials ?? options.url;
    this.#exchange = new ClientExchange({
      userAgent: options.userAgent ?? 'Millrace',
      responseTimeoutMs: options.responseTimeoutMs ?? 10_000,
      authenticator:
        username === undefined
          ? undefined
          : new ClientAuthenticator({
              username,
              password: password ?? '',
              crypto: options.crypto,
              cnonce: options.cnonce,
            }),
    });
  }

  /** What the server can do, as it said (RFC 2326 §12.28); empty when it did not say. */
  get publicMethods(): ReadonlySet<string> {
    return this.#publicMethods;
  }

  /** The session's id, once the server named it. */
  get sessionId(): string | undefined {
    return this.#exchange.sessionId;
  }

  /** After how much silence the server gives the session up. RTCP of a player counts as a sign of life on most servers. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** The connection stands: begin. Once only. */
  start(nowMs: number): RtspClientEvent[] {
    if (this.#state !== 'idle') throw wrongState('started before');
    this.#state = 'opening';
    return this.#ask({ method: 'OPTIONS', url: this.#requestUrl, headers: [] }, nowMs);
  }

  /**
   * Input from the server, cut anywhere. Never throws for what is in it. Payloads of interleaved frames are views, valid
   * until the next call.
   */
  receive(bytes: Uint8Array, nowMs: number): RtspClientEvent[] {
    if (this.#state === 'idle') throw wrongState('not started');
    if (this.#state === 'over') return [];
    for (const event of this.#reader.receive(bytes)) {
      switch (event.type) {
        case 'interleaved':
          this.#events.push(event);
          break;
        case 'response':
          this.#takeResponse(event, nowMs);
          break;
        case 'request':
          this.#takeRequest(event);
          break;
        case 'malformed':
          this.#fail('rtsp/malformed-response', `the server sent what is no message: ${event.reason}`);
          break;
        case 'raw':
          this.#fail('rtsp/malformed-response', 'the server changed the protocol');
          break;
        case 'failed':
          this.#over({ type: 'failed', error: event.error, statusCode: undefined });
          break;
        default:
          event satisfies never;
      }
      if (this.#isOver()) break;
      // At once, so that what follows in the same input can be its answer wherever the input is cut.
      this.#sendNext(nowMs);
    }
    return this.#finish(nowMs);
  }

  /** When `handleTimeout` wants to be called; undefined for never. */
  nextTimeoutMs(): number | undefined {
    if (this.#state === 'over') return undefined;
    return this.#exchange.deadlineMs ?? this.#keepAliveAtMs;
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over') return [];
    const overdue = this.#exchange.takeOverdue(nowMs);
    if (overdue?.method === 'TEARDOWN') this.#over({ type: 'ended' });
    else if (overdue !== undefined && overdue.isKeepAlive !== true) {
      this.#fail('rtsp/response-timeout', `no answer to ${overdue.method}`);
    } else if (this.#keepAliveAtMs !== undefined && nowMs >= this.#keepAliveAtMs && this.#exchange.isIdle) {
      // Some servers take GET_PARAMETER for an error when they do not list it.
      const method = this.#publicMethods.has('GET_PARAMETER') ? 'GET_PARAMETER' : 'OPTIONS';
      this.#exchange.add({ method, url: this.#aggregateUrl, headers: [], isKeepAlive: true });
    }
    return this.#finish(nowMs);
  }

  /** Sets tracks up, one after another, once `described` came; more of them later too, until it plays. */
  setUp(setups: readonly TrackSetup[], nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over') return [];
    if ((this.#state !== 'described' && this.#state !== 'ready') || setups.length === 0)
      throw wrongState('nothing to set up');
    this.#setups = [...setups];
    this.#state = 'setting-up';
    this.#askForSetup();
    return this.#finish(nowMs);
  }

  /** Plays, or, while it plays, goes elsewhere or changes its pace. */
  play(request: PlayRequest, nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#options.announcement !== undefined || !this.#isSetUp()) throw wrongState('no tracks to play are set up');
    const range = request.range ?? (this.#hasStarted ? undefined : FROM_THE_BEGINNING);
    const headers: [string, string][] = [];
    if (range !== undefined) headers.push(['Range', writeRange(range)]);
    if (request.scale !== undefined) headers.push(['Scale', writeScale(request.scale)]);
    if (request.speed !== undefined) headers.push(['Speed', writeScale(request.speed)]);
    this.#addFeatures(headers);
    if (this.#state === 'ready') this.#state = 'starting';
    return this.#ask({ method: 'PLAY', url: this.#aggregateUrl, headers }, nowMs);
  }

  /** Publishes, or goes on after a pause. */
  record(nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#options.announcement === undefined || (this.#state !== 'ready' && this.#state !== 'paused'))
      throw wrongState('no tracks to record are set up');
    const headers: [string, string][] = this.#hasStarted ? [] : [['Range', writeRange(FROM_THE_BEGINNING)]];
    this.#state = 'starting';
    return this.#ask({ method: 'RECORD', url: this.#aggregateUrl, headers }, nowMs);
  }

  /** Pauses; `play` goes on. */
  pause(nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'running') throw wrongState('not running');
    return this.#ask({ method: 'PAUSE', url: this.#aggregateUrl, headers: [] }, nowMs);
  }

  /** Asks for the session's end; `ended` comes with the answer, or when none came in time. Any time, any number of times. */
  teardown(nowMs: number): RtspClientEvent[] {
    if (this.#state === 'over' || this.#state === 'ending') return [];
    this.#exchange.dropAll();
    this.#keepAliveAtMs = undefined;
    if (this.#exchange.sessionId === undefined) {
      this.#over({ type: 'ended' });
    } else {
      this.#state = 'ending';
      this.#exchange.add({ method: 'TEARDOWN', url: this.#aggregateUrl, headers: [], timeoutMs: TEARDOWN_TIMEOUT_MS });
    }
    return this.#finish(nowMs);
  }

  #ask(request: ClientRequest, nowMs: number): RtspClientEvent[] {
    this.#exchange.add(request);
    return this.#finish(nowMs);
  }

  /** Sends what may be sent and gives the events since the last time. */
  #finish(nowMs: number): RtspClientEvent[] {
    this.#sendNext(nowMs);
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #sendNext(nowMs: number): void {
    const bytes = this.#exchange.next(nowMs);
    if (bytes === undefined) return;
    this.#events.push({ type: 'send', bytes });
    if (this.#exchange.sessionId !== undefined && this.#state !== 'ending') {
      this.#keepAliveAtMs = nowMs + this.#timeoutMs / 2;
    }
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #isSetUp(): boolean {
    return (
      this.#state === 'ready' || this.#state === 'starting' || this.#state === 'running' || this.#state === 'paused'
    );
  }

  #fail(code: RtspErrorCode, message: string, statusCode?: number): void {
    this.#over({ type: 'failed', error: rtspError(code, message), statusCode });
  }

  #over(event: RtspClientEvent): void {
    this.#state = 'over';
    this.#exchange.dropAll();
    this.#events.push(event);
  }

  #takeRequest(request: RtspRequest): void {
    const reply = replyToServer(request);
    this.#events.push({ type: 'send', bytes: reply.bytes });
    if (reply.statusCode !== 200) return;
    switch (request.method) {
      case 'REDIRECT': {
        const url = request.headers.get('Location') ?? this.#requestUrl;
        this.#events.push({ type: 'redirect', url, statusCode: undefined });
        break;
      }
      case 'ANNOUNCE':
      case 'SET_PARAMETER':
      case 'PLAY_NOTIFY':
        this.#events.push({ type: 'notified', request });
        break;
      case 'TEARDOWN':
        this.#over({ type: 'ended' });
        break;
      default:
    }
  }

  #takeResponse(response: RtspResponse, nowMs: number): void {
    const result = this.#exchange.receive(response, nowMs);
    if (result.type === 'repeated') this.#events.push({ type: 'send', bytes: result.bytes });
    if (result.type !== 'answered') return;
    const { request } = result;
    const { statusCode } = response;
    if (request.method === 'TEARDOWN') this.#over({ type: 'ended' });
    else if (request.isKeepAlive === true) this.#takeKeepAlive(request, response);
    else if (statusCode === 401) this.#fail('rtsp/unauthorized', refusal(request, response), statusCode);
    else if (REDIRECTS.has(statusCode)) this.#takeRedirect(request, response);
    else if (statusCode < 300) this.#takeSuccess(request, response, nowMs);
    else this.#takeRefusal(request, response);
  }

  #takeKeepAlive(request: ClientRequest, response: RtspResponse): void {
    if (response.statusCode === 454) {
      this.#fail('rtsp/session-lost', 'the server does not know the session any more', 454);
    } else if (response.statusCode >= 400 && request.method === 'GET_PARAMETER') {
      this.#publicMethods = new Set([...this.#publicMethods].filter((method) => method !== 'GET_PARAMETER'));
    }
  }

  #takeRedirect(request: ClientRequest, response: RtspResponse): void {
    const location = response.headers.get('Location')?.trim();
    if (location === undefined || parseRtspUrl(location) === undefined) {
      this.#fail('rtsp/bad-redirect', `${refusal(request, response)}, without a URL`, response.statusCode);
    } else {
      this.#over({ type: 'redirect', url: location, statusCode: response.statusCode });
    }
  }

  #takeRefusal(request: ClientRequest, response: RtspResponse): void {
    const { statusCode, reason } = response;
    if (request.method === 'OPTIONS') {
      // Not every server has it; what counts comes next.
      this.#open();
    } else if (request.method === 'DESCRIBE' && this.#wantsBackChannel) {
      this.#wantsBackChannel = false;
      this.#open();
    } else if (statusCode === 551 && this.#wantsBackChannel && request.track?.isBackChannel !== true) {
      // Some devices describe it and know nothing of it afterwards.
      this.#wantsBackChannel = false;
      const headers = request.headers.filter(([name]) => name !== 'Require');
      this.#exchange.add({ ...request, headers });
    } else if (request.method === 'SETUP' && request.track !== undefined) {
      this.#refuseTrack(request.track, statusCode, reason);
    } else if (statusCode === 454) {
      this.#fail('rtsp/session-lost', refusal(request, response), statusCode);
    } else if (this.#hasStarted) {
      this.#events.push({ type: 'refused', method: request.method, statusCode, reason });
    } else {
      this.#fail('rtsp/refused', refusal(request, response), statusCode);
    }
  }

  #refuseTrack(track: RtspClientTrack, statusCode: number, reason: string): void {
    this.#setups = [];
    this.#state = this.#exchange.sessionId === undefined ? 'described' : 'ready';
    this.#events.push({ type: 'track-refused', track, statusCode, reason });
  }

  #takeSuccess(request: ClientRequest, response: RtspResponse, nowMs: number): void {
    switch (request.method) {
      case 'OPTIONS':
        this.#publicMethods = methodsOf(response);
        this.#open();
        break;
      case 'DESCRIBE':
        this.#takeDescription(response);
        break;
      case 'ANNOUNCE':
        this.#takeSession(response, nowMs);
        this.#describe(this.#options.announcement!, this.#requestUrl);
        break;
      case 'SETUP':
        this.#takeSetup(request.track!, response, nowMs);
        break;
      case 'PLAY':
        this.#hasStarted = true;
        this.#state = 'running';
        this.#events.push(toPlaying(response));
        break;
      case 'RECORD':
        this.#hasStarted = true;
        this.#state = 'running';
        this.#events.push({ type: 'recording' });
        break;
      case 'PAUSE':
        this.#state = 'paused';
        this.#events.push({ type: 'paused' });
        break;
      default:
    }
  }

  /** Asks for the description, or tells ours. */
  #open(): void {
    const { announcement } = this.#options;
    if (announcement === undefined) {
      const headers: [string, string][] = [['Accept', 'application/sdp']];
      this.#addFeatures(headers);
      this.#exchange.add({ method: 'DESCRIBE', url: this.#requestUrl, headers });
    } else {
      const body = writeSessionDescription(announcement);
      const headers = [['Content-Type', 'application/sdp']] as const;
      this.#exchange.add({ method: 'ANNOUNCE', url: this.#requestUrl, headers, body });
    }
  }

  #addFeatures(headers: [string, string][]): void {
    if (this.#wantsBackChannel) headers.push(['Require', BACK_CHANNEL_FEATURE]);
  }

  #takeDescription(response: RtspResponse): void {
    const description = parseSessionDescription(response.body);
    if (description === undefined || description.media.length === 0) {
      this.#fail('rtsp/bad-description', 'the server describes the stream in no way that can be read');
      return;
    }
    this.#aggregateUrl = aggregateUrlOf({
      requestUrl: this.#requestUrl,
      contentBase: response.headers.get('Content-Base'),
      contentLocation: response.headers.get('Content-Location'),
      control: attributeOf(description, 'control'),
    });
    this.#describe(description, this.#aggregateUrl);
  }

  #describe(description: SessionDescription, base: string): void {
    this.#tracks = description.media.map((media, index) => ({
      index,
      media,
      url: joinControl(base, attributeOf(media, 'control')),
      isBackChannel: this.#wantsBackChannel && ownDirectionOf(media) === 'sendonly',
    }));
    if (!this.#tracks.some((track) => track.isBackChannel)) this.#wantsBackChannel = false;
    this.#state = 'described';
    this.#events.push({ type: 'described', description, tracks: this.#tracks });
  }

  #askForSetup(): void {
    const setup = this.#setups[0];
    if (setup === undefined) return;
    const mode = this.#options.announcement === undefined ? undefined : ['RECORD'];
    const transports = setup.transports.map((transport) => (mode === undefined ? transport : { ...transport, mode }));
    const headers: [string, string][] = [['Transport', writeTransports(transports)]];
    for (const [name, value] of setup.headers ?? []) headers.push([name, value]);
    this.#addFeatures(headers);
    this.#exchange.add({ method: 'SETUP', url: setup.track.url, headers, track: setup.track });
  }

  #takeSetup(track: RtspClientTrack, response: RtspResponse, nowMs: number): void {
    const setup = this.#setups.shift();
    this.#takeSession(response, nowMs);
    const transport = agreedTransport(setup?.transports ?? [], response);
    if (transport === undefined) {
      this.#refuseTrack(track, 461, 'the server answered with a transport that was not asked for');
      return;
    }
    this.#events.push({ type: 'track-ready', track, transport });
    if (this.#setups.length > 0) {
      this.#askForSetup();
    } else {
      this.#state = 'ready';
      this.#events.push({ type: 'ready' });
    }
  }

  #takeSession(response: RtspResponse, nowMs: number): void {
    const session = parseSession(response.headers.get('Session') ?? '');
    if (session === undefined) return;
    this.#exchange.sessionId = session.id;
    if (session.timeoutSeconds !== undefined) this.#timeoutMs = session.timeoutSeconds * 1000;
    this.#keepAliveAtMs = nowMs + this.#timeoutMs / 2;
  }
}

const FROM_THE_BEGINNING: RtspRange = { type: 'npt', startUs: 0, endUs: undefined };

function wrongState(message: string): StateError {
  return rtspStateError('rtsp/wrong-state', message);
}

function refusal(request: ClientRequest, response: RtspResponse): string {
  return `${request.method} was answered with ${response.statusCode} ${response.reason}`;
}

function methodsOf(response: RtspResponse): ReadonlySet<string> {
  const lists = [...response.headers.getAll('Public'), ...response.headers.getAll('Allow')];
  return new Set(lists.flatMap((list) => list.split(/[\s,]+/)).filter((method) => method !== ''));
}

function toPlaying(response: RtspResponse): RtspClientEvent {
  const { headers } = response;
  return {
    type: 'playing',
    range: parseRange(headers.get('Range') ?? ''),
    scale: parseScale(headers.get('Scale') ?? ''),
    speed: parseSpeed(headers.get('Speed') ?? ''),
    rtpInfos: parseRtpInfo(headers.getAll('RTP-Info').join(',')),
  };
}

/** What a SETUP came to: the server's answer, completed by what was asked; undefined when that is another kind of transport. */
function agreedTransport(asked: readonly RtspTransport[], response: RtspResponse): RtspTransport | undefined {
  const [answer] = parseTransports(response.headers.getAll('Transport').join(','));
  if (answer === undefined) return asked.length === 1 ? asked[0] : undefined;
  const match = asked.find(
    (transport) =>
      isInterleaved(transport) === isInterleaved(answer) &&
      (transport.delivery === 'multicast') === (answer.delivery === 'multicast'),
  );
  if (match === undefined) return undefined;
  const interleaved = answer.interleaved ?? match.interleaved;
  const clientPort = answer.clientPort ?? match.clientPort;
  return { ...answer, delivery: answer.delivery ?? match.delivery, interleaved, clientPort };
}
