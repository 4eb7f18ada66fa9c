/**
 * What a packet costs the SFU on its way to each viewer, and how long it takes: `node bench/load/sfu.ts --help` tells the
 * options, README.md beside this file how it measures.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { sleep } from './clock.ts';
import { hottestPlaces, profileTimes } from './cpu-profile.ts';
import { BenchError } from './errors.ts';
import { describeMachine } from './machine.ts';
import { LOAD_CPU, SERVER_CPU } from './pinned-process.ts';
import { writeResults } from './result-files.ts';
import { serverVersion } from './servers.ts';
import { splitCpu } from './sfu-cpu-split.ts';
import {
  copiesOf,
  type PersonDescription,
  type SfuClientsCommand,
  type SfuClientsCounters,
  type SfuEngine,
  type SfuLoad,
  type SfuServerCommand,
  type SfuSettings,
  type WorkerCounters,
} from './sfu-protocol.ts';
import { type SfuRow, sfuRowLine, toSfuMarkdown } from './sfu-report.ts';
import { targetsOf } from './sfu-targets.ts';
import { WebRtcProcess } from './webrtc-process.ts';

const USAGE = `node bench/load/sfu.ts [options]

  --seconds 10                one measured window
  --scenario fan-out-100,…    which of: %SCENARIOS%
  --engine ffi,portable       which of: ffi, portable, native. For native, MEDIASOUP_WORKER_BIN names a mediasoup worker,
                              and MEDIASOUP_PACKAGE the folder of the npm package mediasoup of its version
  --profile AES_CM_128_HMAC_SHA1_80
                              which of the SRTP profiles, with commas between
  --split                     another window with a CPU profile of the worker: what the CPU goes into
  --hot                       the same, and the functions of it
  --out bench/results/sfu     results as <out>.md and <out>.json
`;
const PROFILES: readonly SrtpProfileName[] = ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'];
const ENGINES: readonly SfuEngine[] = ['ffi', 'portable', 'native'];
/**
 * Before each window: code is compiled by then, and buffers have their size. V8 goes on compiling what runs once in a
 * picture for about ten seconds, and on one core that interrupts the worker for up to 4 ms at a time.
 */
const WARM_UP_MS = 15_000;
/** Between its end, from which on loss is counted, and the window. */
const SETTLE_MS = 1000;
/** Packets that are on their way when sending ends have arrived after this. */
const DRAIN_MS = 500;
/** Share of packets that may be lost: with more, the worker was spared work. */
const LOSS_TOLERANCE = 0.001;
const SATURATED = 0.95;
/** Share of the window a side may be kept off its core: with more, the machine had other work. */
const WAIT_TOLERANCE = 0.05;
/** Share of pictures that may be late where delays are what is measured. */
const LATE_TOLERANCE = 0.01;

const VIDEO_BPS = 1_200_000;
const SCENARIOS: Readonly<Record<string, SfuLoad>> = {
  /** One producer, many viewers. */
  'fan-out-100': { rooms: 1, people: 101, senders: 1, bitrateBps: VIDEO_BPS },
  'fan-out-400': { rooms: 1, people: 401, senders: 1, bitrateBps: VIDEO_BPS },
  'fan-out-800': { rooms: 1, people: 801, senders: 1, bitrateBps: VIDEO_BPS },
  /** Somebody speaks in each room. */
  'rooms-speaker': { rooms: 100, people: 8, senders: 1, bitrateBps: VIDEO_BPS },
  /** The same, for the time it takes. */
  'rooms-delay': { rooms: 100, people: 8, senders: 1, bitrateBps: VIDEO_BPS, isAwake: true },
  /** Half of a room are seen by all others, small: pictures of one packet. */
  'rooms-half': { rooms: 100, people: 8, senders: 4, bitrateBps: 100_000 },
};

interface Options {
  readonly seconds: number;
  readonly scenarios: readonly string[];
  readonly engines: readonly SfuEngine[];
  readonly profiles: readonly SrtpProfileName[];
  readonly split: boolean;
  readonly hot: boolean;
  readonly out: string;
}

