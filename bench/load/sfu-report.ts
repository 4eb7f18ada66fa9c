import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import type { Percentiles } from './histogram.ts';
import type { Machine } from './machine.ts';
import { percent } from './measure.ts';
import type { CpuSplit } from './sfu-cpu-split.ts';
import { FRAME_RATE, type SfuEngine, type SfuLoad } from './sfu-protocol.ts';

/** One engine under one load. */
export interface SfuRow {
  readonly scenario: string;
  readonly load: SfuLoad;
  readonly engine: SfuEngine;
  readonly profile: SrtpProfileName;
  /** Copies sent, and packets received for them. */
  readonly forwardedPerSecond: number;
  readonly receivedPerSecond: number;
  /** CPU of the worker for each copy, all it does included, microseconds. */
  readonly cpuUsPerPacket: number;
  readonly workerCpuShare: number;
  readonly loadCpuShare: number;
  /** Share of the window in which each side was kept off its core by other programs. */
  readonly workerWaitedShare: number;
  readonly loadWaitedShare: number;
  readonly workerRssBytes: number;
  readonly delay: Percentiles;
  /** p99 of each second of the window. */
  readonly secondP99Ms: readonly number[];
  readonly expectedPackets: number;
  readonly lostPackets: number;
  /** Only of a run with a profile. */
  readonly split?: CpuSplit;
  /** Why the numbers are not to be used; empty for a good row. */
  readonly invalid: readonly string[];
}

/** A whole run. */
export interface SfuReport {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly versions: readonly string[];
  readonly seconds: number;
  readonly loadAverageAtEnd: number;
  readonly targets: readonly SfuTarget[];
  readonly rows: readonly SfuRow[];
}

/** A limit of the issue, and what was measured. */
export interface SfuTarget {
  readonly goal: string;
  readonly limit: string;
  readonly measured: string;
  /** Undefined: not measured in this run. */
  readonly isReached: boolean | undefined;
}

function loadName({ rooms, people, senders, bitrateBps }: SfuLoad): string {
  const bitrate = `${(bitrateBps / 1e6).toFixed(2)} Mb/s`;
  return `${rooms} × ${people} people, ${senders} of them with ${bitrate}`;
}

/** The row as cells of a table, for the page and the terminal. */
export function sfuRowLine(row: SfuRow): string {
  const lost = `${row.lostPackets} (${((row.lostPackets / Math.max(1, row.expectedPackets)) * 100).toFixed(3)} %)`;
  const cells = [
    row.scenario,
    loadName(row.load),
    row.engine,
    row.profile,
    `${row.receivedPerSecond.toFixed(0)} → ${row.forwardedPerSecond.toFixed(0)}`,
    row.cpuUsPerPacket.toFixed(2),
    (1e6 / row.cpuUsPerPacket).toFixed(0),
    percent(row.workerCpuShare),
    `${row.delay.p50Ms.toFixed(2)} / ${row.delay.p99Ms.toFixed(1)}`,
    secondsText(row.secondP99Ms),
    `${(row.workerRssBytes / 1e6).toFixed(0)} MB`,
    percent(row.loadCpuShare),
    `${percent(row.workerWaitedShare)} / ${percent(row.loadWaitedShare)}`,
    lost,
    row.invalid.length === 0 ? 'yes' : `**no**: ${row.invalid.join('; ')}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What one second or another of a machine with other work does to the whole window shows beside the median second. */
export function secondsText(secondP99Ms: readonly number[]): string {
  const sorted = secondP99Ms.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  if (least === undefined || median === undefined || most === undefined) return '–';
  return `${median.toFixed(1)} (${least.toFixed(1)}–${most.toFixed(1)})`;
}

function splitLine({ scenario, engine, profile, cpuUsPerPacket, split }: SfuRow): string {
  if (split === undefined) return '';
  const parts = [split.receive, split.parse, split.rewrite, split.crypto, split.send, split.other];
  const cells = parts.map((share) => `${(share * cpuUsPerPacket).toFixed(2)} (${percent(share)})`);
  return `| ${[scenario, engine, profile, ...cells].join(' | ')} |\n`;
}

/** The run as a Markdown page. */
export function toSfuMarkdown(report: SfuReport): string {
  const { machine, rows, targets } = report;
  const verdict = ({ isReached }: SfuTarget): string =>
    isReached === undefined ? 'not measured' : isReached ? 'pass' : '**fail**';
  const splits = rows.map(splitLine).join('');
  return `# The SFU under load

- Date: ${report.date}
- Command: \`${report.command}\`
- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.distribution}, ${machine.kernel}
- Processes: ${machine.pinning.replace('server', 'worker')}
- Other work on the machine: load average ${machine.loadAverageAtStart} at the start, ${report.loadAverageAtEnd.toFixed(2)} at the end
- Versions: ${report.versions.join('; ')}; Node ${machine.node}
- Video of VP8, ${FRAME_RATE} frames a second, each sent as one burst of packets of up to 1,180 bytes; DTLS-SRTP over UDP on the loopback interface, each person with a socket and keys of their own
- Windows of ${report.seconds} s; CPU is that of the worker process, divided by copies forwarded; how it works: [bench/load/README.md](../load/README.md)

| goal | limit | measured | |
| --- | --- | --- | --- |
${targets.map((target) => `| ${target.goal} | ${target.limit} | ${target.measured} | ${verdict(target)} |`).join('\n')}

| scenario | load | worker | profile | packets/s in → out | CPU a copy, µs | copies/s a core | worker core | delay p50 / p99, ms | p99 of its seconds: median (least–most), ms | RSS | load core | kept off the core, worker / load | lost | valid |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${rows.map(sfuRowLine).join('\n')}
${
  splits === ''
    ? ''
    : `
What the CPU of a copy goes into, µs (a profile of the worker; what a packet that comes in costs is shared by its copies):

| scenario | worker | profile | receive | parse and account | choose and rewrite | crypto | send | other: Node, garbage |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
${splits}`
}`;
}
