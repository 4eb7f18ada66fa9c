import { FRAME_RATE } from './clip.ts';
import { monotonicUs, sleep } from './clock.ts';
import { profileFlags } from './cpu-profile.ts';
import { LoadProcess } from './load-process.ts';
import type { BenchOptions, Scenario } from './options.ts';
import type { PublishersResult, ViewerProtocol, ViewersResult } from './protocol.ts';
import { type RunningServer, type ServerChoice, serverName, startServer } from './servers.ts';

/** Between the last join and the measured window, so that join bursts are over. */
const SETTLE_MS = 3000;
/**
 * Before the measured window of publishers: logs and caches have then reached their size and code is compiled. Publishers
 * stay for hours; what their first seconds cost, on any server, is another question.
 */
const PUBLISH_SETTLE_MS = 20_000;
const MEMORY_SAMPLE_MS = 500;
/** Chunk size of the publishers, bytes. */
export const PUBLISH_CHUNK_SIZE = 4096;
/** A viewer that got this much less, or more, than the bitrate of the stream makes the row invalid. */
const BITRATE_TOLERANCE = 0.05;
/** Servers that merge writes deliver in bursts: the window may cut off this many frames of one. */
const BURST_FRAMES = 12;
/** Share of RTP packets that UDP viewers may miss: the kernel drops them when a viewer's socket is full. TCP may lose none. */
const UDP_LOSS_TOLERANCE = 0.000_1;
/** Frames a lost packet can spoil: its own, and the step to the next. */
const GAPS_PER_LOST_PACKET = 2;
const MAX_PUBLISH_BACKLOG_BYTES = 1_000_000;
/** Share of its core from which a side counts as saturated. */
const SATURATED = 0.95;

/** One server under one load. */
export interface Row {
  readonly scenario: Scenario;
  readonly server: string;
  readonly protocol: ViewerProtocol | undefined;
  readonly viewers: number;
  readonly publishers: number;
  readonly seconds: number;
  /** CPU of the server's process tree in the window. */
  readonly serverCpuSeconds: number;
  /** The same as share of one core. */
  readonly serverCpuShare: number;
  /** Largest resident memory of the server's process tree seen in the window. */
  readonly rssBytes: number;
  readonly serverProcesses: number;
  /** CPU of all load processes as share of one core. */
  readonly loadCpuShare: number;
  readonly watched: ViewersResult | undefined;
  readonly published: PublishersResult;
  /** Why the numbers are not to be used; empty for a good row. */
  readonly invalid: readonly string[];
}

/** A load the server could not take, or did not start for. */
export interface FailedRow {
  readonly scenario: Scenario;
  readonly server: string;
  readonly protocol: ViewerProtocol | undefined;
  readonly error: string;
}

/** What a server is put under. */
export interface Load {
  readonly scenario: Scenario;
  readonly protocol: ViewerProtocol | undefined;
  readonly viewers: number;
  readonly publishers: number;
  readonly clipPath: string;
}

/** Name of the profile of this measurement, when there is one. */
export function profileName(choice: ServerChoice, load: Load): string {
  return [load.scenario, load.protocol, serverName(choice).replace(':', '-')]
    .filter((part) => part !== undefined)
    .join('-');
}

/** Runs one server under one load, from its start to its end. */
export async function measure(choice: ServerChoice, load: Load, options: BenchOptions): Promise<Row | FailedRow> {
  let server: RunningServer | undefined;
  let publishing: LoadProcess<PublishersResult> | undefined;
  let watching: LoadProcess<ViewersResult> | undefined;
  try {
    const profiled = options.profile && choice.kind === 'millrace';
    const nodeFlags = profiled ? profileFlags(profileName(choice, load)) : [];
    server = await startServer(choice, { protocol: load.protocol, nodeFlags });
    publishing = startPublishers(server, load);
    await publishing.ready();
    await sleep(load.protocol === undefined ? PUBLISH_SETTLE_MS : SETTLE_MS);
    if (load.protocol !== undefined) {
      watching = startViewers(server, load, options.joinsPerSecond);
      await watching.ready();
      await sleep(SETTLE_MS);
    }
    return await measureWindow({ choice, load, seconds: options.seconds, server, publishing, watching });
  } catch (error) {
    const { scenario, protocol } = load;
    return {
      scenario,
      server: serverName(choice),
      protocol,
      error: error instanceof Error ? error.message : String(error),
    };
  } finally {
    await watching?.stop();
    await publishing?.stop();
    await server?.stop();
  }
}

