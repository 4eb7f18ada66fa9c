import type { StreamName } from '../../../media/stream-name.ts';
import { DEFAULT_VHOST, streamKey } from '../../../media/stream-name.ts';
import type { RtspRequest } from '../../../protocol/rtsp/rtsp-message.ts';
import { parseRtspUrl, type RtspUrl, writeRtspUrl } from '../../../protocol/rtsp/rtsp-url.ts';
import type { RtspRegisterConfiguration } from '../../config/configuration.ts';
import type { ProxiedStreams } from '../../rtsp-client/proxied-streams.ts';
import type { MediaSession } from '../media-session.ts';
import type { MediaSource, MediaTarget } from '../media-source.ts';
import { answer, type HandledAnswer } from '../rtsp-answers.ts';
import type { RtspConnection } from '../rtsp-connection.ts';
import { BackEndGuard } from './back-end-guard.ts';
import { nameOfSuffix, parseRegisterTransport, type RegisterTransport } from './register-transport.ts';
import { ReversedConnection } from './reversed-connection.ts';

/** What a stream is called that is registered without a name; a number follows. */
const NAME_WITHOUT_SUFFIX = 'registeredProxyStream-';

export interface RegistrationsOptions {
  readonly configuration: RtspRegisterConfiguration;
  readonly streams: ProxiedStreams;
}

interface Registration {
  readonly url: string;
  readonly username: string | undefined;
  /** Address it came from. */
  readonly from: string;
  readonly end: () => void;
}

/**
 * Streams that other servers offer: REGISTER has one pulled from when somebody watches, under a name it holds until
 * DEREGISTER. Both methods are those of live555's proxy.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #guard: BackEndGuard;
  /** By name, `app/stream`. */
  readonly #registrations = new Map<string, Registration>();
  #unnamed = 0;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    this.#guard = new BackEndGuard(options.configuration.allow);
  }

  /** @param username of who may do it */
  register(connection: RtspConnection, request: RtspRequest, username: string | undefined): HandledAnswer {
    const url = parseRtspUrl(request.url);
    if (url === undefined || url.scheme === 'rtspu') return answer(400);
    const transport = transportOf(request);
    const { configuration, streams } = this.#options;
    const from = connection.remote.address;
    // Where the URL points does not matter to one who is asked where he is.
    const host = transport.reusesConnection ? from : url.host;
    if (!this.#guard.allows(host, from)) return answer(403);
    if (this.#registrations.size >= configuration.max_streams) return answer(453);
    if (transport.reusesConnection && connection.peerInput !== undefined) return answer(455);
    const name = transport.suffix === undefined ? this.#nextName() : this.#nameOf(transport.suffix);
    if (name === undefined || streams.isTaken(name)) return answer(451);
    this.#add(connection, { name, url, transport, username });
    return {
      ...answer(200, [['Location', locationOf(connection, name)]]),
      afterwards: () => streams.wantIfWatched(name),
    };
  }

  deregister(connection: RtspConnection, request: RtspRequest, username: string | undefined): HandledAnswer {
    const url = parseRtspUrl(request.url);
    if (url === undefined) return answer(400);
    const found = this.#find(writeRtspUrl(url), transportOf(request).suffix);
    if (found.length === 0) return answer(451);
    // Without users the address is all there is to tell one from another.
    const { address } = connection.remote;
    const own = found.find((one) => (username === undefined ? one.from === address : one.username === username));
    return own === undefined ? answer(403) : { ...answer(200), afterwards: own.end };
  }

  /** Finds registered streams without an application in `live`: players of a proxy ask for the suffix alone. */
  asSource(live: MediaSource): MediaSource {
    return {
      find: async (target: MediaTarget, signal: AbortSignal): Promise<MediaSession | undefined> => {
        const path = `/${this.#options.configuration.app}${target.path}`;
        const isOurs =
          target.path.lastIndexOf('/') === 0 && this.#registrations.has(path.slice(1).replace(/\.ts$/, ''));
        return isOurs ? live.find({ ...target, path }, signal) : undefined;
      },
    };
  }

  #add(
    connection: RtspConnection,
    asked: {
      readonly name: StreamName;
      readonly url: RtspUrl;
      readonly transport: RegisterTransport;
      readonly username: string | undefined;
    },
  ): void {
    const { configuration, streams } = this.#options;
    const { name, url, transport, username } = asked;
    const key = streamKey(name);
    const from = connection.remote.address;
    const reversed = transport.reusesConnection ? new ReversedConnection(connection) : undefined;
    const remove = streams.add({
      name,
      url,
      transport: transport.preferred === 'interleaved' ? 'tcp' : 'auto',
      insecure: configuration.insecure,
      lingerMs: configuration.linger * 1000,
      mayFollow: (to) => reversed === undefined && this.#guard.allows(to.host, from),
      borrow: reversed === undefined ? undefined : () => reversed.borrow(),
    });
    const { signal } = connection.gone;
    const end = (): void => {
      signal.removeEventListener('abort', end);
      if (this.#registrations.get(key)?.end !== end) return;
      this.#registrations.delete(key);
      remove?.();
      reversed?.close();
      connection.log.info({ stream: key }, 'a registered stream ended');
    };
    const shown = writeRtspUrl(url);
    this.#registrations.set(key, { url: shown, username, from, end });
    if (reversed !== undefined) signal.addEventListener('abort', end, { once: true });
    connection.log.info({ stream: key, source: writeRtspUrl({ ...url, query: '' }) }, 'a stream was registered');
  }

  /** Registrations of a URL: the one of that name, or all. */
  #find(url: string, suffix: string | undefined): Registration[] {
    const name = suffix === undefined ? undefined : nameOfSuffix(suffix, this.#options.configuration.app);
    return [...this.#registrations].flatMap(([key, one]) =>
      one.url === url && (suffix === undefined || key === name) ? [one] : [],
    );
  }

  #nextName(): StreamName | undefined {
    const { configuration, streams } = this.#options;
    for (let tries = 0; tries <= configuration.max_streams; tries++) {
      const name = toStreamName(`${configuration.app}/${NAME_WITHOUT_SUFFIX}${++this.#unnamed}`);
      if (!streams.isTaken(name)) return name;
    }
    return undefined;
  }

  #nameOf(suffix: string): StreamName | undefined {
    const path = nameOfSuffix(suffix, this.#options.configuration.app);
    return path === undefined ? undefined : toStreamName(path);
  }
}

function transportOf(request: RtspRequest): RegisterTransport {
  return parseRegisterTransport(request.headers.getAll('Transport').join(';'));
}

function toStreamName(path: string): StreamName {
  const slash = path.lastIndexOf('/');
  return { vhost: DEFAULT_VHOST, app: path.slice(0, slash), stream: path.slice(slash + 1) };
}

/** Where players find it, as seen from who asked. */
function locationOf(connection: RtspConnection, name: StreamName): string {
  const { local, isSecure } = connection;
  const rawPath = `/${streamKey(name).split('/').map(encodeURIComponent).join('/')}`;
  return writeRtspUrl({
    scheme: isSecure ? 'rtsps' : 'rtsp',
    host: local.address,
    port: local.port,
    rawPath,
    query: '',
  });
}
