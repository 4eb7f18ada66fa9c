import { readFileSync } from 'node:fs';
import type { HttpListenerCounters } from '../io/http-listener.ts';
import type { ListenAddress } from '../io/listen-address.ts';
import { nodeClock } from '../io/node-clock.ts';
import { loadStaticFiles } from '../io/static-files.ts';
import type { ViewerCounters } from '../media/fan-out.ts';
import { StreamHub } from '../media/stream-hub.ts';
import { DEFAULT_VHOST } from '../media/stream-name.ts';
import type { Configuration, ConfigurationInput } from '../server/config/configuration.ts';
import { checkConfiguration } from '../server/config/load-configuration.ts';
import { mergeReadMs, resolveVhost, streamSettings, tcpNoDelay } from '../server/config/settings.ts';
import { ConsoleService } from '../server/console/console-service.ts';
import { toStreamsDocument } from '../server/console/streams-document.ts';
import { FilePublisher } from '../server/file-source/file-publisher.ts';
import { HttpServer } from '../server/http/http-server.ts';
import { HttpStreamService } from '../server/http-stream/http-stream-service.ts';
import { createLogger, type Logger } from '../server/log/logger.ts';
import { RtmpServer, type RtmpServerCounters } from '../server/rtmp/rtmp-server.ts';
import { RtspOnHttpPort } from '../server/rtsp/rtsp-on-http-port.ts';
import { RtspServer, type RtspServerCounters } from '../server/rtsp/rtsp-server.ts';
import { ProxiedStreams } from '../server/rtsp-client/proxied-streams.ts';
import { RtspPushes } from '../server/rtsp-client/rtsp-pushes.ts';
import { RtspSources } from '../server/rtsp-client/rtsp-sources.ts';
import { ConfigError } from '../wire/errors.ts';
import { CONSOLE_DIRECTORY, DEMO_CLIP } from './paths.ts';
import { VERSION } from './version.ts';

export interface MillraceOptions {
  /** Settings by their names in the configuration file; what is left out has its default. */
  readonly configuration?: ConfigurationInput;
  /** Publish the built-in clip as `live/demo`. */
  readonly demo?: boolean;
  /** Where log lines go; by default to standard error as the configuration says. */
  readonly log?: Logger;
}

/** Ports a running server listens on, in the order of the configuration. */
export interface MillracePorts {
  readonly rtmp: readonly number[];
  readonly rtmps: readonly number[];
  readonly http: readonly number[];
  readonly rtsp: readonly number[];
  readonly rtsps: readonly number[];
}

/** What happened so far, from the start of the server on. */
export interface MillraceCounters {
  /** The slow-viewer contract, over all streams. */
  readonly viewers: ViewerCounters;
  readonly rtmp: RtmpServerCounters | undefined;
  readonly http: HttpListenerCounters | undefined;
  readonly rtsp: RtspServerCounters | undefined;
}

/** A running server: RTMP and RTSP in; RTMP, RTSP, HTTP-FLV, HTTP-TS and their WebSocket forms out. */
export class Millrace {
  readonly hub: StreamHub;
  readonly #rtmp: RtmpServer | undefined;
  readonly #http: HttpServer | undefined;
  readonly #rtsp: RtspServer | undefined;
  readonly #sources: RtspSources;
  readonly #proxied: ProxiedStreams;
  readonly #pushes: RtspPushes;
  readonly #demo: FilePublisher | undefined;

  private constructor(parts: {
    readonly hub: StreamHub;
    readonly rtmp: RtmpServer | undefined;
    readonly http: HttpServer | undefined;
    readonly rtsp: RtspServer | undefined;
    readonly sources: RtspSources;
    readonly proxied: ProxiedStreams;
    readonly pushes: RtspPushes;
    readonly demo: FilePublisher | undefined;
  }) {
    this.hub = parts.hub;
    this.#rtmp = parts.rtmp;
    this.#http = parts.http;
    this.#rtsp = parts.rtsp;
    this.#sources = parts.sources;
    this.#proxied = parts.proxied;
    this.#pushes = parts.pushes;
    this.#demo = parts.demo;
  }

  /**
   * Starts a server; it serves when the promise resolves.
   * @throws ConfigError for a wrong setting, ResourceError when a port or certificate can't be used
   */
  static async start(options: MillraceOptions = {}): Promise<Millrace> {
    return Millrace.#start(checkConfiguration(options.configuration ?? {}), options);
  }

  /** @internal the same for a configuration that was checked already */
  static async startChecked(
    configuration: Configuration,
    options: Omit<MillraceOptions, 'configuration'>,
  ): Promise<Millrace> {
    return Millrace.#start(configuration, options);
  }

