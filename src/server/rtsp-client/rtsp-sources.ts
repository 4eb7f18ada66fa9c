import { nodeClock } from '../../io/node-clock.ts';
import { UdpPortRange } from '../../io/udp-port-pair.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { DEFAULT_VHOST, type StreamName, streamKey } from '../../media/stream-name.ts';
import { parseRtspUrl, type RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { SourceConfiguration } from '../config/configuration.ts';
import type { Logger } from '../log/logger.ts';
import { RtspPull } from './rtsp-pull.ts';

/** UDP ports of pulled streams: below those systems hand out on their own, apart from those of the server. */
export const PULL_UDP_PORTS = { first: 30_000, last: 32_767 } as const;
/** How long a viewer waits at least for a source that is started for it, milliseconds. */
export const ON_DEMAND_WAIT_MS = 10_000;
/** How often it is looked whether sources still have viewers, milliseconds. */
const SWEEP_MS = 500;

export interface RtspSourcesOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly sources: readonly SourceConfiguration[];
}

interface Source {
  readonly name: StreamName;
  readonly url: RtspUrl;
  readonly configuration: SourceConfiguration;
  pull: RtspPull | undefined;
  neededMs: number;
}

/** The streams of other servers a configuration names: pulled all the time, or as long as somebody watches. */
export class RtspSources {
  readonly #options: RtspSourcesOptions;
  readonly #sources = new Map<string, Source>();
  readonly #ports = new UdpPortRange({
    host: undefined,
    firstPort: PULL_UDP_PORTS.first,
    lastPort: PULL_UDP_PORTS.last,
  });
  readonly #stopSweeping: (() => void) | undefined;
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: RtspSourcesOptions) {
    this.#options = options;
    for (const configuration of options.sources) {
      const name = streamNameOf(configuration.name);
      const url = parseRtspUrl(configuration.url);
      if (url === undefined) continue;
      const source: Source = { name, url, configuration, pull: undefined, neededMs: 0 };
      this.#sources.set(streamKey(name), source);
      if (!configuration.on_demand) this.#start(source);
    }
    const hasLeavable = options.sources.some(({ on_demand }) => on_demand);
    this.#stopSweeping = hasLeavable ? nodeClock.every(SWEEP_MS, () => this.#sweep()) : undefined;
  }

  /** A viewer asks for a stream. @returns how long it should wait for it, milliseconds; 0 when it is none of these */
  want(name: StreamName): number {
    const source = this.#sources.get(streamKey(name));
    if (source === undefined || this.#isClosed) return 0;
    source.neededMs = nodeClock.nowMs();
    if (source.pull === undefined) this.#start(source);
    return ON_DEMAND_WAIT_MS;
  }

  /** Ends every pull. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopSweeping?.();
    for (const source of this.#sources.values()) this.#stop(source);
    await Promise.all(this.#closing);
  }

  #start(source: Source): void {
    const { hub, log } = this.#options;
    const { name, url, configuration } = source;
    const { transport, insecure, back_channel } = configuration;
    const backChannel = back_channel === undefined ? undefined : streamNameOf(back_channel);
    source.pull = new RtspPull({ hub, log, name, url, transport, insecure, ports: this.#ports, backChannel });
  }

  #stop(source: Source): void {
    const { pull } = source;
    if (pull === undefined) return;
    source.pull = undefined;
    const closing = pull.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #sweep(): void {
    const nowMs = nodeClock.nowMs();
    for (const source of this.#sources.values()) {
      const { configuration, name, pull } = source;
      if (!configuration.on_demand || pull === undefined) continue;
      if (this.#options.hub.get(name)?.isWatched === true) source.neededMs = nowMs;
      else if (nowMs - source.neededMs > configuration.linger * 1000) this.#stop(source);
    }
  }
}

/** The stream a name of the configuration, `app/stream`, stands for. */
function streamNameOf(text: string): StreamName {
  const slash = text.lastIndexOf('/');
  return { vhost: DEFAULT_VHOST, app: text.slice(0, slash), stream: text.slice(slash + 1) };
}
