/**
 * The load benchmark: Millrace and its peers, one after another, under the same load. `npm run bench -- --help` tells
 * the options, README.md beside this file how it measures.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureClip, FRAME_RATE, GOP_FRAMES, readClip } from './clip.ts';
import { hotFunctions } from './cpu-profile.ts';
import { describeMachine } from './machine.ts';
import { type FailedRow, type Load, measure, PUBLISH_CHUNK_SIZE, profileName, type Row } from './measure.ts';
import { type BenchOptions, readOptions, type Scenario, USAGE } from './options.ts';
import type { ViewerProtocol } from './protocol.ts';
import { type BenchReport, summaryLine, toMarkdown } from './report.ts';
import { writeResults } from './result-files.ts';
import { canServe, ensureInstalled, type ServerChoice, serverName, serverVersion } from './servers.ts';
import { compareWithTargets } from './targets.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIP_PATH = resolve(ROOT, '.cache/bench/clip-1200k.flv');

interface Job {
  readonly choice: ServerChoice;
  readonly scenario: Scenario;
  readonly protocol: ViewerProtocol | undefined;
}

/** Every server under every load it can take; servers alternate so that a drift of the machine hits all alike. */
function jobs(options: BenchOptions): Job[] {
  const out: Job[] = [];
  const add = (scenario: Scenario, protocol: ViewerProtocol | undefined): void => {
    for (const choice of options.servers) {
      if (canServe(choice.kind, protocol)) out.push({ choice, scenario, protocol });
    }
  };
  for (const scenario of options.scenarios) {
    if (scenario === 'latency') {
      add('latency', 'http-flv');
      add('latency', 'rtmp');
    } else {
      add(scenario, scenario === 'publish' ? undefined : scenario);
    }
  }
  return out;
}

function viewersOf({ choice, scenario }: Job, options: BenchOptions): number {
  if (scenario === 'latency') return options.latencyViewers;
  const wanted = scenario === 'rtsp-udp' ? options.udpViewers : options.viewers;
  return choice.kind === 'gst-rtsp-server' ? Math.min(wanted, options.gstViewers) : wanted;
}

function loadOf(job: Job, options: BenchOptions): Load {
  const { scenario, protocol } = job;
  return {
    scenario,
    protocol,
    viewers: viewersOf(job, options),
    publishers: scenario === 'publish' ? options.publishers : 1,
    clipPath: CLIP_PATH,
  };
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const wanted = jobs(options);
  const servers = options.servers.filter((choice) => wanted.some((job) => job.choice === choice));
  for (const choice of servers) ensureInstalled(choice);
  await ensureClip(CLIP_PATH);
  const { bitrateBps } = readClip(CLIP_PATH);
  const machine = describeMachine();
  const rows: (Row | FailedRow)[] = [];
  for (const job of wanted) {
    const over = job.protocol === undefined || job.protocol === job.scenario ? '' : ` ${job.protocol}`;
    process.stdout.write(`${job.scenario}${over}, ${serverName(job.choice)}: `);
    const load = loadOf(job, options);
    const row = await measure(job.choice, load, options);
    rows.push(row);
    process.stdout.write(`${summaryLine(row)}\n`);
    if (options.profile && job.choice.kind === 'millrace') {
      process.stdout.write(hotFunctions(profileName(job.choice, load)));
    }
  }
  const report: BenchReport = {
    date: new Date().toISOString(),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine,
    versions: servers.map(serverVersion),
    clip: { bitrateBps, frameRate: FRAME_RATE, gopSeconds: GOP_FRAMES / FRAME_RATE },
    settings: {
      seconds: options.seconds,
      joinsPerSecond: options.joinsPerSecond,
      publishChunkSize: PUBLISH_CHUNK_SIZE,
    },
    targets: compareWithTargets(rows),
    rows,
  };
  writeResults(options.out, report, toMarkdown(report));
  return rows.every((row) => 'invalid' in row && row.invalid.length === 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
