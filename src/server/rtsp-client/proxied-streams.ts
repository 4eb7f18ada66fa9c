import type { ClientSocket } from '../../io/lent-socket.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { DEFAULT_VHOST, type StreamName, streamKey } from '../../media/stream-name.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { ProxyConfiguration } from '../config/configuration.ts';
import type { Logger } from '../log/logger.ts';
import { type ProxyRule, parseProxyRule, proxiedUrl } from './proxy-rule.ts';
import { RtspPull } from './rtsp-pull.ts';
import { ON_DEMAND_WAIT_MS, PULL_UDP_PORTS } from './rtsp-sources.ts';

/** A stream that could not be had is not asked for again so soon, milliseconds. */
export const REFUSAL_MS = 3_000;
/** So many refusals are remembered. */
export const MAX_REFUSALS = 1_000;
/** Viewers that came by a protocol without answers are told of a refusal that is remembered after so long, milliseconds. */
const REFUSAL_DELAY_MS = 50;
/** How often it is looked whether streams still have viewers, milliseconds. */
const SWEEP_MS = 500;

/** A stream of another server, to be pulled while somebody watches. */
export interface ProxiedStream {
  readonly name: StreamName;
  readonly url: RtspUrl;
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** Take any certificate. */
  readonly insecure: boolean;
  /** How long it is pulled on when nobody watches any more, milliseconds. */
  readonly lingerMs: number;
  readonly mayFollow?: ((url: RtspUrl) => boolean) | undefined;
  readonly borrow?: (() => ClientSocket) | undefined;
}

export interface ProxiedStreamsOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly rules: readonly ProxyConfiguration[];
  /** Names (`streamKey`) that are had elsewhere. */
  readonly reserved: ReadonlySet<string>;
}

interface Rule {
  readonly rule: ProxyRule;
  readonly configuration: ProxyConfiguration;
  pulled: number;
}

interface Entry {
  readonly stream: ProxiedStream;
  /** Of which rule it is; undefined for one that was added. */
  readonly rule: Rule | undefined;
  pull: RtspPull | undefined;
  neededMs: number;
  /** The pull was lost, and waits to try again. */
  isLost: boolean;
}

/**
 * Streams of other servers that are pulled for their viewers: those the rules of a configuration find, and those that were
 * added. All viewers of a name share one pull. One that can't be had is given up at once, and who waited is told; one that
 * is lost is asked for again as long as its viewers wait for it.
 */
