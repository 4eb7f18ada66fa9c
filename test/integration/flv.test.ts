import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FlvDemuxer } from '../../src/format/flv/flv-demuxer.ts';
import { toFlvConfig, toFlvEndOfSequence, toFlvFrame } from '../../src/format/flv/flv-muxer.ts';
import { writeMetadata } from '../../src/format/flv/flv-script-data.ts';
import { writeFlvHeader, writeFlvTag } from '../../src/format/flv/flv-tag.ts';
import { decodeWarnings, framesByFfmpeg, makeWithFfmpeg, ScratchFolder } from './ffmpeg-files.ts';
import { flvTags, readFlv } from './format-media.ts';

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=25:duration=1'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=1'];
const bare = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What ffmpeg 5.1 can write into FLV: every codec that Millrace looks into or passes on. */
const clips: readonly (readonly [name: string, codecs: readonly string[], args: readonly string[]])[] = [
  [
    'H.264 with B frames and AAC',
    ['aac', 'h264'],
    [...VIDEO, ...SOUND, '-c:v', 'libx264', '-x264-params', 'bframes=3:log-level=none', '-c:a', 'aac'],
  ],
  ['MP3 at 44.1 kHz', ['mp3'], [...SOUND, '-c:a', 'libmp3lame']],
  ['MP3 at 22.05 kHz, stereo', ['mp3'], [...SOUND, '-c:a', 'libmp3lame', '-ar', '22050', '-ac', '2']],
  ['Sorenson H.263', ['h263'], [...VIDEO, '-c:v', 'flv']],
  ['screen video', ['screen'], [...VIDEO, '-c:v', 'flashsv']],
  ['screen video 2', ['screen2'], [...VIDEO, '-c:v', 'flashsv2', '-s', '160x96']],
  ['Speex', ['speex'], [...SOUND, '-c:a', 'libspeex', '-ar', '16000']],
  ['Nellymoser', ['nellymoser'], [...SOUND, '-c:a', 'nellymoser', '-ar', '22050']],
  ['Nellymoser at 8 kHz', ['nellymoser8'], [...SOUND, '-c:a', 'nellymoser', '-ar', '8000']],
  ['G.711 A-law', ['g711a'], [...SOUND, '-c:a', 'pcm_alaw', '-ar', '8000']],
  ['G.711 µ-law', ['g711u'], [...SOUND, '-c:a', 'pcm_mulaw', '-ar', '8000']],
  ['ADPCM', ['adpcm'], [...SOUND, '-c:a', 'adpcm_swf']],
  ['PCM', ['pcm-le'], [...SOUND, '-c:a', 'pcm_s16le']],
];

describe.each(clips)('%s from ffmpeg', (name, codecs, args) => {
  const path = scratch.file(`${name.replaceAll(/\W+/g, '-')}.flv`);
  const tags = flvTags(makeWithFfmpeg(path, args));

  it('gives every media tag back bit for bit', () => {
    const demuxer = new FlvDemuxer();
    const pieces = [writeFlvHeader({ hasAudio: true, hasVideo: true })];
    const found = new Set<string>();
    for (const tag of tags) {
      for (const event of demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
        let bodies: readonly { readonly parts: readonly Uint8Array[] }[] = [];
        if (event.type === 'frame') bodies = [toFlvFrame(event.frame)!];
        else if (event.type === 'track') bodies = toFlvConfig(event.track);
        else if (event.type === 'end-of-sequence') bodies = [toFlvEndOfSequence(event.track)!];
        else if (event.type === 'metadata') bodies = [{ parts: [writeMetadata(event.values)] }];
        else expect(event.type).toBe('nothing else');
        if (event.type === 'track') found.add(event.track.codec);
        for (const { parts } of bodies) {
          expect(bare(new Uint8Array(Buffer.concat(parts)))).toBe(bare(tag.body));
          pieces.push(writeFlvTag(tag.typeId, tag.timestamp, parts));
        }
      }
    }
    expect([...found].sort()).toEqual(codecs);
    expect(pieces).toHaveLength(tags.length + 1);
    const copy = scratch.file('copy.flv');
    writeFileSync(copy, Buffer.concat(pieces));
    expect(readFileSync(copy).subarray(13)).toEqual(readFileSync(path).subarray(13));
    expect(framesByFfmpeg(copy).packets).toEqual(framesByFfmpeg(path).packets);
  });
});

describe('details of tracks', () => {
  it('are read from what ffmpeg wrote', () => {
    const { tracks } = readFlv(new Uint8Array(readFileSync(scratch.file('H-264-with-B-frames-and-AAC.flv'))));
    expect(tracks.find((track) => track.kind === 'video')?.video).toMatchObject({ width: 160, height: 120 });
    expect(tracks.find((track) => track.kind === 'audio')?.audio).toMatchObject({ sampleRate: 44_100, channels: 1 });
  });

  it('leave a file that ffmpeg decodes without a warning', () => {
    expect(decodeWarnings(scratch.file('H-264-with-B-frames-and-AAC.flv'))).toBe('');
  });
});
