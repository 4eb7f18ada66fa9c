import { spawnWorkerProcess, type WorkerProcess } from '../io/worker-process.ts';
import { EXIT_WRONG_SETTINGS, VERSION_VARIABLE } from '../worker/channel/messages.ts';
import { RequestError } from '../worker/channel/request-errors.ts';
import { checkedWorkerSettings } from '../worker/check-settings.ts';
import { startInProcessWorker } from '../worker/in-process-worker.ts';
import { argumentsOf, type WorkerLogLevel, type WorkerLogTag, type WorkerSettings } from '../worker/worker-settings.ts';
import { type AppData, checkAppData } from './app-data.ts';
import { Channel } from './channel.ts';
import { clone } from './clone.ts';
import { EnhancedEventEmitter } from './enhanced-events.ts';
import { WorkerClosedError } from './errors.ts';
import { Logger } from './logger.ts';
import { generateRouterRtpCapabilities } from './ortc/router-rtp-capabilities.ts';
import { randomId } from './random.ts';
import { RouterImpl, type RouterOptions } from './router.ts';
import type { WebRtcServerOptions } from './transport-types.ts';
import { listenInfoOf } from './transport-validation.ts';
import { version } from './version.ts';
import { WebRtcServerImpl } from './web-rtc-server.ts';

export interface WorkerOptions<A extends AppData = AppData> {
  /** error */
  logLevel?: WorkerLogLevel;
  logTags?: WorkerLogTag[];
  /** @deprecated 10000. Use `portRange` of transports. */
  rtcMinPort?: number;
  /** @deprecated 59999. Use `portRange` of transports. */
  rtcMaxPort?: number;
  /** Path of a PEM file; a certificate is made without. */
  dtlsCertificateFile?: string;
  dtlsPrivateKeyFile?: string;
  /** Accepted, without effect. */
  libwebrtcFieldTrials?: string;
  /** @deprecated Accepted, without effect: of versions from 3.14.10 to before 3.20.7. */
  disableLiburing?: boolean;
  /** @deprecated Accepted, without effect: of versions from 3.19.20 to before 3.20. */
  useBuiltInSctpStack?: boolean;
  /** Another worker than that of this package. */
  workerBin?: string;
  /** The worker has no process of its own: for embedding and tests. Beyond mediasoup; false. */
  inProcess?: boolean;
  appData?: A;
}

export interface WorkerUpdateableSettings {
  logLevel?: WorkerLogLevel;
  logTags?: WorkerLogTag[];
}

/** As `getrusage` names them: times in milliseconds, memory in kilobytes. */
export type WorkerResourceUsage = Record<
  | 'ru_utime'
  | 'ru_stime'
  | 'ru_maxrss'
  | 'ru_ixrss'
  | 'ru_idrss'
  | 'ru_isrss'
  | 'ru_minflt'
  | 'ru_majflt'
  | 'ru_nswap'
  | 'ru_inblock'
  | 'ru_oublock'
  | 'ru_msgsnd'
  | 'ru_msgrcv'
  | 'ru_nsignals'
  | 'ru_nvcsw'
  | 'ru_nivcsw',
  number
>;

export interface WorkerDump {
  pid: number;
  webRtcServerIds: string[];
  routerIds: string[];
  channelMessageHandlers: { channelRequestHandlers: string[]; channelNotificationHandlers: string[] };
}

/** Events of a worker. */
export interface WorkerEvents {
  /** The process ended and nobody had asked for it. */
  died: [Error];
  subprocessclose: [];
  listenererror: [string, Error];
  '@success': [];
  '@failure': [Error];
}

/** Events of a worker's observer. */
export interface WorkerObserverEvents {
  close: [];
  newwebrtcserver: [WebRtcServerImpl];
  newrouter: [RouterImpl];
}

const logger = new Logger('Worker');

/** A process that was asked to end and has not so long after is ended: it hangs, and would for ever. Milliseconds. */
const END_MS = 5000;

