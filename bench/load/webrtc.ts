/**
 * What a packet costs a server of WebRTC sessions on its whole way, from the socket through SRTP and back, by both
 * providers: `node bench/load/webrtc.ts --help` tells the options, README.md beside this file how it measures.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { sleep } from './clock.ts';
import { BenchError } from './errors.ts';
import { describeMachine } from './machine.ts';
import { percent } from './measure.ts';
import { LOAD_CPU, SERVER_CPU } from './pinned-process.ts';
import { writeResults } from './result-files.ts';
import { serverVersion } from './servers.ts';
import { WebRtcProcess } from './webrtc-process.ts';
import type {
  ClientsCommand,
  Counters,
  ServerCommand,
  ServerDescription,
  ServerProviders,
  WebRtcSettings,
} from './webrtc-protocol.ts';
import { rowLine, toMarkdown, type WebRtcRow, type WebRtcWork } from './webrtc-report.ts';

const USAGE = `node bench/load/webrtc.ts [options]

  --seconds 10                      length of each measured window
  --sessions 50                     sessions of the one port
  --rate 20000                      packets a second over all sessions; it must not saturate either core
  --provider both                   ffi, portable or both
  --out bench/results/webrtc-load   results as <out>.md and <out>.json
`;
const PROFILES: readonly SrtpProfileName[] = ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'];
const WORKS: readonly WebRtcWork[] = ['receive', 'echo'];
/** Before each window: code is compiled by then. */
const WARM_UP_MS = 3000;
/** Packets that are on their way when sending ends have arrived after this. */
const DRAIN_MS = 500;
/** Share of packets that may be lost: with more, the server was spared work. */
const LOSS_TOLERANCE = 0.001;
/** How far from the wanted rate a row may be. */
const RATE_TOLERANCE = 0.05;
const SATURATED = 0.95;
/** Share of the window a side may be kept off its core: with more, the machine had other work. */
const WAIT_TOLERANCE = 0.05;

interface Options {
  readonly seconds: number;
  readonly sessions: number;
  readonly rate: number;
  readonly providers: readonly WebRtcRow['provider'][];
  readonly out: string;
}

