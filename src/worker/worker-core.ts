import type { ChannelPipes, InternalIds } from './channel/messages.ts';
import { NotFoundError, RequestError } from './channel/request-errors.ts';
import { type IncomingRequest, ResponseChannel } from './channel/response-channel.ts';
import { HandlerRegistry } from './handler-registry.ts';
import type { MediaEntity, MediaHandlers, MediaHandlersFactory } from './media-handlers.ts';
import { WorkerLogger } from './worker-logger.ts';
import { logLevelOf, logTagsOf, type WorkerLogTag, type WorkerSettings } from './worker-settings.ts';

export interface WorkerCoreOptions {
  readonly pipes: ChannelPipes;
  readonly settings: WorkerSettings;
  /** Of the process; notifications of the worker itself go by it. */
  readonly pid: number;
  readonly resourceUsage: () => NodeJS.ResourceUsage;
  readonly media: MediaHandlersFactory;
  /** The control side asked to close, or is gone. */
  readonly onClose: () => void;
}

/** Which id in `internal` tells the entity a request is for. */
const targetIds: Readonly<Record<string, string>> = {
  webRtcServer: 'webRtcServerId',
  router: 'routerId',
  transport: 'transportId',
  producer: 'producerId',
  consumer: 'consumerId',
  dataProducer: 'dataProducerId',
  dataConsumer: 'dataConsumerId',
  rtpObserver: 'rtpObserverId',
};

/** What lines about events are about. */
const eventTags: Readonly<Record<string, WorkerLogTag>> = {
  icestatechange: 'ice',
  iceselectedtuplechange: 'ice',
  dtlsstatechange: 'dtls',
  sctpstatechange: 'sctp',
  sctpsendbufferfull: 'message',
  bufferedamountlow: 'message',
  score: 'score',
  layerschange: 'simulcast',
};

/** A worker without its process: answers what is asked of the worker itself, and gives all else to the entity it is for. */
export class WorkerCore {
  readonly #options: WorkerCoreOptions;
  readonly #channel: ResponseChannel;
  readonly #registry = new HandlerRegistry();
  readonly #logger: WorkerLogger;
  readonly #media: MediaHandlers;
  readonly #routers = new Map<string, MediaEntity>();
  readonly #webRtcServers = new Map<string, MediaEntity>();
  #settings: WorkerSettings;
  #isClosed = false;

