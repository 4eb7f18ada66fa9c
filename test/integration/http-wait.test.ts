/** Viewers over HTTP that wait for a publisher are told why none came. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { joinLengthPrefixed } from '../../src/codec/nal-unit.ts';
import type { Track } from '../../src/codec/track.ts';
import { SETTLE_MS, type Stream } from '../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../src/media/stream-name.ts';
import { LocalServer } from './robustness/local-server.ts';
import { until } from './robustness/until.ts';
import { h264Track } from './rtsp/live-stream.ts';

const AAC_TRACK: Track = {
  kind: 'audio',
  trackId: 0,
  codec: 'aac',
  // AAC LC, 44,100 Hz, stereo.
  config: Uint8Array.of(0x12, 0x10),
  audio: { sampleRate: 44_100, channels: 2, profile: 'LC', codecString: 'mp4a.40.2' },
};

let server: LocalServer;

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'low' });
});

afterEach(() => server.close());

it.each<[string, string, (stream: Stream) => void]>([
  ['time is over', 'nothing was published as "live/x" within 0.2 s', () => undefined],
  ['it can be had from nowhere', `"live/x" can't be had from its source`, (stream) => stream.abandon()],
  ['it is closed', '"live/x" has been closed', (stream) => stream.close()],
])('when %s', async (_, expected, end) => {
  const { hub } = server.millrace;
  const waitSeconds = expected.includes('within') ? 0.2 : 60;
  const answer = fetch(`http://127.0.0.1:${server.httpPort}/live/x.flv?wait=${waitSeconds}`);
  const waited = (): Stream | undefined => hub.list()[0];
  await until('it waits', () => waited() !== undefined);
  end(waited()!);
  const response = await answer;
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining(expected)]);
});

it('who waits for the sound of a stream has it though its picture is announced first', async () => {
  const answer = fetch(`http://127.0.0.1:${server.httpPort}/live/x.aac?wait=60`);
  await until('it waits', () => server.millrace.hub.list().length > 0);
  const stream = server.millrace.hub.list()[0]!;
  const publication = stream.publish({ id: 'test', protocol: 'rtmp', remote: 'test' }, () => undefined);
  const video = h264Track();
  publication.track(video);
  const response = await answer;
  expect(response.status).toBe(200);
  publication.track(AAC_TRACK);
  const picture = joinLengthPrefixed([Uint8Array.of(0x65, 0x80)], 4);
  publication.frame({ track: video, dtsUs: 0, ptsUs: 0, isKeyFrame: true, payload: picture });
  const payload = Uint8Array.of(0x21, 0x10, 0x05);
  publication.frame({ track: AAC_TRACK, dtsUs: 0, ptsUs: 0, isKeyFrame: true, payload });
  publication.end('unpublished');
  const sent = new Uint8Array(await response.arrayBuffer());
  expect(sent.subarray(-payload.length)).toEqual(payload);
});

it('who asks for the sound of a stream that has long had none is told so', async () => {
  const stream = server.millrace.hub.getOrCreate({ vhost: DEFAULT_VHOST, app: 'live', stream: 'x' });
  const publication = stream.publish({ id: 'test', protocol: 'rtmp', remote: 'test' }, () => undefined);
  publication.track(h264Track());
  await until('it is no longer young', () => stream.liveForMs > SETTLE_MS);
  const response = await fetch(`http://127.0.0.1:${server.httpPort}/live/x.aac`);
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('has no audio')]);
});
