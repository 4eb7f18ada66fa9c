import { nodeClock } from '../../io/node-clock.ts';
import { random32 } from '../../io/node-crypto.ts';
import { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { Stream } from '../../media/stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { DEFAULT_VHOST } from '../../media/stream-name.ts';
import type { PushConfiguration } from '../config/configuration.ts';
import type { Logger } from '../log/logger.ts';
import { DatagramPacer } from '../rtsp/datagram-pacer.ts';
import { isPublished, LiveSessions } from '../rtsp/live-sessions.ts';
import { MediaSessionRegistry } from '../rtsp/media-session-registry.ts';
import { type ProxyRule, parseProxyRule, proxiedUrl } from './proxy-rule.ts';
import { RtspPush } from './rtsp-push.ts';
import { PULL_UDP_PORTS } from './rtsp-sources.ts';

/** How often it is looked which streams have a publisher, milliseconds. Viewers begin at a key frame that was before. */
const SWEEP_MS = 250;

export interface RtspPushesOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly pushes: readonly PushConfiguration[];
  /** Those of the RTSP server, so that its viewers and the pushes share their packets; own ones without it. */
  readonly live?: LiveSessions | undefined;
}

interface Rule {
  readonly rule: ProxyRule;
  readonly configuration: PushConfiguration;
  readonly pushes: Map<Stream, RtspPush>;
}

/** The streams a configuration wants published to other servers, as long as they have a publisher here. */
export class RtspPushes {
  readonly #options: RtspPushesOptions;
  readonly #rules: readonly Rule[];
  readonly #live: LiveSessions;
  readonly #ownsLive: boolean;
  readonly #pacer = new DatagramPacer(nodeClock);
  readonly #ports = new UdpPortRange({
    host: undefined,
    firstPort: PULL_UDP_PORTS.first,
    lastPort: PULL_UDP_PORTS.last,
  });
  readonly #ending = new Set<Promise<void>>();
  readonly #stopSweeping: (() => void) | undefined;

  constructor(options: RtspPushesOptions) {
    this.#options = options;
    this.#rules = options.pushes.flatMap((configuration) => {
      const rule = parseProxyRule(configuration.stream, configuration.url);
      return typeof rule === 'string' ? [] : [{ rule, configuration, pushes: new Map<Stream, RtspPush>() }];
    });
    this.#ownsLive = options.live === undefined;
    this.#live = options.live ?? liveSessionsOf(options.hub);
    this.#stopSweeping = this.#rules.length === 0 ? undefined : nodeClock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Pushes of streams that are live, whether their server takes them or not. */
  get size(): number {
    return this.#rules.reduce((sum, { pushes }) => sum + pushes.size, 0);
  }

  /** Ends every push. Idempotent. */
  async close(): Promise<void> {
    this.#stopSweeping?.();
    for (const rule of this.#rules) for (const stream of rule.pushes.keys()) this.#stop(rule, stream);
    await Promise.all(this.#ending);
    this.#pacer.close();
    if (this.#ownsLive) this.#live.close();
  }

  #sweep(): void {
    for (const rule of this.#rules) {
      for (const stream of rule.pushes.keys()) if (!isPublished(stream)) this.#stop(rule, stream);
    }
    for (const stream of this.#options.hub.list()) {
      if (!isPublished(stream) || stream.name.vhost !== DEFAULT_VHOST) continue;
      for (const rule of this.#rules) if (!rule.pushes.has(stream)) this.#start(rule, stream);
    }
  }

  #start(rule: Rule, stream: Stream): void {
    const url = proxiedUrl(rule.rule, `${stream.name.app}/${stream.name.stream}`);
    if (url === undefined) return;
    const { log } = this.#options;
    const { transport, insecure, srtp } = rule.configuration;
    const push = new RtspPush({
      log,
      stream,
      live: this.#live,
      pacer: this.#pacer,
      url,
      transport,
      insecure,
      srtp,
      ports: this.#ports,
    });
    rule.pushes.set(stream, push);
    // The stream may have another publisher already.
    void push.finished.then(() => {
      if (rule.pushes.get(stream) === push) rule.pushes.delete(stream);
    });
  }

  #stop({ pushes }: Rule, stream: Stream): void {
    const push = pushes.get(stream);
    pushes.delete(stream);
    const ending = push?.close().finally(() => this.#ending.delete(ending!));
    if (ending !== undefined) this.#ending.add(ending);
  }
}

/** The streams of a hub as RTSP sends them, for those who have no RTSP server. */
export function liveSessionsOf(hub: StreamHub): LiveSessions {
  return new LiveSessions({
    hub,
    clock: nodeClock,
    registry: new MediaSessionRegistry(),
    resolveVhost: () => DEFAULT_VHOST,
    waitMs: 0,
    random32,
  });
}
