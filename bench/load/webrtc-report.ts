import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import type { Machine } from './machine.ts';
import { percent } from './measure.ts';
import { PACKET_BYTES } from './webrtc-protocol.ts';

/** What sessions do with a packet: receive and unprotect it, or also protect it anew and send it back. */
export type WebRtcWork = 'receive' | 'echo';

/** One kind of work of one server. */
export interface WebRtcRow {
  readonly provider: 'ffi' | 'portable';
  readonly profile: SrtpProfileName;
  readonly work: WebRtcWork;
  /** Of the window. */
  readonly packetsPerSecond: number;
  /** CPU of the server for each packet received, or sent back, microseconds. */
  readonly cpuUsPerPacket: number;
  readonly serverCpuShare: number;
  readonly loadCpuShare: number;
  /** Share of the window in which each side was kept off its core by other programs. */
  readonly serverWaitedShare: number;
  readonly loadWaitedShare: number;
  /** From the first packet to the last, window or not. */
  readonly sentPackets: number;
  readonly lostPackets: number;
  /** Why the numbers are not to be used; empty for a good row. */
  readonly invalid: readonly string[];
}

/** A whole run. */
export interface WebRtcReport {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly version: string;
  /** What the providers are made of here. */
  readonly providers: readonly string[];
  readonly sessions: number;
  readonly packetsPerSecond: number;
  readonly seconds: number;
  readonly loadAverageAtEnd: number;
  readonly rows: readonly WebRtcRow[];
}

const WORK: Readonly<Record<WebRtcWork, string>> = {
  receive: 'receive, unprotect',
  echo: 'receive, unprotect, protect, send',
};

/** The row as cells of a table, for the page and the terminal. */
export function rowLine(row: WebRtcRow): string {
  const lost = `${row.lostPackets} (${((row.lostPackets / Math.max(1, row.sentPackets)) * 100).toFixed(3)} %)`;
  const cells = [
    WORK[row.work],
    row.profile,
    row.provider,
    row.packetsPerSecond.toFixed(0),
    row.cpuUsPerPacket.toFixed(2),
    percent(row.serverCpuShare),
    percent(row.loadCpuShare),
    `${percent(row.serverWaitedShare)} / ${percent(row.loadWaitedShare)}`,
    lost,
    row.invalid.length === 0 ? 'yes' : `**no**: ${row.invalid.join('; ')}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The run as a Markdown page. */
export function toMarkdown(report: WebRtcReport): string {
  const { machine } = report;
  return `# WebRTC sessions under load

- Date: ${report.date}
- Command: \`${report.command}\`
- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.distribution}, ${machine.kernel}
- Processes: ${machine.pinning}
- Other work on the machine: load average ${machine.loadAverageAtStart} at the start, ${report.loadAverageAtEnd.toFixed(2)} at the end (this benchmark alone is about 1)
- Versions: ${report.version}; Node ${machine.node}; ${report.providers.join('; ')}
- ${report.sessions} sessions of one \`WebRtcPort\`, DTLS-SRTP over UDP on the loopback interface; RTP packets of ${PACKET_BYTES} bytes, ${report.packetsPerSecond} a second over all sessions
- Windows of ${report.seconds} s; CPU is user and system time of the whole server process, divided by packets; how it works: [bench/load/README.md](../load/README.md)

| the server's work | profile | provider | packets/s | CPU a packet, µs | server core | load core | kept off the core, server / load | lost | valid |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
${report.rows.map(rowLine).join('\n')}
`;
}
