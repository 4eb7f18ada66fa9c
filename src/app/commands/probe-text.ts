import type {
  AudioTrackReport,
  DataTrackReport,
  ProbeReport,
  VideoTrackReport,
} from '../../server/client/probe-report.ts';
import { formatBitrate, formatTime } from './progress-line.ts';

type Row = readonly [name: string, value: string | null];

/** A report for people, several lines, the last one ended. */
export function formatProbeReport(report: ProbeReport): string {
  const head: Row[] = [
    ['container', report.container],
    ['measured', formatTime(report.durationMs)],
    ['bitrate', bitrate(report.bitrateBps)],
  ];
  const sections = [`${report.source}\n${formatRows(head)}`];
  for (const track of report.tracks) {
    sections.push(`${track.kind}${track.id === 0 ? '' : ` ${track.id}`}\n${formatRows(trackRows(track))}`);
  }
  if (report.audioVideo !== null) {
    const { offsetMs, driftMs } = report.audioVideo;
    sections.push(
      `audio to video\n${formatRows([
        ['offset', milliseconds(offsetMs)],
        ['drift', driftMs === null ? null : milliseconds(driftMs)],
      ])}`,
    );
  }
  if (report.metadata !== null) {
    const rows = Object.entries(report.metadata).map(([name, value]): Row => [name, shortJson(value)]);
    sections.push(`metadata\n${formatRows(rows)}`);
  }
  const dropped = [...Object.entries(report.ignored), ...Object.entries(report.malformed)];
  if (dropped.length > 0) {
    sections.push(`dropped\n${formatRows(dropped.map(([name, times]): Row => [name, String(times)]))}`);
  }
  return sections.join('\n');
}

function trackRows(track: VideoTrackReport | AudioTrackReport | DataTrackReport): Row[] {
  switch (track.kind) {
    case 'video':
      return [
        ['codec', words(track.codec, track.profile, track.level, track.codecString && `(${track.codecString})`)],
        ['resolution', track.width === null ? null : `${track.width}x${track.height}`],
        ['fps', words(track.fps, track.declaredFps === null ? null : `(says ${track.declaredFps})`)],
        ['bitrate', bitrate(track.bitrateBps)],
        [
          'frames',
          `${track.frames}, ${track.keyFrames} key ${track.keyFrames === 1 ? 'frame' : 'frames'}, B-frames: ${track.bFrames ? 'yes' : 'no'}`,
        ],
        ['GOP', gop(track.gop)],
        ...timeRows(track),
      ];
    case 'audio':
      return [
        ['codec', words(track.codec, track.profile, track.codecString && `(${track.codecString})`)],
        ['sample rate', track.sampleRate === null ? null : `${track.sampleRate} Hz`],
        ['channels', track.channels === null ? null : String(track.channels)],
        ['bitrate', bitrate(track.bitrateBps)],
        ['frames', String(track.frames)],
        ...timeRows(track),
      ];
    case 'data':
      return [
        ['codec', track.codec],
        ['messages', String(track.frames)],
      ];
  }
}

function timeRows(track: VideoTrackReport | AudioTrackReport): Row[] {
  return [
    ['first pts', track.firstPtsMs === null ? null : milliseconds(track.firstPtsMs)],
    ['jitter', track.jitterMs === null ? null : milliseconds(track.jitterMs)],
    ['largest gap', track.largestGapMs === null ? null : milliseconds(track.largestGapMs)],
    ['steps back', track.backwardSteps === 0 ? null : String(track.backwardSteps)],
  ];
}

function gop(value: VideoTrackReport['gop']): string | null {
  if (value === null) return null;
  const { averageMs, shortestMs, longestMs, averageFrames } = value;
  const range = shortestMs === longestMs ? '' : `, ${milliseconds(shortestMs)} to ${milliseconds(longestMs)}`;
  return `${milliseconds(averageMs)}, ${Number(averageFrames.toFixed(1))} frames${range}`;
}

function bitrate(bitrateBps: number | null): string | null {
  return bitrateBps === null ? null : formatBitrate(bitrateBps);
}

function milliseconds(timeMs: number): string {
  return `${Number(timeMs.toFixed(1))} ms`;
}

function words(...parts: readonly (string | number | null)[]): string | null {
  const said = parts.filter((part) => part !== null && part !== '');
  return said.length === 0 ? null : said.join(' ');
}

/** Rows whose value is not known are left out. */
function formatRows(rows: readonly Row[]): string {
  const known = rows.filter((row): row is readonly [string, string] => row[1] !== null);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}

function shortJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