/** @throws BenchError `bench/bad-option` */
function readOptions(): Options | undefined {
  const text = (otherwise: string) => ({ type: 'string', default: otherwise }) as const;
  const { values } = parseArgs({
    options: {
      seconds: text('10'),
      sessions: text('50'),
      rate: text('20000'),
      provider: text('both'),
      out: text('bench/results/webrtc-load'),
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const count = (name: 'seconds' | 'sessions' | 'rate'): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new BenchError('bench/bad-option', `--${name} wants a whole number above 0, not '${values[name]}'`);
  };
  const providers = (['ffi', 'portable'] as const).filter((name) => [name, 'both'].includes(values.provider));
  if (providers.length === 0) throw new BenchError('bench/bad-option', `no such provider: '${values.provider}'`);
  const out = values.out.replace(/\.(md|json)$/, '');
  return { seconds: count('seconds'), sessions: count('sessions'), rate: count('rate'), providers, out };
}

type Server = WebRtcProcess<ServerCommand>;
type Clients = WebRtcProcess<ClientsCommand>;

/** What both sides have done, at nearly the same time. */
async function countBoth(server: Server, clients: Clients): Promise<{ server: Counters; clients: Counters }> {
  const [atServer, atClients] = await Promise.all([
    server.ask<Counters>({ type: 'count' }),
    clients.ask<Counters>({ type: 'count' }),
  ]);
  return { server: atServer, clients: atClients };
}

type Measured = Omit<WebRtcRow, 'provider' | 'profile' | 'invalid'>;

/** Puts connected sessions under load for one window. */
async function measureWork(server: Server, clients: Clients, work: WebRtcWork, options: Options): Promise<Measured> {
  const isEcho = work === 'echo';
  await server.ask({ type: 'echo', isEnabled: isEcho });
  const first = await countBoth(server, clients);
  await clients.ask({ type: 'send', packetsPerSecond: options.rate });
  await sleep(WARM_UP_MS);
  const before = await countBoth(server, clients);
  await sleep(options.seconds * 1000);
  const after = await countBoth(server, clients);
  await clients.ask({ type: 'send', packetsPerSecond: 0 });
  await sleep(DRAIN_MS);
  const last = await countBoth(server, clients);

  const share = (side: 'server' | 'clients', of: 'cpuUs' | 'waitedUs'): number =>
    (after[side][of] - before[side][of]) / (after[side].atUs - before[side].atUs);
  const packets = isEcho ? after.server.sent - before.server.sent : after.server.received - before.server.received;
  const sentPackets = last.clients.sent - first.clients.sent;
  const arrived = isEcho
    ? last.clients.received - first.clients.received
    : last.server.received - first.server.received;
  return {
    work,
    packetsPerSecond: (packets * 1e6) / (after.server.atUs - before.server.atUs),
    cpuUsPerPacket: (after.server.cpuUs - before.server.cpuUs) / packets,
    serverCpuShare: share('server', 'cpuUs'),
    loadCpuShare: share('clients', 'cpuUs'),
    serverWaitedShare: share('server', 'waitedUs'),
    loadWaitedShare: share('clients', 'waitedUs'),
    sentPackets,
    lostPackets: sentPackets - arrived,
  };
}

function faults(row: Measured, options: Options): string[] {
  const found: string[] = [];
  if (row.serverCpuShare > SATURATED) found.push('the server used its whole core');
  if (row.loadCpuShare > SATURATED) found.push('the load used its whole core');
  if (Math.max(row.serverWaitedShare, row.loadWaitedShare) > WAIT_TOLERANCE) found.push('the machine had other work');
  if (row.lostPackets > row.sentPackets * LOSS_TOLERANCE) found.push('packets were lost');
  const rateShare = row.packetsPerSecond / options.rate;
  if (Math.abs(rateShare - 1) > RATE_TOLERANCE) found.push(`${percent(rateShare)} of the wanted rate`);
  return found;
}

/** Each kind of work of one server, with clients that are the same for every server. */
async function measureServer(
  provider: WebRtcRow['provider'],
  profile: SrtpProfileName,
  options: Options,
): Promise<{ readonly rows: readonly WebRtcRow[]; readonly providers: string }> {
  const settings: WebRtcSettings = { sessions: options.sessions, profile };
  const isPortable = provider === 'portable';
  const server: Server = new WebRtcProcess({ program: 'webrtc-server', cpu: SERVER_CPU, settings, isPortable });
  const clients: Clients = new WebRtcProcess({ program: 'webrtc-clients', cpu: LOAD_CPU, settings, isPortable: false });
  try {
    const { srtp, sockets, reason } = await server.ask<ServerProviders>({ type: 'providers' });
    if (!isPortable && reason !== undefined) {
      throw new BenchError('bench/missing-program', `node:ffi is not used here: ${reason}`);
    }
    const fingerprint = await clients.ask<string>({ type: 'certificate' });
    const description = await server.ask<ServerDescription>({ type: 'open', fingerprint });
    await clients.ask({ type: 'connect', server: description });
    const rows: WebRtcRow[] = [];
    for (const work of WORKS) {
      const measured = await measureWork(server, clients, work, options);
      const row = { ...measured, provider, profile, invalid: faults(measured, options) };
      process.stdout.write(`${rowLine(row)}\n`);
      rows.push(row);
    }
    return { rows, providers: `${provider}: SRTP ${srtp}, sockets ${sockets}` };
  } finally {
    await Promise.all([clients.stop(), server.stop()]);
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const machine = describeMachine();
  const rows: WebRtcRow[] = [];
  const providers = new Set<string>();
  for (const profile of PROFILES) {
    for (const provider of options.providers) {
      const measured = await measureServer(provider, profile, options);
      rows.push(...measured.rows);
      providers.add(measured.providers);
    }
  }
  const report = {
    date: new Date().toISOString(),
    command: ['node bench/load/webrtc.ts', ...process.argv.slice(2)].join(' '),
    machine,
    version: serverVersion({ kind: 'millrace', variant: 'normal' }),
    providers: [...providers],
    sessions: options.sessions,
    packetsPerSecond: options.rate,
    seconds: options.seconds,
    loadAverageAtEnd: loadavg()[0]!,
    rows,
  };
  writeResults(options.out, report, toMarkdown(report));
  return rows.every((row) => row.invalid.length === 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
