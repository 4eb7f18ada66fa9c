import type { Frame } from '../../src/codec/frame.ts';
import type { Track } from '../../src/codec/track.ts';
import type { TsDemuxEvent } from '../../src/format/mpegts/ts-demux-event.ts';
import { TsDemuxer } from '../../src/format/mpegts/ts-demuxer.ts';
import { TsMuxer } from '../../src/format/mpegts/ts-muxer.ts';

export const name = 'ts';

function demux(pieces: readonly Uint8Array[]): TsDemuxEvent[] {
  const demuxer = new TsDemuxer();
  return [...pieces.flatMap((piece) => demuxer.receive(piece)), ...demuxer.flush()];
}

/** A transport stream: the demuxer whole and cut, and what it gives through the muxer. */
export function run(bytes: Uint8Array): void {
  const events = demux([bytes]);
  const pieces: Uint8Array[] = [];
  const step = 1 + (bytes.at(-1) ?? 0) * 3;
  for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.slice(at, at + step));
  const again = demux(pieces);
  const isSame = again.length === events.length && again.every((event, i) => event.type === events[i]?.type);
  if (!isSame) throw new RangeError('a cut changes what the transport stream demuxer tells');

  const tracks = new Map<string, Track>();
  const frames: Frame[] = [];
  for (const event of events) {
    if (event.type === 'track') tracks.set(`${event.track.kind}${event.track.trackId}`, event.track);
    if (event.type === 'frame') frames.push(event.frame);
  }
  const muxer = new TsMuxer([...tracks.values()]);
  for (const frame of frames) {
    if (muxer.mux(frame).length % 188 !== 0) throw new RangeError('not whole packets');
  }
}
