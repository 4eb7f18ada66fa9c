import type { RtspRequest } from '../../protocol/rtsp/rtsp-message.ts';
import { parseRtspUrl, requestTarget, writeRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { parseScale, parseSpeed } from '../../protocol/rtsp/scale-and-speed.ts';
import { parseSession } from '../../protocol/rtsp/session-header.ts';
import { parseTransports } from '../../protocol/rtsp/transport-header.ts';
import type { AccessControl, RtspRight } from './access-control.ts';
import type { ClientSession } from './client-session.ts';
import type { ClientSessions } from './client-sessions.ts';
import { baseOf, controlWithQuery } from './description-urls.ts';
import { type MediaSession, type RtspMethod, trackIndexOf } from './media-session.ts';
import { type MediaSource, type MediaTarget, targetKey, wantsSrtp } from './media-source.ts';
import type { MulticastAddress } from './multicast-address.ts';
import type { Registrations } from './registration/registrations.ts';
import { answer, type HandledAnswer, methodList } from './rtsp-answers.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import type { RtspIngest } from './rtsp-ingest.ts';

/** A connection is closed with so many wrong passwords. */
export const MAX_FAILED_LOGINS = 10;

/** What a description is written in. */
const SDP = 'application/sdp';
const PARAMETERS = 'text/parameters';

const METHODS: ReadonlySet<string> = new Set<RtspMethod>([
  'OPTIONS',
  'DESCRIBE',
  'ANNOUNCE',
  'SETUP',
  'PLAY',
  'PAUSE',
  'TEARDOWN',
  'GET_PARAMETER',
  'SET_PARAMETER',
  'RECORD',
]);

/** Methods of RFC 2326 that a server may not have. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['REDIRECT']);

export interface RtspRequestHandlerOptions {
  readonly sessions: ClientSessions;
  /** Asked in this order. */
  readonly sources: readonly MediaSource[];
  readonly access: AccessControl;
  /** Who takes what clients publish; without it they can't. */
  readonly ingest: RtspIngest | undefined;
  /** Streams other servers offer; without it they can't. */
  readonly registrations?: Registrations | undefined;
  /** The multicast group of a media session; undefined when multicast is switched off. */
  readonly multicastGroupOf: (session: MediaSession) => Promise<MulticastAddress | undefined>;
  readonly nowMs: () => number;
}

/** A request whose URL and session were found. */
interface Asked {
  readonly request: RtspRequest;
  readonly connection: RtspConnection;
  readonly target: MediaTarget;
  readonly track: number | undefined;
  readonly session: ClientSession | undefined;
}

/**
 * How clients of SAT>IP name the only track of a session when they were told no number. VLC without live555 plays RTSP as
 * one: SETUP of the URL it was given, without DESCRIBE, then PLAY of this.
 */
const SAT_IP_STREAM = '/stream=0';

/** Answers the requests of all connections (RFC 2326 §10). What it learns is kept in sessions, not here. */
export class RtspRequestHandler {
  readonly #options: RtspRequestHandlerOptions;
  readonly #methods: string;
  /** What the last ANNOUNCE of a connection made: publishers name no session at their first SETUP. */
  readonly #announced = new WeakMap<RtspConnection, ClientSession>();

