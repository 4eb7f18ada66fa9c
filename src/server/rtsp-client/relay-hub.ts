import { nodeClock } from '../../io/node-clock.ts';
import { UdpPortRange } from '../../io/udp-port-pair.ts';
import { StreamHub } from '../../media/stream-hub.ts';
import { DEFAULT_VHOST, type StreamName } from '../../media/stream-name.ts';
import { DEFAULT_STREAM_SETTINGS } from '../../media/stream-settings.ts';
import { PULL_UDP_PORTS } from './rtsp-sources.ts';

/** What a command passes on is called so in its own hub, and in what it announces. */
export const RELAYED: StreamName = { vhost: DEFAULT_VHOST, app: 'live', stream: 'stream' };

/** How far who takes a stream may be behind, milliseconds and bytes. */
const MAX_BEHIND_MS = 60_000;
const MAX_BEHIND_BYTES: number = 64 * 1024 * 1024;

export interface RelayHubOptions {
  /** How long its stream may be without frames, milliseconds. */
  readonly silenceMs: number;
  /** How long those who take it wait for its publisher to come back, milliseconds. */
  readonly graceMs: number;
}

/** A hub for the one stream of a command, which is to arrive as it came: nothing is left out and nothing held back. */
export function relayHub({ silenceMs, graceMs }: RelayHubOptions): StreamHub {
  const settings = {
    ...DEFAULT_STREAM_SETTINGS,
    jitter: 'zero',
    mergeWriteMs: 0,
    queueLengthMs: MAX_BEHIND_MS,
    logMaxSeconds: MAX_BEHIND_MS / 1000,
    logMaxBytes: MAX_BEHIND_BYTES,
    maxSocketBufferBytes: MAX_BEHIND_BYTES,
    graceMs,
    firstFrameTimeoutMs: silenceMs,
    frameTimeoutMs: silenceMs,
  } as const;
  return new StreamHub({ clock: nodeClock, settingsFor: () => settings });
}

/** UDP ports for a command's own connections. */
export function relayPorts(): UdpPortRange {
  return new UdpPortRange({ host: undefined, firstPort: PULL_UDP_PORTS.first, lastPort: PULL_UDP_PORTS.last });
}