/** A process that carries the media of its routers. */
export class WorkerImpl<A extends AppData = AppData> extends EnhancedEventEmitter<WorkerEvents> {
  readonly #observer = new EnhancedEventEmitter<WorkerObserverEvents>();
  readonly #channel: Channel;
  readonly #process: WorkerProcess | undefined;
  readonly #pid: number;
  readonly #routers = new Set<RouterImpl>();
  readonly #webRtcServers = new Set<WebRtcServerImpl>();
  #appData: A;
  #hasStarted = false;
  #closed = false;
  #died = false;
  #subprocessClosed = false;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @private Use `createWorker()`: the worker is not ready before `@success`.
   * @throws TypeError for wrong settings, which need no process to be found
   */
  constructor(options: WorkerOptions<A>, workerBin: string) {
    super();
    const { workerBin: bin = workerBin, inProcess = false, appData, ...settings } = options;
    checkAppData(appData);
    this.#appData = appData ?? ({} as A);
    const known = knownSettings(settings);
    // Another program than ours has settings of its own.
    if (inProcess || bin === workerBin) check(known);
    this.#process = inProcess ? undefined : this.#spawn(bin, known);
    this.#pid = this.#process?.pid ?? process.pid;
    this.#channel = new Channel(this.#process ?? startInProcessWorker(known), () => this.#pid);
    this.#channel.subscribe(String(this.#pid), (event) => {
      if (this.#hasStarted || event !== 'running') return;
      this.#hasStarted = true;
      logger.debug(`worker process running [pid:${this.#pid}]`);
      this.emit('@success');
    });
  }

  get pid(): number {
    return this.#pid;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get died(): boolean {
    return this.#died;
  }

  get subprocessClosed(): boolean {
    return this.#subprocessClosed;
  }

  /** May be replaced as a whole. */
  get appData(): A {
    return this.#appData;
  }

  set appData(appData: A) {
    this.#appData = appData;
  }

  get observer(): EnhancedEventEmitter<WorkerObserverEvents> {
    return this.#observer;
  }

  /** @private */
  get channelForTesting(): Channel {
    return this.#channel;
  }

  /** @private */
  get webRtcServersForTesting(): ReadonlySet<WebRtcServerImpl> {
    return this.#webRtcServers;
  }

  /** @private */
  get routersForTesting(): ReadonlySet<RouterImpl> {
    return this.#routers;
  }

  /** Ends the worker and closes everything in it. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const child = this.#process;
    child?.kill('SIGTERM');
    if (child !== undefined) this.#endTimer = setTimeout(() => child.kill('SIGKILL'), END_MS).unref();
    this.#closeAll();
    if (this.#process === undefined) setImmediate(() => this.#processClosed());
    this.#observer.safeEmit('close');
  }

  async dump(): Promise<WorkerDump> {
    return (await this.#request('worker.dump')) as WorkerDump;
  }

  async getResourceUsage(): Promise<WorkerResourceUsage> {
    return (await this.#request('worker.getResourceUsage')) as WorkerResourceUsage;
  }

  /** @throws TypeError */
  async updateSettings({ logLevel, logTags }: WorkerUpdateableSettings = {}): Promise<void> {
    await this.#request('worker.updateSettings', { logLevel, logTags });
  }

  /** @throws TypeError, WorkerClosedError */
  async createWebRtcServer<S extends AppData = AppData>(options: WebRtcServerOptions<S>): Promise<WebRtcServerImpl<S>> {
    const { listenInfos, appData } = options;
    checkAppData(appData);
    if (!Array.isArray(listenInfos) || listenInfos.length === 0)
      throw new TypeError('listenInfos must be a list of one at least');
    const id = randomId();
    const internal = { webRtcServerId: id };
    const data = { listenInfos: listenInfos.map((info) => listenInfoOf(info)) };
    await this.#request('worker.createWebRtcServer', data, internal);
    const webRtcServer = new WebRtcServerImpl<S>({ channel: this.#channel, internal, id, appData });
    this.#checkOpen(() => webRtcServer.workerClosed());
    const known = webRtcServer as unknown as WebRtcServerImpl;
    this.#webRtcServers.add(known);
    webRtcServer.on('@close', () => this.#webRtcServers.delete(known));
    this.#observer.safeEmit('newwebrtcserver', known);
    return webRtcServer;
  }

  /** @throws TypeError, UnsupportedError, WorkerClosedError */
  async createRouter<R extends AppData = AppData>(options: RouterOptions<R> = {}): Promise<RouterImpl<R>> {
    const { mediaCodecs = [], appData } = options;
    checkAppData(appData);
    const rtpCapabilities = generateRouterRtpCapabilities(clone(mediaCodecs));
    const id = randomId();
    const internal = { routerId: id };
    await this.#request('worker.createRouter', undefined, internal);
    const router = new RouterImpl<R>({ channel: this.#channel, internal, id, appData, rtpCapabilities });
    this.#checkOpen(() => router.workerClosed());
    const known = router as unknown as RouterImpl;
    this.#routers.add(known);
    router.on('@close', () => this.#routers.delete(known));
    this.#observer.safeEmit('newrouter', known);
    return router;
  }

  /** @throws WorkerClosedError when the worker was closed while it was asked for something, which is closed then, too */
  #checkOpen(closeChild: () => void): void {
    if (!this.#closed) return;
    closeChild();
    throw new WorkerClosedError('Worker closed');
  }

  async #request(method: string, data?: unknown, internal?: Readonly<Record<string, string>>): Promise<unknown> {
    if (this.#closed) throw new WorkerClosedError('Worker closed');
    return this.#channel.request(method, internal, data);
  }

  #spawn(bin: string, settings: Partial<WorkerSettings>): WorkerProcess {
    return spawnWorkerProcess({
      bin,
      args: argumentsOf(settings),
      environment: { [VERSION_VARIABLE]: version },
      onLine: (stream, line) => {
        if (stream === 'stderr') logger.error(`(stderr) ${line}`);
        else logger.debug(`(stdout) ${line}`);
      },
      onError: (error) => this.#failed(new RequestError(`worker process could not be started: ${error.message}`)),
      onExit: (code, signal) => this.#exited(code, signal),
      onClose: () => this.#processClosed(),
    });
  }

  #exited(code: number | null, signal: string | null): void {
    const how = `[pid:${this.#pid}, code:${code}, signal:${signal}]`;
    if (!this.#hasStarted) {
      logger.error(`worker process failed unexpectedly ${how}`);
      this.#failed(
        code === EXIT_WRONG_SETTINGS
          ? new TypeError('wrong settings')
          : new RequestError(`worker process failed ${how}`),
      );
    } else if (!this.#closed) {
      logger.error(`worker process died unexpectedly ${how}`);
      this.#workerDied(new RequestError(how));
    }
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.close();
    this.emit('@failure', error);
  }

  #workerDied(error: Error): void {
    this.#closed = true;
    this.#died = true;
    this.#closeAll();
    this.safeEmit('died', error);
    this.#observer.safeEmit('close');
  }

  #closeAll(): void {
    this.#channel.close();
    for (const router of this.#routers) router.workerClosed();
    this.#routers.clear();
    for (const webRtcServer of this.#webRtcServers) webRtcServer.workerClosed();
    this.#webRtcServers.clear();
  }

  #processClosed(): void {
    if (this.#subprocessClosed) return;
    this.#subprocessClosed = true;
    clearTimeout(this.#endTimer);
    this.safeEmit('subprocessclose');
  }
}

/** @throws TypeError with the message that a process which ends over its settings leads to */
function check(settings: Partial<WorkerSettings>): void {
  try {
    checkedWorkerSettings(argumentsOf(settings));
  } catch (cause) {
    logger.error('wrong settings', cause);
    throw new TypeError('wrong settings', { cause });
  }
}

/**
 * Without options other versions had, and without what says nothing: a variable of the environment that is not set is
 * undefined, an empty text, or no number once it was made one.
 */
function knownSettings(settings: WorkerOptions): Partial<WorkerSettings> {
  const { logLevel, logTags, rtcMinPort, rtcMaxPort, dtlsCertificateFile, dtlsPrivateKeyFile, libwebrtcFieldTrials } =
    settings;
  const known = {
    logLevel,
    logTags,
    rtcMinPort,
    rtcMaxPort,
    dtlsCertificateFile,
    dtlsPrivateKeyFile,
    libwebrtcFieldTrials,
  };
  const saysNothing: readonly unknown[] = [undefined, null, '', Number.NaN];
  return Object.fromEntries(Object.entries(known).filter(([, value]) => !saysNothing.includes(value)));
}