export class ProxiedStreams {
  readonly #options: ProxiedStreamsOptions;
  readonly #rules: readonly Rule[];
  readonly #entries = new Map<string, Entry>();
  /** Until when names are not asked for again, the oldest first. */
  readonly #refusals = new Map<string, number>();
  readonly #ports = new UdpPortRange({
    host: undefined,
    firstPort: PULL_UDP_PORTS.first,
    lastPort: PULL_UDP_PORTS.last,
  });
  readonly #ending = new Set<Promise<void>>();
  /** Sweeping begins with the first pull. */
  #stopSweeping: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ProxiedStreamsOptions) {
    this.#options = options;
    this.#rules = options.rules.flatMap((configuration) => {
      const rule = parseProxyRule(configuration.match, configuration.url);
      return typeof rule === 'string' ? [] : [{ rule, configuration, pulled: 0 }];
    });
  }

  /** A viewer asks for a stream. @returns how long it should wait for it, milliseconds; 0 when it is not to be had */
  want(name: StreamName): number {
    if (this.#isClosed) return 0;
    const key = streamKey(name);
    const entry = this.#entries.get(key) ?? this.#entryByRule(name, key);
    if (entry === undefined) return 0;
    const nowMs = nodeClock.nowMs();
    if (entry.pull === undefined && nowMs < (this.#refusals.get(key) ?? 0)) {
      nodeClock.after(REFUSAL_DELAY_MS, () => this.#abandon(entry));
      return 0;
    }
    entry.neededMs = nowMs;
    // Its viewers are gone: who comes now need not wait as they would have.
    if (entry.isLost && this.#options.hub.get(name)?.state !== 'grace') this.#stop(entry);
    if (entry.pull === undefined) this.#start(key, entry);
    return ON_DEMAND_WAIT_MS;
  }

  /** Whether somebody publishes a stream of this name, or it is to be had from another server. */
  isTaken(name: StreamName): boolean {
    const key = streamKey(name);
    const state = this.#options.hub.get(name)?.state;
    if (state === 'live' || state === 'grace' || this.#entries.has(key) || this.#options.reserved.has(key)) return true;
    return this.#ruleFor(name) !== undefined;
  }

  /**
   * Has a stream pulled from when somebody asks for it. Who asked before is served by `wantIfWatched`.
   * @returns ends that; undefined when the name `isTaken`
   */
  add(stream: ProxiedStream): (() => void) | undefined {
    if (this.#isClosed || this.isTaken(stream.name)) return undefined;
    const key = streamKey(stream.name);
    const entry: Entry = { stream, rule: undefined, pull: undefined, neededMs: 0, isLost: false };
    this.#entries.set(key, entry);
    this.#refusals.delete(key);
    return () => {
      if (this.#entries.get(key) !== entry) return;
      this.#entries.delete(key);
      this.#stop(entry);
    };
  }

  /** Has a stream pulled at once when viewers wait for it. */
  wantIfWatched(name: StreamName): void {
    if (this.#options.hub.get(name)?.isWatched === true) this.want(name);
  }

  /** Ends every pull. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopSweeping?.();
    for (const entry of this.#entries.values()) this.#stop(entry);
    this.#entries.clear();
    await Promise.all(this.#ending);
  }

  #ruleFor(name: StreamName): { readonly rule: Rule; readonly url: RtspUrl } | undefined {
    if (name.vhost !== DEFAULT_VHOST) return undefined;
    for (const rule of this.#rules) {
      const url = proxiedUrl(rule.rule, `${name.app}/${name.stream}`);
      if (url !== undefined) return { rule, url };
    }
    return undefined;
  }

  /** An entry that is only kept when it is pulled. */
  #entryByRule(name: StreamName, key: string): Entry | undefined {
    const found = this.#ruleFor(name);
    if (found === undefined || this.#options.reserved.has(key)) return undefined;
    const { rule, url } = found;
    const { transport, insecure, linger, max_streams } = rule.configuration;
    if (rule.pulled >= max_streams) {
      this.#options.log.warn({ stream: key, max_streams }, 'too many streams are pulled by this rule already');
      return undefined;
    }
    const stream = { name, url, transport, insecure, lingerMs: linger * 1000 };
    return { stream, rule, pull: undefined, neededMs: 0, isLost: false };
  }

  #start(key: string, entry: Entry): void {
    const { hub, log } = this.#options;
    const { stream, rule } = entry;
    this.#stopSweeping ??= nodeClock.every(SWEEP_MS, () => this.#sweep());
    this.#entries.set(key, entry);
    if (rule !== undefined) rule.pulled++;
    let isRefused = false;
    const pull = new RtspPull({
      ...stream,
      hub,
      log,
      ports: this.#ports,
      mayRetry: (hadMedia) => {
        if (entry.pull !== pull) return false;
        isRefused = !hadMedia;
        const known = hub.get(stream.name);
        entry.isLost = hadMedia && known?.state === 'grace' && known.isWatched;
        return entry.isLost;
      },
    });
    entry.pull = pull;
    entry.isLost = false;
    const ending = pull.finished.then(() => {
      this.#ending.delete(ending);
      if (rule !== undefined) rule.pulled--;
      if (entry.pull !== pull) return;
      entry.pull = undefined;
      if (rule !== undefined) this.#entries.delete(key);
      if (isRefused) this.#refuse(key);
      this.#abandon(entry);
    });
    this.#ending.add(ending);
  }

  #stop(entry: Entry): void {
    void entry.pull?.close();
    entry.pull = undefined;
    entry.isLost = false;
    this.#abandon(entry);
  }

  #abandon({ stream }: Entry): void {
    if (this.#entries.get(streamKey(stream.name))?.pull === undefined) this.#options.hub.get(stream.name)?.abandon();
  }

  #refuse(key: string): void {
    this.#refusals.delete(key);
    this.#refusals.set(key, nodeClock.nowMs() + REFUSAL_MS);
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_REFUSALS) this.#refusals.delete(oldest!);
  }

  #sweep(): void {
    const nowMs = nodeClock.nowMs();
    for (const [key, untilMs] of this.#refusals) if (untilMs <= nowMs) this.#refusals.delete(key);
    for (const [key, entry] of this.#entries) {
      const { name, lingerMs } = entry.stream;
      if (entry.pull === undefined) continue;
      if (this.#options.hub.get(name)?.isWatched === true) entry.neededMs = nowMs;
      else if (nowMs - entry.neededMs > lingerMs) {
        if (entry.rule !== undefined) this.#entries.delete(key);
        this.#stop(entry);
      }
    }
  }
}
