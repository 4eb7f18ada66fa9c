import type { Track } from '../../codec/track.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { FlvContainerWriter } from '../../media/renditions/flv-rendition.ts';
import type { Stream } from '../../media/stream.ts';
import { DEFAULT_SELECTION } from '../../media/stream-header.ts';
import { RAW_FRAMING } from '../../media/viewer.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { MillraceError, ResourceError } from '../../wire/errors.ts';
import { type FlvSourceEvent, flvSourceEvents } from '../client/flv-source.ts';
import { watchIdle } from '../client/idle-watch.ts';
import type { ClientOptions } from '../client/rtmp-client.ts';
import { createLogger } from '../log/logger.ts';
import { whenDescribed } from '../rtsp/live-sessions.ts';
import { shownRtspUrl } from './client-attempts.ts';
import type { PullErrorCode } from './pull-error.ts';
import { RELAYED, relayHub, relayPorts } from './relay-hub.ts';
import { RetryCount } from './retry-count.ts';
import { RtspPull } from './rtsp-pull.ts';

/** How long who takes the stream waits for it to be pulled again, milliseconds. */
export const RETRY_GRACE_MS = 120_000;
/** How long it takes at most to be there, milliseconds: who takes the stream gives up sooner, and says so. */
const PATIENCE_MS: number = 24 * 60 * 60 * 1000;

export interface RtspSourceOptions extends ClientOptions {
  readonly url: RtspUrl;
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** How often in a row to connect again when the connection is lost or not to be had. */
  readonly retries: number;
  /** Told of the tracks there are when they are known, before anything of them comes. */
  readonly onTracks: (tracks: readonly Track[]) => void;
}

/**
 * The FLV tags of a stream of an RTSP server, by a pull into a hub of its own. Ends when the stream ends or the signal
 * aborts; throws a ResourceError when it can't be had, breaks off, or is silent for `timeoutMs`.
 */
export function openRtspSource(options: RtspSourceOptions): AsyncGenerator<FlvSourceEvent, void, undefined> {
  const idle = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const what = shownRtspUrl(options.url);
  const events = flvSourceEvents(pulledFlv({ ...options, signal }), what);
  // Whoever may try again has to be given the time for it.
  const timeoutMs = options.retries > 0 ? RETRY_GRACE_MS : options.timeoutMs;
  return watchIdle(events, { timeoutMs, what, onIdle: () => idle.abort() });
}

async function* pulledFlv(options: RtspSourceOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { url, transport, insecure, retries, signal, timeoutMs } = options;
  const hub = relayHub({ silenceMs: timeoutMs, graceMs: retries > 0 ? RETRY_GRACE_MS : 0 });
  const stream = hub.getOrCreate(RELAYED);
  const count = new RetryCount(retries);
  let pulledBytes = 0;
  const pull = new RtspPull({
    hub,
    log: createLogger({ level: 'silent', format: 'json' }),
    name: RELAYED,
    url,
    transport,
    insecure,
    ports: relayPorts(),
    mayRetry: () => count.mayRetry(pulledBytes),
  });
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const failing = pull.finished.then((error) => {
    over.abort();
    return error;
  });
  try {
    if ((await stream.whenLive(PATIENCE_MS, stop)) === 'live') {
      await whenDescribed(stream, nodeClock, stop);
      options.onTracks(stream.header.tracks);
      for await (const bytes of flvOf(stream, stop)) {
        pulledBytes += bytes.length;
        yield bytes;
      }
    }
    const error = over.signal.aborted ? await failing : undefined;
    if (error !== undefined && !(pulledBytes > 0 && isEnd(error))) throw named(error, url);
  } finally {
    await pull.close();
    hub.close();
  }
}

/** A live stream as an FLV file, from the newest key frame on. Ends with the stream or the signal. */
async function* flvOf(stream: Stream, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let isOver = signal.aborted;
  let wake = (): void => undefined;
  const end = (): void => {
    isOver = true;
    wake();
  };
  const viewer = stream.view({
    rendition: 'flv:av',
    makeWriter: () => new FlvContainerWriter(DEFAULT_SELECTION),
    framing: RAW_FRAMING,
    sink: {
      write: (bytes) => {
        queue.push(bytes);
        queuedBytes += bytes.length;
        wake();
      },
      get bufferedBytes() {
        return queuedBytes;
      },
      close: end,
    },
  });
  signal.addEventListener('abort', end, { once: true });
  viewer.start();
  try {
    for (;;) {
      const batch = queue;
      queue = [];
      queuedBytes = 0;
      yield* batch;
      viewer.drained();
      if (queue.length > 0) continue;
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', end);
    viewer.leave();
  }
}

/** The server said that the stream is over. */
function isEnd(error: Error): boolean {
  return (error as { readonly code?: string }).code === ('pull/ended' satisfies PullErrorCode);
}

/** The same failure with the URL in its message. */
export function named(error: Error, url: RtspUrl): Error {
  if (!(error instanceof MillraceError)) return error;
  return new ResourceError(error.code, `${shownRtspUrl(url)}: ${error.message}`, { cause: error });
}