  constructor(options: WorkerCoreOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#channel = new ResponseChannel({
      pipes: options.pipes,
      onRequest: (request) => this.#request(request),
      onCommand: (command) => this.#handlerOf(command).command?.(command),
      onEnd: () => options.onClose(),
    });
    this.#logger = new WorkerLogger((letter, text) => this.#channel.log(letter, text));
    this.#logger.configure(options.settings.logLevel, options.settings.logTags);
    this.#media = options.media({
      settings: options.settings,
      registry: this.#registry,
      logger: this.#logger,
      notify: (targetId, event, data, payload) => {
        this.#logEvent(targetId, event, data);
        this.#channel.notify(targetId, event, data, payload);
      },
    });
  }

  get logger(): WorkerLogger {
    return this.#logger;
  }

  /** Tells the control side that requests can come. */
  start(): void {
    const { logLevel, logTags, rtcMinPort, rtcMaxPort } = this.#settings;
    this.#logger.debug('info', `worker runs: ${JSON.stringify({ logLevel, logTags, rtcMinPort, rtcMaxPort })}`);
    this.#channel.notify(this.#options.pid, 'running');
  }

  /** Closes every entity. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const entities of [this.#routers, this.#webRtcServers]) {
      for (const id of entities.keys()) this.#closeEntity(entities, id);
    }
    this.#media.close();
  }

  /** What happens to entities, under the tag it is about; packets and traces are not lines. */
  #logEvent(targetId: string, event: string, data: unknown): void {
    const tag = eventTags[event];
    if (tag !== undefined && this.#logger.isWanted('debug', tag)) {
      this.#logger.debug(tag, `${targetId} ${event}: ${JSON.stringify(data)}`);
    }
  }

  #request(request: IncomingRequest): unknown {
    if (this.#isClosed) throw new RequestError('the worker is closing');
    this.#logger.debug('info', request.method);
    switch (request.method) {
      case 'worker.close':
        this.#options.onClose();
        return undefined;
      case 'worker.dump':
        return this.#dump();
      case 'worker.getResourceUsage':
        return resourceUsageOf(this.#options.resourceUsage());
      case 'worker.updateSettings':
        return this.#updateSettings(request.data);
      case 'worker.createRouter':
        return this.#create(this.#routers, idOf(request, 'routerId'), (id) => this.#media.createRouter(id));
      case 'worker.createWebRtcServer':
        return this.#create(this.#webRtcServers, idOf(request, 'webRtcServerId'), (id) =>
          this.#media.createWebRtcServer(id, request.data),
        );
      case 'worker.closeRouter':
        return this.#closeEntity(this.#routers, idOf(request, 'routerId'));
      case 'worker.closeWebRtcServer':
        return this.#closeEntity(this.#webRtcServers, idOf(request, 'webRtcServerId'));
      default:
        return this.#handlerOf(request).request(request);
    }
  }

  #handlerOf({ method, internal }: IncomingRequest): ReturnType<HandlerRegistry['get']> {
    const name = targetIds[method.slice(0, method.indexOf('.'))];
    if (name === undefined) throw new RequestError(`unknown method '${method}'`);
    return this.#registry.get(internal[name]);
  }

  async #create(
    entities: Map<string, MediaEntity>,
    id: string,
    make: (id: string) => MediaEntity | Promise<MediaEntity>,
  ): Promise<void> {
    if (this.#registry.has(id)) throw new RequestError(`an entity with id "${id}" exists already`);
    const entity = await make(id);
    if (this.#isClosed || this.#registry.has(id)) {
      entity.close();
      throw new RequestError(this.#isClosed ? 'the worker is closing' : `an entity with id "${id}" exists already`);
    }
    entities.set(id, entity);
    this.#registry.register(id, entity);
  }

  #closeEntity(entities: Map<string, MediaEntity>, id: string): void {
    const entity = entities.get(id);
    if (entity === undefined) throw new NotFoundError(`there is no entity with id "${id}"`);
    entities.delete(id);
    this.#registry.unregister(id);
    entity.close();
  }

  #dump(): object {
    return {
      pid: this.#options.pid,
      webRtcServerIds: [...this.#webRtcServers.keys()],
      routerIds: [...this.#routers.keys()],
      channelMessageHandlers: {
        channelRequestHandlers: this.#registry.ids,
        channelNotificationHandlers: this.#registry.commandIds,
      },
    };
  }

  #updateSettings(data: unknown): void {
    const { logLevel, logTags } = (data ?? {}) as Readonly<Record<string, unknown>>;
    this.#settings = {
      ...this.#settings,
      ...(logLevel === undefined ? {} : { logLevel: logLevelOf(logLevel) }),
      ...(logTags === undefined ? {} : { logTags: logTagsOf(logTags) }),
    };
    this.#logger.configure(this.#settings.logLevel, this.#settings.logTags);
  }
}

function idOf(request: IncomingRequest, name: string): string {
  const internal: InternalIds = request.internal;
  const id = internal[name];
  if (typeof id !== 'string' || id === '') throw new TypeError(`missing internal.${name}`);
  return id;
}

/** In the names and units of `getrusage` as libuv gives them: times in milliseconds, memory in kilobytes. */
function resourceUsageOf(usage: NodeJS.ResourceUsage): object {
  return {
    ru_utime: Math.round(usage.userCPUTime / 1000),
    ru_stime: Math.round(usage.systemCPUTime / 1000),
    ru_maxrss: usage.maxRSS,
    ru_ixrss: usage.sharedMemorySize,
    ru_idrss: usage.unsharedDataSize,
    ru_isrss: usage.unsharedStackSize,
    ru_minflt: usage.minorPageFault,
    ru_majflt: usage.majorPageFault,
    ru_nswap: usage.swappedOut,
    ru_inblock: usage.fsRead,
    ru_oublock: usage.fsWrite,
    ru_msgsnd: usage.ipcSent,
    ru_msgrcv: usage.ipcReceived,
    ru_nsignals: usage.signalsCount,
    ru_nvcsw: usage.voluntaryContextSwitches,
    ru_nivcsw: usage.involuntaryContextSwitches,
  };
}