function startPublishers(server: RunningServer, load: Load): LoadProcess<PublishersResult> {
  const names = Array.from({ length: load.publishers }, (_, i) => `s${i}`);
  const { form, publishPort: port } = server;
  const settings = { form, host: '127.0.0.1', port, app: 'live', names, clipPath: load.clipPath };
  return new LoadProcess('publishers', { ...settings, chunkSize: PUBLISH_CHUNK_SIZE });
}

function startViewers(server: RunningServer, load: Load, joinsPerSecond: number): LoadProcess<ViewersResult> {
  const { protocol, viewers: count, clipPath } = load;
  const port = server.viewPort;
  const path = protocol === 'http-flv' ? 'live/s0.flv' : 'live/s0';
  return new LoadProcess('viewers', { protocol, host: '127.0.0.1', port, path, count, joinsPerSecond, clipPath });
}

interface Window {
  readonly choice: ServerChoice;
  readonly load: Load;
  readonly seconds: number;
  readonly server: RunningServer;
  readonly publishing: LoadProcess<PublishersResult>;
  readonly watching: LoadProcess<ViewersResult> | undefined;
}

async function measureWindow({ choice, load, seconds, server, publishing, watching }: Window): Promise<Row> {
  const loadCpu = (): number => publishing.cpuSeconds() + (watching?.cpuSeconds() ?? 0);
  await publishing.begin();
  await watching?.begin();
  const before = server.usage();
  const loadBefore = loadCpu();
  const startUs = monotonicUs();
  let rssBytes = before.rssBytes;
  while (monotonicUs() - startUs < seconds * 1e6) {
    await sleep(Math.min(MEMORY_SAMPLE_MS, seconds * 1000 - (monotonicUs() - startUs) / 1000));
    rssBytes = Math.max(rssBytes, server.usage().rssBytes);
  }
  const after = server.usage();
  const elapsed = (monotonicUs() - startUs) / 1e6;
  const loadCpuShare = (loadCpu() - loadBefore) / elapsed;
  const watched = await watching?.end();
  const published = await publishing.end();
  const serverCpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const row = {
    scenario: load.scenario,
    server: serverName(choice),
    protocol: load.protocol,
    viewers: watched === undefined ? 0 : load.viewers,
    publishers: load.publishers,
    seconds: elapsed,
    serverCpuSeconds,
    serverCpuShare: serverCpuSeconds / elapsed,
    rssBytes,
    serverProcesses: after.processes,
    loadCpuShare,
    watched,
    published,
  };
  return { ...row, invalid: faults(row) };
}

/** Everything that makes a row's numbers useless. */
function faults(row: Omit<Row, 'invalid'>): string[] {
  const found: string[] = [];
  const { watched, published } = row;
  if (row.loadCpuShare > SATURATED) found.push(`load generator used ${percent(row.loadCpuShare)} of its core`);
  if (row.serverCpuShare > SATURATED) found.push(`server used ${percent(row.serverCpuShare)} of its core`);
  if (published.closed > 0) found.push(`${published.closed} publishers were closed: ${published.failure}`);
  if (published.maxBufferedBytes > MAX_PUBLISH_BACKLOG_BYTES) found.push('the server did not take what was published');
  if (watched === undefined) return found;
  if (watched.closed > 0) found.push(`${watched.closed} viewers were closed: ${watched.failure}`);
  const { gaps, packets, lostPackets } = watched;
  const tolerated = row.protocol === 'rtsp-udp' ? packets * UDP_LOSS_TOLERANCE : 0;
  if (lostPackets > tolerated) found.push(`${lostPackets} of ${packets} RTP packets lost`);
  const gapsAllowed = row.protocol === 'rtsp-udp' ? lostPackets * GAPS_PER_LOST_PACKET : 0;
  if (gaps > gapsAllowed) found.push(`${gaps} gaps in frames or timestamps`);
  const { minPayloadShare: low, maxPayloadShare: high } = watched;
  if (low < 1 - BITRATE_TOLERANCE || high > 1 + BITRATE_TOLERANCE) {
    found.push(`viewers got ${percent(low)} to ${percent(high)} of the bytes of their frames`);
  }
  if (watched.minFrames < watched.windowSeconds * FRAME_RATE * (1 - BITRATE_TOLERANCE) - BURST_FRAMES) {
    found.push(`a viewer got only ${watched.minFrames} frames in ${watched.windowSeconds.toFixed(1)} s`);
  }
  return found;
}

/** A share as text: 12.3 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
