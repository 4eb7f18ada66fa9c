import { parseArgs } from 'node:util';
import { BenchError } from './errors.ts';
import { SERVER_KINDS, SERVER_VARIANTS, type ServerChoice, serverName } from './servers.ts';

/** The kinds of load. */
export const SCENARIOS = ['http-flv', 'rtmp', 'latency', 'publish', 'rtsp', 'rtsp-udp'] as const;
/** One of them. */
export type Scenario = (typeof SCENARIOS)[number];

/** What one run of the benchmark does. */
export interface BenchOptions {
  readonly viewers: number;
  readonly udpViewers: number;
  /** At most this many for gst-rtsp-server, whose CPU is compared per viewer. */
  readonly gstViewers: number;
  readonly latencyViewers: number;
  readonly publishers: number;
  /** Length of each measured window. */
  readonly seconds: number;
  readonly servers: readonly ServerChoice[];
  readonly scenarios: readonly Scenario[];
  /** Where the results go, without extension. */
  readonly out: string;
  readonly joinsPerSecond: number;
  /** Millrace runs with the CPU profiler, and what it spent its time on is printed; its numbers are then too high. */
  readonly profile: boolean;
}

/** Shown for `--help`. */
export const USAGE: string = `npm run bench -- [options]

  --viewers 1000           viewers of one stream, scenarios http-flv, rtmp and rtsp
  --udp-viewers 500        viewers of one stream, scenario rtsp-udp
  --gst-viewers 1000       at most this many for gst-rtsp-server, compared by CPU per viewer
  --latency-viewers 100    viewers while latency is measured, scenario latency
  --publishers 200         publishers at once, scenario publish
  --seconds 30             length of each measured window
  --joins 250              new viewers a second
  --servers millrace,millrace:realtime,nginx-rtmp,node-media-server,node-media-server:system-node,gst-rtsp-server
                           also millrace:low; system-node is the machine's own Node
  --scenario ${SCENARIOS.join(',')}
  --out bench/results/load results as <out>.md and <out>.json
  --quick                  200 viewers, 20 publishers, 6 s, results under .cache/bench/
  --profile                run Millrace with the CPU profiler and print its hot functions; profiles stay in
                           .cache/bench/profiles/ (its CPU numbers are then too high)
`;

const DEFAULT_SERVERS =
  'millrace,millrace:realtime,nginx-rtmp,node-media-server,node-media-server:system-node,gst-rtsp-server';

/**
 * Reads the command line (without node and script).
 * @returns the options, or `undefined` when help was asked for
 * @throws BenchError `bench/bad-option`
 */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    viewers: text,
    'udp-viewers': text,
    'gst-viewers': text,
    'latency-viewers': text,
    publishers: text,
    seconds: text,
    joins: text,
    servers: text,
    scenario: text,
    out: text,
    quick: flag,
    profile: flag,
    help: flag,
  };
  const { values } = parse(args, options);
  if (values.help) return undefined;
  const quick = values.quick;
  return {
    viewers: count('viewers', values.viewers, quick ? 200 : 1000),
    udpViewers: count('udp-viewers', values['udp-viewers'], quick ? 100 : 500),
    gstViewers: count('gst-viewers', values['gst-viewers'], 1000),
    latencyViewers: count('latency-viewers', values['latency-viewers'], quick ? 50 : 100),
    publishers: count('publishers', values.publishers, quick ? 20 : 200),
    seconds: count('seconds', values.seconds, quick ? 6 : 30),
    joinsPerSecond: count('joins', values.joins, 250),
    servers: (values.servers ?? DEFAULT_SERVERS).split(',').map(readServer),
    scenarios: (values.scenario ?? SCENARIOS.join(',')).split(',').map(readScenario),
    out: values.out?.replace(/\.(md|json)$/, '') ?? (quick ? '.cache/bench/quick' : 'bench/results/load'),
    profile: values.profile,
  };
}

function parse<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>> {
  try {
    return parseArgs({ args: [...args], options });
  } catch (cause) {
    throw new BenchError('bench/bad-option', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function count(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new BenchError('bench/bad-option', `--${name} wants a whole number above 0, not '${text}'`);
}

function readServer(text: string): ServerChoice {
  const [name, variant = 'normal'] = text.split(':');
  const kind = SERVER_KINDS.find((known) => known === name);
  if (kind !== undefined && SERVER_VARIANTS[kind].includes(variant)) return { kind, variant };
  const known = SERVER_KINDS.flatMap((each) =>
    SERVER_VARIANTS[each].map((of) => serverName({ kind: each, variant: of })),
  );
  throw new BenchError('bench/bad-option', `no such server: '${text}'; there are ${known.join(', ')}`);
}

function readScenario(text: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario === text);
  if (found !== undefined) return found;
  throw new BenchError('bench/bad-option', `no such scenario: '${text}'; there are ${SCENARIOS.join(', ')}`);
}