  static async #start(
    configuration: Configuration,
    options: Omit<MillraceOptions, 'configuration'>,
  ): Promise<Millrace> {
    const log = options.log ?? createLogger(logOptions(configuration));
    const settings = streamSettings(configuration);
    let sources: RtspSources | undefined;
    let proxied: ProxiedStreams | undefined;
    const hub = new StreamHub({
      clock: nodeClock,
      settingsFor: () => settings,
      onWanted: (name) => Math.max(sources?.want(name) ?? 0, proxied?.want(name) ?? 0),
      onFault: (stream, error) =>
        log.error({ err: error, stream: stream.key }, 'a viewer ended by a fault in the server'),
    });
    proxied = new ProxiedStreams({
      hub,
      log,
      rules: configuration.proxies,
      reserved: new Set(configuration.sources.map((source) => source.name)),
    });
    let rtmp: RtmpServer | undefined;
    let http: HttpServer | undefined;
    let rtsp: RtspServer | undefined;
    try {
      if (configuration.rtmp.enabled || configuration.rtmps !== undefined)
        rtmp = await startRtmp(configuration, hub, log);
      if (configuration.rtsp.enabled || configuration.rtsps !== undefined)
        rtsp = await startRtsp(configuration, hub, log, proxied);
      if (configuration.http.enabled) http = await startHttp(configuration, hub, log, rtmp, rtsp);
    } catch (error) {
      await Promise.all([rtmp?.close(), rtsp?.close(), proxied.close()]);
      hub.close();
      throw error;
    }
    const demo = options.demo === true ? startDemo(hub, log) : undefined;
    sources = new RtspSources({ hub, log, sources: configuration.sources });
    const pushes = new RtspPushes({ hub, log, pushes: configuration.pushes, live: rtsp?.live });
    return new Millrace({ hub, rtmp, http, rtsp, sources, proxied, pushes, demo });
  }

  get ports(): MillracePorts {
    return {
      rtmp: this.#rtmp?.ports ?? [],
      rtmps: this.#rtmp?.tlsPorts ?? [],
      http: this.#http?.ports ?? [],
      rtsp: this.#rtsp?.ports ?? [],
      rtsps: this.#rtsp?.tlsPorts ?? [],
    };
  }

  /** What limits stopped, and how many sessions there are. */
  get counters(): MillraceCounters {
    return {
      viewers: this.hub.viewerCounters,
      rtmp: this.#rtmp?.counters,
      http: this.#http?.counters,
      rtsp: this.#rtsp?.counters,
    };
  }

  /** Throws off who plays or records `path` (`live/x`) by RTSP. Others may come at once. */
  closeRtspSessions(path: string): void {
    this.#rtsp?.closeAllClientSessions(path);
  }

  /** Ends every session and closes the ports. Idempotent. */
  async close(): Promise<void> {
    this.#demo?.close();
    const closingClients = [this.#sources.close(), this.#proxied.close(), this.#pushes.close()];
    this.#rtmp?.askToReconnect();
    this.hub.close();
    await Promise.all([...closingClients, this.#rtmp?.close(), this.#http?.close(), this.#rtsp?.close()]);
  }
}

function startRtmp(configuration: Configuration, hub: StreamHub, log: Logger): Promise<RtmpServer> {
  const { rtmps } = configuration;
  return RtmpServer.start({
    hub,
    log,
    configuration: configuration.rtmp,
    resolveVhost: (asked) => resolveVhost(configuration, asked),
    noDelay: tcpNoDelay(configuration),
    mergeReadMs: mergeReadMs(configuration),
    version: VERSION,
    ...(rtmps === undefined
      ? {}
      : {
          tls: {
            listen: rtmps.listen,
            cert: readPem('rtmps.cert', rtmps.cert),
            key: readPem('rtmps.key', rtmps.key),
          },
        }),
  });
}

function startRtsp(
  configuration: Configuration,
  hub: StreamHub,
  log: Logger,
  proxied: ProxiedStreams,
): Promise<RtspServer> {
  const { rtsps } = configuration;
  return RtspServer.start({
    hub,
    log,
    configuration: configuration.rtsp,
    resolveVhost: (asked) => resolveVhost(configuration, asked),
    stallTimeoutMs: configuration.play.stall_timeout * 1000,
    version: VERSION,
    proxied,
    ...(rtsps === undefined
      ? {}
      : {
          tls: {
            listen: rtsps.listen,
            cert: readPem('rtsps.cert', rtsps.cert),
            key: readPem('rtsps.key', rtsps.key),
          },
        }),
  });
}

async function startHttp(
  configuration: Configuration,
  hub: StreamHub,
  log: Logger,
  rtmp: RtmpServer | undefined,
  rtsp: RtspServer | undefined,
): Promise<HttpServer> {
  const startedMs = performance.now();
  const console = new ConsoleService({
    files: await loadStaticFiles(CONSOLE_DIRECTORY),
    describeStreams: () =>
      toStreamsDocument(hub, {
        version: VERSION,
        uptimeSeconds: (performance.now() - startedMs) / 1000,
        rtmpPort: rtmp?.ports[0],
        rtmpsPort: rtmp?.tlsPorts[0],
        rtspPort: rtsp?.ports[0],
        rtspsPort: rtsp?.tlsPorts[0],
      }),
  });
  const streams = new HttpStreamService({
    hub,
    log,
    maxWaitSeconds: configuration.http.max_wait,
    resolveVhost: (asked) => resolveVhost(configuration, asked),
  });
  const rtspToo = rtsp === undefined ? undefined : new RtspOnHttpPort(rtsp);
  return HttpServer.start({
    listen: configuration.http.listen satisfies readonly ListenAddress[],
    noDelay: tcpNoDelay(configuration),
    maxConnections: configuration.http.max_connections,
    headersTimeoutMs: configuration.http.header_timeout * 1000,
    crossdomain: configuration.http.crossdomain,
    services: [...(rtspToo === undefined ? [] : [rtspToo]), streams, console],
    interceptor: rtspToo?.interceptor,
  });
}

function startDemo(hub: StreamHub, log: Logger): FilePublisher {
  const name = { vhost: DEFAULT_VHOST, app: 'live', stream: 'demo' };
  const demo = new FilePublisher({ hub, log, name, path: DEMO_CLIP });
  demo.finished.catch((error: unknown) => log.error({ err: error }, 'the demo clip stopped'));
  return demo;
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError('config/unreadable-file', `${setting}: can't read ${path}: ${(cause as Error).message}`, {
      path: setting,
      cause,
    });
  }
}

function logOptions(configuration: Configuration): { level: Configuration['log']['level']; format: 'json' | 'pretty' } {
  const { level, format } = configuration.log;
  return { level, format: format === 'auto' ? (process.stderr.isTTY ? 'pretty' : 'json') : format };
}
