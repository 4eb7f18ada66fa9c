import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalServer } from './robustness/local-server.ts';
import { RtmpPeer } from './robustness/rtmp-peer.ts';
import { until } from './robustness/until.ts';

let server: LocalServer;
const peers: RtmpPeer[] = [];

beforeEach(async () => {
  server = await LocalServer.start();
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.vanish();
  await server.close();
});

it.each([
  ['live/x.flv', 'live/x'],
  ['live/x.m3u8?token=1', 'live/x'],
  ['live/cam.1', 'live/cam.1'],
  ['live/.ts', 'live/.ts'],
])('a publisher and a player of %s meet at %s', async (path, key) => {
  for (const mode of ['publish', 'play'] as const) {
    const peer = new RtmpPeer({ mode, port: server.rtmpPort, path });
    peers.push(peer);
    await until('it is accepted', () => peer.has(mode === 'publish' ? 'publishing' : 'playing'));
  }
  const streams = server.millrace.hub.list();
  expect(streams.map((stream) => [stream.key, stream.state, stream.viewers])).toEqual([[key, 'live', 1]]);
});
