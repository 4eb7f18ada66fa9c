import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServerHandshake } from '../../../src/protocol/rtmp/server-handshake.ts';
import { ServerBench, testCrypto } from '../../rtmp-test-kit.ts';

const corpus = join(import.meta.dirname, '../../corpus');
const capture = (folder: string, name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(corpus, folder, `capture-${name}.bin`)));

/** What real programs sent (FFmpeg 5.1, rtmpdump 2.4, GStreamer 1.22), the first kilobytes behind the handshake. */
describe('captured clients', () => {
  it.each([
    ['ffmpeg-publish', 'complex-schema-1'],
    ['ffprobe-play', 'complex-schema-1'],
    ['rtmpdump-play', 'simple'],
    ['gst-publish', 'simple'],
  ])('%s shakes hands: %s', (name, kind) => {
    const events = new ServerHandshake(testCrypto()).receive(capture('handshake', name), 0);
    expect(events.at(-1)).toMatchObject({ type: 'done', kind });
  });

  it.each([
    ['ffmpeg-publish', { type: 'publish', streamName: 's?token=1', publisherKind: 'fmle' }],
    ['ffprobe-play', { type: 'play', streamName: 's', start: -2000 }],
    ['rtmpdump-play', { type: 'play', streamName: 's' }],
    ['gst-publish', { type: 'publish', streamName: 's', publisherKind: 'fmle' }],
  ])('%s gets to what it wants', (name, wish) => {
    const bench = new ServerBench().shake();
    const before = bench.session.receive(capture('rtmp-server', name), 0);
    expect(before.filter((event) => event.type !== 'send')).toMatchObject([
      { type: 'connect', request: { app: 'live' } },
    ]);
    const events = bench.session.acceptConnect();
    expect(events.filter((event) => event.type === 'publish' || event.type === 'play')).toMatchObject([wish]);
    expect(events.filter((event) => event.type === 'failed')).toEqual([]);
    const media = events.filter((event) => event.type === 'message');
    expect(media.map((event) => event.typeId).slice(0, 2)).toEqual(wish.type === 'publish' ? [18, 9] : []);
  });
});
