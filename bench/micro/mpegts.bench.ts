/** MPEG-TS muxer: `node bench/micro/mpegts.bench.ts`. */
import { TsMuxer } from '../../src/format/mpegts/ts-muxer.ts';
import { clipFrames } from './clip-frames.ts';
import { benchWork, runWorks } from './throughput.ts';

const { tracks, frames } = await clipFrames();

for (const kind of ['video', 'audio'] as const) {
  const chosen = frames.filter((frame) => frame.track.kind === kind);
  const bytes = chosen.reduce((sum, frame) => sum + frame.payload.length, 0);
  benchWork(`TS muxer, ${kind}`, { bytes, items: chosen.length, item: 'frame' }, () => {
    const muxer = new TsMuxer(tracks);
    let written = 0;
    for (const frame of chosen) written += muxer.mux(frame).length;
    return written;
  });
}

await runWorks();