/** @throws BenchError `bench/bad-option` */
function readOptions(): Options | undefined {
  const text = (otherwise: string) => ({ type: 'string', default: otherwise }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      seconds: text('10'),
      scenario: text(Object.keys(SCENARIOS).join()),
      engine: text('ffi,portable'),
      profile: text(PROFILES[0]!),
      split: flag,
      hot: flag,
      out: text('bench/results/sfu'),
      help: flag,
    },
  });
  if (values.help) return undefined;
  const seconds = Number(values.seconds);
  if (!(Number.isInteger(seconds) && seconds > 0)) {
    throw new BenchError('bench/bad-option', `--seconds wants a whole number above 0, not '${values.seconds}'`);
  }
  const some = <T extends string>(name: 'scenario' | 'engine' | 'profile', known: readonly T[]): readonly T[] => {
    const wanted = values[name].split(',');
    const unknown = wanted.find((one) => !known.includes(one as T));
    if (unknown !== undefined) throw new BenchError('bench/bad-option', `--${name}: no such one: '${unknown}'`);
    return known.filter((one) => wanted.includes(one));
  };
  return {
    seconds,
    scenarios: some('scenario', Object.keys(SCENARIOS)),
    engines: some('engine', ENGINES),
    profiles: some('profile', PROFILES),
    split: values.split || values.hot,
    hot: values.hot,
    out: values.out.replace(/\.(md|json)$/, ''),
  };
}

type Server = WebRtcProcess<SfuServerCommand>;
type Clients = WebRtcProcess<SfuClientsCommand>;
type Measured = Omit<SfuRow, 'scenario' | 'load' | 'engine' | 'profile' | 'split' | 'invalid'> & {
  readonly faults: number;
  readonly lateShare: number;
};

/** Puts connected people under load for one window. */
async function measureWindow(server: Server, clients: Clients, load: SfuLoad, seconds: number): Promise<Measured> {
  await clients.ask({ type: 'send', isOn: true });
  await sleep(WARM_UP_MS);
  await clients.ask({ type: 'send', isOn: false });
  await sleep(DRAIN_MS);
  const first = await clients.ask<SfuClientsCounters>({ type: 'send', isOn: true });
  await sleep(SETTLE_MS);
  const loadBefore = await clients.ask<SfuClientsCounters>({ type: 'begin' });
  const before = await server.ask<WorkerCounters>({ type: 'count' });
  await sleep(seconds * 1000);
  const after = await server.ask<WorkerCounters>({ type: 'count' });
  const loadAfter = await clients.ask<SfuClientsCounters>({ type: 'count' });
  await clients.ask({ type: 'send', isOn: false });
  await sleep(DRAIN_MS);
  const last = await clients.ask<SfuClientsCounters>({ type: 'count' });

  const elapsedUs = after.atUs - before.atUs;
  const loadElapsedUs = loadAfter.atUs - loadBefore.atUs;
  const forwardedPerSecond = ((loadAfter.received - loadBefore.received) * 1e6) / loadElapsedUs;
  const workerCpuShare = (after.cpuUs - before.cpuUs) / elapsedUs;
  const expectedPackets = (last.sent - first.sent) * copiesOf(load);
  return {
    forwardedPerSecond,
    receivedPerSecond: ((loadAfter.sent - loadBefore.sent) * 1e6) / loadElapsedUs,
    cpuUsPerPacket: (workerCpuShare * 1e6) / forwardedPerSecond,
    workerCpuShare,
    loadCpuShare: (loadAfter.cpuUs - loadBefore.cpuUs) / loadElapsedUs,
    workerWaitedShare: (after.waitedUs - before.waitedUs) / elapsedUs,
    loadWaitedShare: (loadAfter.waitedUs - loadBefore.waitedUs) / loadElapsedUs,
    workerRssBytes: after.rssBytes,
    delay: loadAfter.delay,
    secondP99Ms: loadAfter.secondP99Ms,
    expectedPackets,
    lostPackets: expectedPackets - (last.received - first.received),
    faults: last.faults - first.faults,
    lateShare:
      (loadAfter.latePictures - loadBefore.latePictures) / Math.max(1, loadAfter.pictures - loadBefore.pictures),
  };
}