  constructor(options: RtspRequestHandlerOptions) {
    this.#options = options;
    this.#methods = methodList({
      canRecord: options.ingest !== undefined,
      canRegister: options.registrations !== undefined,
    });
  }

  /** @param request an RTSP request with a CSeq */
  async handle(connection: RtspConnection, request: RtspRequest): Promise<HandledAnswer> {
    const { method, headers } = request;
    const unsupported = [...headers.getAll('Require'), ...headers.getAll('Proxy-Require')].join(', ');
    if (unsupported !== '') return answer(551, [['Unsupported', unsupported]]);
    const isRegistration = method === 'REGISTER' || method === 'DEREGISTER';
    if (isRegistration && this.#options.registrations !== undefined) {
      return this.#register(connection, request, this.#options.registrations);
    }
    if (!METHODS.has(method)) return this.#notAllowed(UNSUPPORTED.has(method) ? 405 : 501);
    const sessionText = headers.get('Session');
    const session = sessionText === undefined ? undefined : this.#findSession(sessionText);
    if (sessionText !== undefined && session === undefined) return answer(454);
    session?.touch();
    if (method === 'OPTIONS') return answer(200, [['Public', this.#methods], ...sessionHeader(session)]);
    if (request.url === '*') return this.#handleServer(connection, request, session);
    const url = parseRtspUrl(request.url);
    if (url === undefined) return answer(400);
    if (url.scheme === 'rtsps' && !connection.isSecure) {
      return answer(301, [['Location', writeRtspUrl({ ...url, scheme: 'rtsp' })]]);
    }
    const { path, query, control } = requestTarget(url, (part) => trackIndexOf(part) !== undefined);
    const target: MediaTarget = { path, query: new URLSearchParams(query), url };
    // Whoever could read the key could read the packets.
    if (wantsSrtp(target) && !connection.isSecure) return answer(403);
    const track = control === undefined ? undefined : trackIndexOf(control);
    return this.#handleMedia({ request, connection, target, track, session });
  }

  #handleMedia(asked: Asked): HandledAnswer | Promise<HandledAnswer> {
    const { request, session } = asked;
    const method = request.method as RtspMethod;
    if (method === 'DESCRIBE') return this.#describe(asked);
    if (method === 'ANNOUNCE') return this.#announce(asked);
    if (method === 'SETUP') return this.#setUp(asked);
    if (session === undefined) {
      // Players ask for parameters before they have a session to see whether the server is there.
      const isParameter = method === 'GET_PARAMETER' || method === 'SET_PARAMETER';
      return isParameter ? this.#handleServer(asked.connection, request, undefined) : answer(454);
    }
    const refusal = this.#refusal(asked, session.isRecording ? 'publish' : 'play', session);
    if (refusal !== undefined) return refusal;
    if (method === 'GET_PARAMETER' || method === 'SET_PARAMETER') return parameters(request, session);
    // Publishers name their tracks themselves, perhaps as ours are named.
    const ownTrack = session.mediaSession.trackOf?.(request.url);
    const isSatIp = asked.target.path === SAT_IP_STREAM && onlyTrack(session.mediaSession) !== undefined;
    if (ownTrack === undefined && targetKey(asked.target) !== session.targetKey && !isSatIp) return answer(404);
    const track = ownTrack ?? asked.track;
    switch (method) {
      case 'PLAY':
        return this.#play({ ...asked, track }, session);
      case 'PAUSE':
        return session.pause(track);
      case 'RECORD':
        return this.#options.ingest === undefined ? this.#notAllowed(405) : record(asked.request, session, track);
      case 'TEARDOWN':
        return session.tearDown(track);
      default:
        return this.#notAllowed(405);
    }
  }

  async #describe(asked: Asked): Promise<HandledAnswer> {
    const { request, connection, target } = asked;
    const refusal = this.#refusal(asked, 'play', undefined);
    if (refusal !== undefined) return refusal;
    if (!accepts(request.headers.getAll('Accept'), SDP)) return answer(406);
    // A description is of a whole presentation: what looks like a track is part of the name.
    const mediaSession = await this.#find(connection, wholeTarget(target, asked.track));
    if (mediaSession === undefined) return answer(404);
    if (mediaSession.describe === undefined) return this.#notAllowed(405);
    const description = mediaSession.describe({
      localAddress: connection.local.address,
      ...(target.url.query === '' ? {} : { controlOf: (track: number) => controlWithQuery(request.url, track) }),
      multicast: target.query.has('multicast') ? await this.#options.multicastGroupOf(mediaSession) : undefined,
    });
    return answer(
      200,
      [
        ['Content-Base', baseOf(request.url)],
        ['Content-Type', SDP],
        ['Cache-Control', 'no-cache'],
      ],
      description,
    );
  }

  async #announce(asked: Asked): Promise<HandledAnswer> {
    const { request, connection, target } = asked;
    const { ingest, sessions } = this.#options;
    if (ingest === undefined) return this.#notAllowed(405);
    const access = this.#check(asked, 'publish');
    if ('refusal' in access) return access.refusal;
    const contentType = request.headers.get('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
    if (contentType !== SDP) return answer(415);
    if (!sessions.mayMake(connection)) return answer(453);
    const whole = wholeTarget(target, asked.track);
    const made = await ingest.announce(whole, request.body, connection);
    if ('statusCode' in made) return answer(made.statusCode);
    this.#announced.get(connection)?.close();
    const session = sessions.make({
      connection,
      targetKey: targetKey(whole),
      mediaSession: made,
      username: access.username,
      isRecording: true,
    });
    if (connection.gone.signal.aborted) {
      session.close();
      return answer(454);
    }
    session.bindTo(connection);
    this.#announced.set(connection, session);
    return answer(200, [['Session', session.header]]);
  }

  async #setUp(asked: Asked): Promise<HandledAnswer> {
    const { request, connection, target } = asked;
    const announced = this.#announcedOn(connection);
    const recorded = asked.session ?? announced;
    const ownTrack = recorded?.mediaSession.trackOf?.(request.url);
    const isAnnounced = ownTrack !== undefined || announced?.targetKey === targetKey(target);
    const known = asked.session ?? (isAnnounced ? announced : undefined);
    const access = this.#check(asked, known?.isRecording === true ? 'publish' : 'play', known);
    if ('refusal' in access) return access.refusal;
    const transports = parseTransports(request.headers.getAll('Transport').join(','));
    if (transports.length === 0) return answer(461);
    if (known !== undefined) {
      // RFC 2326 §10.4: a server that can't control both together says so.
      if (ownTrack === undefined && targetKey(target) !== known.targetKey) return answer(459);
      const track = ownTrack ?? asked.track ?? onlyTrack(known.mediaSession);
      if (track === undefined) return answer(459);
      const refusal = known.isRecording ? keyRefusal(known.mediaSession, track, asked) : undefined;
      return refusal === undefined ? known.setUp(track, request.url, transports, connection) : answer(refusal);
    }
    const found = await this.#find(connection, target);
    const whole = found === undefined && asked.track !== undefined ? wholeTarget(target, asked.track) : undefined;
    const mediaSession = found ?? (whole === undefined ? undefined : await this.#find(connection, whole));
    if (mediaSession === undefined || connection.gone.signal.aborted) return answer(404);
    if (mediaSession.openPlayback === undefined) return this.#notAllowed(405);
    const track = (found === undefined ? undefined : asked.track) ?? onlyTrack(mediaSession);
    if (track === undefined) return answer(459);
    if (track >= mediaSession.trackCount) return answer(404);
    if (!this.#options.sessions.mayMake(connection)) return answer(453);
    const session = this.#options.sessions.make({
      connection,
      targetKey: targetKey(found === undefined ? whole! : target),
      mediaSession,
      username: access.username,
      isRecording: false,
    });
    const answered = await session.setUp(track, request.url, transports, connection);
    // Nobody was told of it.
    if (answered.statusCode !== 200) session.close();
    return answered;
  }

  /** What a publisher that names no session means; not what is over. */
  #announcedOn(connection: RtspConnection): ClientSession | undefined {
    const announced = this.#announced.get(connection);
    return announced?.state === 'ended' ? undefined : announced;
  }

  /** The URL is one of another server. */
  #register(connection: RtspConnection, request: RtspRequest, registrations: Registrations): HandledAnswer {
    const access = this.#check({ connection, request }, 'publish');
    if ('refusal' in access) return access.refusal;
    return request.method === 'REGISTER'
      ? registrations.register(connection, request, access.username)
      : registrations.deregister(connection, request, access.username);
  }

  #play(asked: Asked, session: ClientSession): HandledAnswer | Promise<HandledAnswer> {
    const { headers } = asked.request;
    const scaleText = headers.get('Scale');
    const speedText = headers.get('Speed');
    const scale = scaleText === undefined ? undefined : parseScale(scaleText);
    const speed = speedText === undefined ? undefined : parseSpeed(speedText);
    if ((scaleText !== undefined && scale === undefined) || (speedText !== undefined && speed === undefined)) {
      return answer(400);
    }
    return session.play({ track: asked.track, range: headers.get('Range'), scale, speed });
  }

  /** What is about the server and not about media: parameters and signs of life. */
  #handleServer(connection: RtspConnection, request: RtspRequest, session: ClientSession | undefined): HandledAnswer {
    if (request.method !== 'GET_PARAMETER' && request.method !== 'SET_PARAMETER') return this.#notAllowed(405);
    if (session !== undefined) {
      const asked = { request, connection };
      const refusal = this.#refusal(asked, session.isRecording ? 'publish' : 'play', session);
      if (refusal !== undefined) return refusal;
    }
    return parameters(request, session);
  }

  #findSession(text: string): ClientSession | undefined {
    const header = parseSession(text);
    return header === undefined ? undefined : this.#options.sessions.get(header.id);
  }

  async #find(connection: RtspConnection, target: MediaTarget): Promise<MediaSession | undefined> {
    for (const source of this.#options.sources) {
      const found = await source.find(target, connection.gone.signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #refusal(
    asked: Pick<Asked, 'request' | 'connection'>,
    right: RtspRight,
    session: ClientSession | undefined,
  ): HandledAnswer | undefined {
    const access = this.#check(asked, right, session);
    return 'refusal' in access ? access.refusal : undefined;
  }

  /** Whether the client may; a session is only controlled by who made it. */
  #check(
    asked: Pick<Asked, 'request' | 'connection'>,
    right: RtspRight,
    session?: ClientSession,
  ): { readonly username: string | undefined } | { readonly refusal: HandledAnswer } {
    const { request, connection } = asked;
    const authorization = request.headers.get('Authorization');
    const { method, url } = request;
    const decision = this.#options.access.check(right, { authorization, method, url }, this.#options.nowMs());
    switch (decision.type) {
      case 'granted':
        connection.failedLogins = 0;
        if (session !== undefined && session.username !== decision.username) return { refusal: answer(403) };
        return { username: decision.username };
      case 'forbidden':
        return { refusal: answer(403) };
      case 'unauthorized': {
        if (authorization !== undefined) connection.failedLogins++;
        const closes = connection.failedLogins >= MAX_FAILED_LOGINS;
        const challenges = decision.challenges.map((value) => ['WWW-Authenticate', value] as const);
        return { refusal: { ...answer(401, challenges), closes } };
      }
    }
  }

  #notAllowed(statusCode: 405 | 501): HandledAnswer {
    return answer(statusCode, [['Allow', this.#methods]]);
  }
}

/** Parameters by name: there are none, so every one that is named is not understood (RFC 2326 §10.8, §10.9). */
function parameters(request: RtspRequest, session: ClientSession | undefined): HandledAnswer {
  if (request.body.length === 0) return answer(200, sessionHeader(session));
  const contentType = request.headers.get('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() ?? PARAMETERS;
  if (contentType !== PARAMETERS) return answer(415);
  const names = new TextDecoder()
    .decode(request.body)
    .split(/[\r\n]+/)
    .map((line) => line.split(':', 1)[0]!.trim())
    .filter((name) => name !== '');
  if (names.length === 0) return answer(200, sessionHeader(session));
  return answer(451, [...sessionHeader(session), ['Content-Type', PARAMETERS]], `${names.join('\r\n')}\r\n`);
}

function sessionHeader(session: ClientSession | undefined): (readonly [string, string])[] {
  return session === undefined ? [] : [['Session', session.id]];
}

/** Whether one of the Accept headers takes `type` (RFC 2326 §12.1); without any, everything is taken. */
function accepts(values: readonly string[], type: string): boolean {
  if (values.length === 0) return true;
  const [major] = type.split('/');
  return values
    .join(',')
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
    .some(([range, ...parameters]) => {
      const isRefused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
      return !isRefused && (range === type || range === '*/*' || range === `${major}/*` || range === '');
    });
}

/** The target of a URL that names no track: what looks like one is the last part of the path. */
function wholeTarget(target: MediaTarget, track: number | undefined): MediaTarget {
  if (track === undefined) return target;
  return { ...target, path: `${target.path}/track${track + 1}` };
}

/** Scale and Speed are for what is played (RFC 2326 §12.34, §12.35). */
function record({ headers }: RtspRequest, session: ClientSession, track: number | undefined): HandledAnswer {
  const isForPlay = headers.has('Scale') || headers.has('Speed');
  return session.isRecording && isForPlay ? answer(456) : session.record(track);
}

/** Takes the key of a track that is recorded as SRTP: nobody else may have read it on its way. */
function keyRefusal(session: MediaSession, track: number, { request, connection }: Asked): number | undefined {
  if (session.isProtected?.(track) !== true) return undefined;
  return connection.isSecure ? session.takeKey?.(track, request.headers.get('KeyMgmt')) : 403;
}

function onlyTrack(session: MediaSession): number | undefined {
  return session.trackCount === 1 ? 0 : undefined;
}
