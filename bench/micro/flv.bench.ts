/** FLV reader, demuxer and muxer: `node bench/micro/flv.bench.ts`. */
import { FlvDemuxer } from '../../src/format/flv/flv-demuxer.ts';
import { toFlvFrame } from '../../src/format/flv/flv-muxer.ts';
import { FlvReader } from '../../src/format/flv/flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from '../../src/format/flv/flv-tag.ts';
import { clipFrames, clipTags } from './clip-frames.ts';
import { benchWork, runWorks } from './throughput.ts';

const READ_SIZE = 65_536;

const tags = await clipTags();
const { frames } = await clipFrames();
const bodyBytes = tags.reduce((sum, tag) => sum + tag.body.length, 0);

const file = Buffer.concat([
  writeFlvHeader({ hasAudio: true, hasVideo: true }),
  ...tags.map((tag) => writeFlvTag(tag.typeId, tag.timestampMs, [tag.body])),
]);

benchWork('FLV reader', { bytes: file.length, items: tags.length, item: 'tag' }, () => {
  const reader = new FlvReader();
  let events = 0;
  for (let at = 0; at < file.length; at += READ_SIZE)
    events += reader.receive(file.subarray(at, at + READ_SIZE)).length;
  return events;
});

benchWork('FLV demuxer', { bytes: bodyBytes, items: tags.length, item: 'tag' }, () => {
  const demuxer = new FlvDemuxer();
  let events = 0;
  for (const tag of tags) events += demuxer.demux(tag.typeId, tag.timestampMs, tag.body).length;
  return events;
});

benchWork('FLV muxer, frame to whole tag', { bytes: bodyBytes, items: frames.length, item: 'frame' }, () => {
  let written = 0;
  for (const frame of frames) {
    const message = toFlvFrame(frame);
    if (message !== undefined) written += writeFlvTag(message.typeId, message.timestampMs, message.parts).length;
  }
  return written;
});

benchWork('FLV demuxer and muxer', { bytes: bodyBytes, items: tags.length, item: 'frame' }, () => {
  const demuxer = new FlvDemuxer();
  let written = 0;
  for (const tag of tags) {
    for (const event of demuxer.demux(tag.typeId, tag.timestampMs, tag.body)) {
      const message = event.type === 'frame' ? toFlvFrame(event.frame) : undefined;
      if (message !== undefined) written += writeFlvTag(message.typeId, message.timestampMs, message.parts).length;
    }
  }
  return written;
});

await runWorks();
