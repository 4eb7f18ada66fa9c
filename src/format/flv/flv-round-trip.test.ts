import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FlvDemuxer } from './flv-demuxer.ts';
import { toFlvConfig, toFlvFrame } from './flv-muxer.ts';
import { FlvReader, type FlvTag } from './flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from './flv-tag.ts';

function readTags(file: Uint8Array): FlvTag[] {
  const tags: FlvTag[] = [];
  for (const event of new FlvReader().receive(file)) if (event.type === 'tag') tags.push(event);
  return tags;
}

describe('bbb.flv through demuxer and muxer', () => {
  const file = new Uint8Array(readFileSync('test/fixtures/bbb.flv'));
  const tags = readTags(file);

  it('gives every media tag back bit for bit', () => {
    const demuxer = new FlvDemuxer();
    let compared = 0;
    for (const tag of tags) {
      if (tag.typeId === 18) continue;
      const original = writeFlvTag(tag.typeId, tag.timestamp, [tag.body]);
      for (const event of demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
        if (event.type === 'track') {
          const [config] = toFlvConfig(event.track);
          expect(writeFlvTag(config!.typeId, tag.timestamp, config!.parts)).toEqual(original);
        } else if (event.type === 'frame') {
          const message = toFlvFrame(event.frame)!;
          expect(writeFlvTag(message.typeId, message.timestampMs, message.parts)).toEqual(original);
        } else {
          expect(event.type).toBe('end-of-sequence');
        }
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(600);
  });

  it('writes the file again bit for bit from its tags', () => {
    const pieces = [writeFlvHeader({ hasAudio: true, hasVideo: true })];
    for (const tag of tags) pieces.push(writeFlvTag(tag.typeId, tag.timestamp, [tag.body]));
    expect(Buffer.compare(Buffer.concat(pieces), file)).toBe(0);
  });

  it('tells picture size and sample rate', () => {
    const demuxer = new FlvDemuxer();
    const tracks = tags.flatMap((tag) =>
      demuxer
        .demux(tag.typeId, tag.timestamp, tag.body)
        .flatMap((event) => (event.type === 'track' ? event.track : [])),
    );
    expect(tracks.map((track) => track.codec).sort()).toEqual(['aac', 'h264']);
    expect(tracks.find((track) => track.kind === 'video')?.video).toMatchObject({ width: 640, height: 360 });
    expect(tracks.find((track) => track.kind === 'audio')?.audio).toMatchObject({ sampleRate: 44_100, channels: 2 });
  });
});
