import type { FailedRow, Row } from './measure.ts';
import type { Scenario } from './options.ts';

/** A goal of the project and how this run stands to it. */
export interface Target {
  readonly goal: string;
  readonly limit: string;
  readonly measured: string;
  /** `undefined` when the rows it needs are missing or invalid. */
  readonly reached: boolean | undefined;
}

interface Limit {
  readonly scenario: Scenario;
  readonly goal: string;
  readonly limit: number;
  readonly unit: string;
  readonly digits: number;
  /** Strictly below, not at most. */
  readonly below?: true;
  readonly value: (find: Find) => number | undefined;
}

type Find = (scenario: Scenario, server: string, protocol?: string) => Row | undefined;

function cpuRatio(find: Find, scenario: Scenario, peer: string): number | undefined {
  const own = find(scenario, 'millrace');
  const other = find(scenario, peer);
  return own === undefined || other === undefined ? undefined : own.serverCpuShare / other.serverCpuShare;
}

/** CPU per viewer: the peers may have had fewer. */
function cpuPerViewerRatio(find: Find, scenario: Scenario, peer: string): number | undefined {
  const own = find(scenario, 'millrace');
  const other = find(scenario, peer);
  if (own === undefined || other === undefined) return undefined;
  return own.serverCpuShare / own.viewers / (other.serverCpuShare / other.viewers);
}

function realtimeLatency(find: Find, protocol: string, which: 'p50Ms' | 'p99Ms'): number | undefined {
  return find('latency', 'millrace:realtime', protocol)?.watched?.latency[which];
}

const LIMITS: readonly Limit[] = [
  {
    scenario: 'rtmp',
    goal: 'CPU per RTMP viewer, against nginx-rtmp',
    limit: 0.45,
    unit: '×',
    digits: 3,
    value: (find) => cpuRatio(find, 'rtmp', 'nginx-rtmp'),
  },
  ...(['rtmp', 'http-flv'] as const).flatMap((protocol) =>
    (['node-media-server', 'node-media-server:system-node'] as const).map((peer): Limit => {
      const how = protocol === 'rtmp' ? 'RTMP' : 'HTTP-FLV';
      const goal = `CPU per ${how} viewer, against ${peer}`;
      return {
        scenario: protocol,
        goal,
        limit: protocol === 'rtmp' ? 0.3 : 0.12,
        unit: '×',
        digits: 3,
        value: (find) => cpuRatio(find, protocol, peer),
      };
    }),
  ),
  {
    scenario: 'http-flv',
    goal: 'Memory with all HTTP-FLV viewers',
    limit: 150,
    unit: 'MB',
    digits: 0,
    value: (find) => {
      const row = find('http-flv', 'millrace');
      return row === undefined ? undefined : row.rssBytes / 1e6;
    },
  },
  {
    scenario: 'publish',
    goal: 'Publish CPU per stream, against nginx-rtmp',
    limit: 1,
    unit: '×',
    digits: 3,
    value: (find) => cpuRatio(find, 'publish', 'nginx-rtmp'),
  },
  ...(['http-flv', 'rtmp'] as const).flatMap((protocol): Limit[] => [
    {
      scenario: 'latency',
      goal: `Added latency, realtime, ${protocol}, p50`,
      limit: 5,
      unit: 'ms',
      digits: 1,
      below: true,
      value: (find) => realtimeLatency(find, protocol, 'p50Ms'),
    },
    {
      scenario: 'latency',
      goal: `Added latency, realtime, ${protocol}, p99`,
      limit: 20,
      unit: 'ms',
      digits: 1,
      below: true,
      value: (find) => realtimeLatency(find, protocol, 'p99Ms'),
    },
  ]),
  ...(['rtsp', 'rtsp-udp'] as const).map((scenario): Limit => {
    const how = scenario === 'rtsp' ? 'RTSP viewer, TCP' : 'RTSP viewer, UDP';
    return {
      scenario,
      goal: `CPU per ${how}, against gst-rtsp-server`,
      limit: 0.5,
      unit: '×',
      digits: 3,
      value: (find) => cpuPerViewerRatio(find, scenario, 'gst-rtsp-server'),
    };
  }),
  {
    scenario: 'rtsp',
    goal: 'CPU of 1,000 RTSP viewers, TCP',
    limit: 9,
    unit: '% of a core',
    digits: 1,
    below: true,
    value: (find) => {
      const row = find('rtsp', 'millrace');
      return row === undefined ? undefined : (row.serverCpuShare * 100_000) / row.viewers;
    },
  },
];

/** Compares the rows of a run with the goals of its scenarios. */
export function compareWithTargets(rows: readonly (Row | FailedRow)[]): Target[] {
  const find: Find = (scenario, server, protocol) =>
    rows.find(
      (row): row is Row =>
        'invalid' in row &&
        row.invalid.length === 0 &&
        row.scenario === scenario &&
        row.server === server &&
        (protocol === undefined || row.protocol === protocol),
    );
  const ran = new Set(rows.map((row) => row.scenario));
  return LIMITS.filter(({ scenario }) => ran.has(scenario)).map(({ goal, limit, unit, digits, below, value }) => {
    const measured = value(find);
    return {
      goal,
      limit: `${below === true ? '<' : '≤'} ${limit} ${unit}`,
      measured: measured === undefined ? '–' : `${measured.toFixed(digits)} ${unit}`,
      reached: measured === undefined ? undefined : below === true ? measured < limit : measured <= limit,
    };
  });
}
