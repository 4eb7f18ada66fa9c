/**
 * The load of the fan-out tests in a process of its own: a publisher, viewers that read and viewers that do not. Started
 * with the server's ports as JSON; does one command after another and answers each.
 */
import type { FanOutAnswer, FanOutCommand, FanOutPorts, Latency } from './fan-out-protocol.ts';
import { StampedPublisher } from './stamped-publisher.ts';
import { until } from './until.ts';
import { Watcher } from './watcher.ts';

const PATH = 'live/fan-out';
/** 1.2 Mb/s. */
const STREAM = { path: PATH, frameRate: 25, gopFrames: 25, frameBytes: 6000 };
/** Frames at the start of the stream that fill all the kernel buffers for a viewer who asks for them. */
const BURST = { frames: 60, frameBytes: 120_000 };
const PATIENCE_MS = 60_000;
/** New connections at a time. */
const JOINING = 50;

const ports = JSON.parse(process.argv[2]!) as FanOutPorts;
const watchers: Watcher[] = [];
let publisher: StampedPublisher | undefined;
let latenciesUs: number[] = [];

async function publish(): Promise<void> {
  const made = new StampedPublisher({ ...STREAM, port: ports.rtmpPort });
  publisher = made;
  await until('the publish is accepted', () => made.has('publishing'));
  made.begin(BURST);
  await until('the burst is sent', () => made.socket.writableLength === 0, PATIENCE_MS);
  made.run();
}

async function watch(count: number): Promise<void> {
  for (let made = 0; made < count; ) {
    const group: Watcher[] = [];
    for (; group.length < JOINING && made < count; made++) {
      const onLatency = (latencyUs: number): number => latenciesUs.push(latencyUs);
      group.push(new Watcher({ protocol: 'http', port: ports.httpPort, path: PATH, onLatency }));
    }
    watchers.push(...group);
    await until('viewers see frames', () => group.every((watcher) => watcher.frames > 0), PATIENCE_MS);
  }
}

/** Viewers that ask for everything and read nothing. */
async function stall(count: number): Promise<void> {
  for (let made = 0; made < count; ) {
    const group: Watcher[] = [];
    for (; group.length < JOINING && made < count; made++) {
      const watcher = new Watcher({ protocol: 'http', port: ports.httpPort, path: PATH, query: '?start=-3600' });
      watcher.stall();
      group.push(watcher);
    }
    watchers.push(...group);
    await until('connections are accepted', () => group.every((watcher) => !watcher.socket.connecting), PATIENCE_MS);
  }
}

async function measure(durationMs: number): Promise<Latency> {
  latenciesUs = [];
  const gapsBefore = gaps();
  const endMs = performance.now() + durationMs;
  await until('the time is over', () => performance.now() > endMs, durationMs + PATIENCE_MS);
  const sorted = Float64Array.from(latenciesUs).sort();
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN) / 1000;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), gaps: gaps() - gapsBefore };
}

function gaps(): number {
  return watchers.reduce((sum, watcher) => sum + watcher.gaps + (watcher.closed ? 1 : 0), 0);
}

async function leave(): Promise<void> {
  const leaving = watchers.splice(0);
  for (const watcher of leaving) watcher.leave();
  publisher?.leave();
  await until('all are closed', () => leaving.every((watcher) => watcher.closed) && publisher?.closed !== false);
  publisher = undefined;
}

async function perform(command: FanOutCommand): Promise<FanOutAnswer> {
  switch (command.type) {
    case 'publish':
      await publish();
      return { type: 'done' };
    case 'watch':
      await watch(command.count);
      return { type: 'done' };
    case 'stall':
      await stall(command.count);
      return { type: 'done' };
    case 'measure':
      return { type: 'latency', latency: await measure(command.durationMs) };
    case 'leave':
      await leave();
      return { type: 'done' };
  }
}

process.on('message', (command: FanOutCommand) => {
  perform(command).then(
    (answer) => process.send!(answer),
    (error: unknown) => process.send!({ type: 'failed', reason: String(error) } satisfies FanOutAnswer),
  );
});
process.on('disconnect', () => process.exit(0));
