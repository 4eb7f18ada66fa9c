import type { PeerCommand } from './peer-process.ts';

/** Plays a live stream to its end and writes it to an FLV file. */
export function rtmpdumpRecord(url: string, file: string, timeoutMs = 60_000): PeerCommand {
  return { program: 'rtmpdump', args: ['-q', '--live', '-r', url, '-o', file], timeoutMs };
}
