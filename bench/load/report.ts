import type { Machine } from './machine.ts';
import { type FailedRow, percent, type Row } from './measure.ts';
import type { Target } from './targets.ts';

/** A whole run, as it is written to the JSON file. */
export interface BenchReport {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly versions: readonly string[];
  readonly clip: { readonly bitrateBps: number; readonly frameRate: number; readonly gopSeconds: number };
  readonly settings: { readonly seconds: number; readonly joinsPerSecond: number; readonly publishChunkSize: number };
  readonly targets: readonly Target[];
  readonly rows: readonly (Row | FailedRow)[];
}

type Cells = readonly string[];

function table(head: Cells, body: readonly Cells[]): string {
  const line = (cells: Cells): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, i) => (i === 0 ? '---' : '---:')));
  return [line(head), rule, ...body.map(line)].join('\n');
}

function milliseconds(p50: number, p99: number): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`;
}

function state(row: Row | FailedRow): string {
  if ('error' in row) return `**failed**: ${row.error.replace(/\s+/g, ' ').replaceAll('|', '/')}`;
  return row.invalid.length === 0 ? 'yes' : `**no**: ${row.invalid.join('; ')}`;
}

function viewerCells(row: Row | FailedRow): Cells {
  if ('error' in row || row.watched === undefined) return [row.server, '–', '–', '–', '–', '–', '–', '–', state(row)];
  const { watched } = row;
  const viewerMinutes = (row.viewers * row.seconds) / 60;
  return [
    row.server,
    String(row.viewers),
    `${((row.serverCpuSeconds * 1000) / viewerMinutes).toFixed(2)} ms`,
    percent((row.serverCpuShare * 1000) / row.viewers),
    `${(row.rssBytes / 1e6).toFixed(0)} MB`,
    milliseconds(watched.join.p50Ms, watched.join.p99Ms),
    milliseconds(watched.latency.p50Ms, watched.latency.p99Ms),
    percent(row.loadCpuShare),
    state(row),
  ];
}

const VIEWER_HEAD: Cells = [
  'server',
  'viewers',
  'CPU per viewer-minute',
  'core per 1,000 viewers',
  'RSS',
  'join p50 / p99',
  'latency p50 / p99',
  'load core',
  'valid',
];

function latencyCells(row: Row | FailedRow): Cells {
  if ('error' in row || row.watched === undefined) return [row.server, row.protocol ?? '', '–', '–', '–', state(row)];
  const { latency } = row.watched;
  return [
    row.server,
    row.protocol ?? '',
    String(row.viewers),
    milliseconds(latency.p50Ms, latency.p99Ms),
    `${latency.maxMs.toFixed(1)} ms`,
    state(row),
  ];
}

function publishCells(row: Row | FailedRow): Cells {
  if ('error' in row) return [row.server, '–', '–', '–', '–', '–', state(row)];
  const { lateness } = row.published;
  return [
    row.server,
    String(row.publishers),
    `${((row.serverCpuShare / row.publishers) * 100).toFixed(3)} %`,
    `${(row.rssBytes / 1e6).toFixed(0)} MB`,
    milliseconds(lateness.p50Ms, lateness.p99Ms),
    percent(row.loadCpuShare),
    state(row),
  ];
}

function section(title: string, head: Cells, body: readonly Cells[]): string[] {
  return body.length === 0 ? [] : [`## ${title}`, '', table(head, body), ''];
}

/** A row in one line, for the terminal while the run goes on. */
export function summaryLine(row: Row | FailedRow): string {
  if ('error' in row) return `failed: ${row.error}`;
  const parts = [`server ${percent(row.serverCpuShare)} of a core`, `${(row.rssBytes / 1e6).toFixed(0)} MB`];
  if (row.watched !== undefined) {
    const { latency, join } = row.watched;
    parts.push(`join ${milliseconds(join.p50Ms, join.p99Ms)}`, `latency ${milliseconds(latency.p50Ms, latency.p99Ms)}`);
  }
  parts.push(`load ${percent(row.loadCpuShare)}`);
  return [...parts, ...row.invalid.map((fault) => `INVALID: ${fault}`)].join(', ');
}

/** The run as a Markdown page. */
export function toMarkdown(report: BenchReport): string {
  const { machine, clip, settings } = report;
  const rowsOf = (scenario: string): (Row | FailedRow)[] => report.rows.filter((row) => row.scenario === scenario);
  const verdict = (target: Target): string =>
    target.reached === undefined ? 'not measured' : target.reached ? 'pass' : '**fail**';
  return [
    '# Load benchmark',
    '',
    `- Date: ${report.date}`,
    `- Command: \`${report.command}\``,
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.distribution}, ${machine.kernel}`,
    `- Processes: ${machine.pinning}; load average at the start ${machine.loadAverageAtStart}`,
    `- Versions: ${report.versions.join('; ')}; Node ${machine.node}`,
    `- Stream: H.264 + AAC, ${(clip.bitrateBps / 1e6).toFixed(2)} Mb/s of payload, ${clip.frameRate} frames/s, key frame every ${clip.gopSeconds} s; published in chunks of ${settings.publishChunkSize} bytes`,
    `- Windows of ${settings.seconds} s after everyone has joined (${settings.joinsPerSecond} a second); how it works: [bench/load/README.md](../load/README.md)`,
    '',
    ...section(
      'Targets',
      ['goal', 'limit', 'measured', ''],
      report.targets.map((target) => [target.goal, target.limit, target.measured, verdict(target)]),
    ),
    ...section('Viewers over HTTP-FLV', VIEWER_HEAD, rowsOf('http-flv').map(viewerCells)),
    ...section('Viewers over RTMP', VIEWER_HEAD, rowsOf('rtmp').map(viewerCells)),
    ...section('Viewers over RTSP, RTP in the connection', VIEWER_HEAD, rowsOf('rtsp').map(viewerCells)),
    ...section('Viewers over RTSP, RTP over UDP', VIEWER_HEAD, rowsOf('rtsp-udp').map(viewerCells)),
    ...section(
      'Added latency, publisher’s write to viewer’s last byte of the frame',
      ['server', 'over', 'viewers', 'p50 / p99', 'max', 'valid'],
      rowsOf('latency').map(latencyCells),
    ),
    ...section(
      'Publishers, nobody watching',
      ['server', 'publishers', 'core per stream', 'RSS', 'send lateness p50 / p99', 'load core', 'valid'],
      rowsOf('publish').map(publishCells),
    ),
  ].join('\n');
}