function faultsOf(row: Measured, { isAwake = false }: SfuLoad): string[] {
  const found: string[] = [];
  if (row.workerCpuShare > SATURATED) found.push('the worker used its whole core');
  // One that never sleeps always does.
  if (row.loadCpuShare > SATURATED && !isAwake) found.push('the load used its whole core');
  if (row.lateShare > LATE_TOLERANCE && isAwake) found.push('the load was late');
  if (Math.max(row.workerWaitedShare, row.loadWaitedShare) > WAIT_TOLERANCE) found.push('the machine had other work');
  if (Math.abs(row.lostPackets) > row.expectedPackets * LOSS_TOLERANCE) found.push('packets were lost');
  else if (row.faults > 2 * Math.abs(row.lostPackets))
    found.push(`${row.faults} packets were not genuine or out of order`);
  return found;
}

interface Measurement {
  readonly row: SfuRow;
  readonly version: string;
}

async function measure(
  name: string,
  engine: SfuEngine,
  profile: SrtpProfileName,
  options: Options,
): Promise<Measurement> {
  const load = SCENARIOS[name]!;
  const settings: SfuSettings = { ...load, engine, profile };
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const profilePath = join(folder, 'worker.cpuprofile');
  const isSplit = options.split && engine !== 'native';
  const profiled = fileURLToPath(new URL('./sfu-profiled-worker.ts', import.meta.url));
  const environment = isSplit ? [`MEDIASOUP_WORKER_BIN=${profiled}`, `MILLRACE_BENCH_PROFILE=${profilePath}`] : [];
  const isPortable = engine === 'portable';
  const server: Server = new WebRtcProcess({
    program: 'sfu-server',
    cpu: SERVER_CPU,
    settings,
    isPortable,
    environment,
  });
  const clients: Clients = new WebRtcProcess({ program: 'sfu-clients', cpu: LOAD_CPU, settings, isPortable: false });
  try {
    const version = await server.ask<string>({ type: 'version' });
    const fingerprint = await clients.ask<string>({ type: 'certificate' });
    const people = await server.ask<PersonDescription[]>({ type: 'open', fingerprint });
    await clients.ask({ type: 'connect', people });
    const measured = await measureWindow(server, clients, load, options.seconds);
    let times: ReadonlyMap<string, number> | undefined;
    if (isSplit) {
      await clients.ask({ type: 'send', isOn: true });
      await sleep(1000);
      await server.ask({ type: 'profile' });
      await sleep(options.seconds * 1000);
      await server.ask({ type: 'profile' });
      await clients.ask({ type: 'send', isOn: false });
      times = profileTimes(profilePath);
      if (options.hot) process.stdout.write(hottestPlaces(times, 60));
    }
    const { faults: _, lateShare: __, ...numbers } = measured;
    const split = times === undefined ? {} : { split: splitCpu(times) };
    return {
      row: { scenario: name, load, engine, profile, ...numbers, ...split, invalid: faultsOf(measured, load) },
      version,
    };
  } finally {
    await Promise.all([clients.stop(), server.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(USAGE.replace('%SCENARIOS%', Object.keys(SCENARIOS).join(', ')));
    return 0;
  }
  const machine = describeMachine();
  const rows: SfuRow[] = [];
  const versions = new Set<string>();
  for (const scenario of options.scenarios) {
    for (const profile of options.profiles) {
      for (const engine of options.engines) {
        const { row, version } = await measure(scenario, engine, profile, options);
        process.stdout.write(`${sfuRowLine(row)}\n`);
        rows.push(row);
        versions.add(version);
      }
    }
  }
  const report = {
    date: new Date().toISOString(),
    command: ['node bench/load/sfu.ts', ...process.argv.slice(2)].join(' '),
    machine,
    versions: [serverVersion({ kind: 'millrace', variant: 'normal' }), ...versions],
    seconds: options.seconds,
    loadAverageAtEnd: loadavg()[0]!,
    targets: targetsOf(rows),
    rows,
  };
  writeResults(options.out, report, toSfuMarkdown(report));
  return rows.every((row) => row.invalid.length === 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
