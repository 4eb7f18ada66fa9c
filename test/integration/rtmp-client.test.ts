import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RtmpUrl } from '../../src/protocol/rtmp/stream-url.ts';
import { FilePush } from '../../src/server/client/file-push.ts';
import { openFlvSource } from '../../src/server/client/flv-source.ts';
import { parseRtmpAddress } from '../../src/server/client/media-address.ts';
import { MAX_PUBLISH_BUFFER_BYTES, RtmpClient, type RtmpClientOptions } from '../../src/server/client/rtmp-client.ts';
import { type Script, ScriptedRtmpServer } from './scripted-rtmp-server.ts';
import { CLIP, tagsOf, writeShortClip } from './short-clip.ts';

const servers: ScriptedRtmpServer[] = [];

async function serve(script: Script): Promise<ScriptedRtmpServer> {
  const server = await ScriptedRtmpServer.start(script);
  servers.push(server);
  return server;
}

function urlOf(text: string): RtmpUrl {
  const url = parseRtmpAddress(text);
  if (typeof url === 'string') throw new TypeError(url);
  return url;
}

function options(
  server: ScriptedRtmpServer,
  mode: 'publish' | 'play',
  more: Partial<RtmpClientOptions> = {},
): RtmpClientOptions {
  const url = urlOf(`${server.url}/live/x`);
  return { mode, url, timeoutMs: 5_000, insecure: false, signal: new AbortController().signal, ...more };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('RTMP client', () => {
  it('plays until the server says that the stream is over', async () => {
    const server = await serve((event, { session, perform, sendMedia }) => {
      if (event.type !== 'play') return false;
      perform(session.acceptPlay(event.messageStreamId));
      for (let i = 0; i < 5; i++) sendMedia(9, i * 40, Uint8Array.of(0x27, 1, i));
      perform(session.endPlay(event.messageStreamId, 'unpublished'));
      return true;
    });
    const client = await RtmpClient.open(options(server, 'play'));
    const times: number[] = [];
    for await (const message of client.messages()) times.push(message.timestamp);
    expect(times).toEqual([0, 40, 80, 120, 160]);
    expect(client.isOver).toBe(true);
  });

  it('says that the connection was lost', async () => {
    const server = await serve((event, { socket, sendMedia }) => {
      if (event.type === 'set-buffer-length') return true;
      if (event.type === 'play') setImmediate(() => socket.end());
      if (event.type === 'play') sendMedia(8, 0, Uint8Array.of(0xaf, 1));
      return false;
    });
    const client = await RtmpClient.open(options(server, 'play'));
    await expect(client.messages().next()).resolves.toMatchObject({ value: { typeId: 8 } });
    const drain = async (): Promise<void> => {
      for await (const _message of client.messages());
    };
    await expect(drain()).rejects.toMatchObject({ code: 'connect/lost' });
  });

  it('gives up on servers that redirect in circles', async () => {
    let connections = 0;
    const server: ScriptedRtmpServer = await serve((event, { session, perform }) => {
      if (event.type !== 'connect') return false;
      connections++;
      perform(session.redirectConnect(`${server.url}/live`));
      return true;
    });
    await expect(RtmpClient.open(options(server, 'play'))).rejects.toMatchObject({
      code: 'connect/too-many-redirects',
      message: expect.stringContaining('redirects more than 5 times'),
    });
    expect(connections).toBe(6);
  });

  it('refuses a redirect to something else than RTMP', async () => {
    const server = await serve((event, { session, perform }) => {
      if (event.type !== 'connect') return false;
      perform(session.redirectConnect('http://127.0.0.1/live'));
      return true;
    });
    await expect(RtmpClient.open(options(server, 'play'))).rejects.toMatchObject({ code: 'connect/bad-answer' });
  });

  it('stops reading while nobody takes what came', async () => {
    const payload = new Uint8Array(100_000).fill(0x27);
    let unsentBytes = (): number => 0;
    const server = await serve((event, { session, perform, sendMedia, socket }) => {
      if (event.type !== 'play') return false;
      unsentBytes = () => socket.writableLength;
      perform(session.acceptPlay(event.messageStreamId));
      for (let i = 0; i < 300; i++) sendMedia(9, i, payload);
      perform(session.endPlay(event.messageStreamId, 'unpublished'));
      return true;
    });
    const client = await RtmpClient.open(options(server, 'play'));
    let lastBytes = -1;
    const hasSettled = (): boolean => {
      const settled = unsentBytes() === lastBytes;
      lastBytes = unsentBytes();
      return settled;
    };
    await expect.poll(hasSettled, { interval: 100 }).toBe(true);
    expect(lastBytes).toBeGreaterThan(10_000_000);
    const times: number[] = [];
    for await (const message of client.messages()) times.push(message.timestamp);
    expect(times).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  it('waits when the server takes nothing, and gives up in the end', async () => {
    const server = await serve((event, { session, perform, socket }) => {
      if (event.type !== 'publish') return false;
      perform(session.acceptPublish(event.messageStreamId));
      socket.pause();
      return true;
    });
    const client = await RtmpClient.open(options(server, 'publish'));
    const body = new Uint8Array(64 * 1024);
    let most = 0;
    const flood = async (): Promise<void> => {
      for (let i = 0; ; i++) {
        client.write({ typeId: 9, timestamp: i, parts: [body] });
        most = Math.max(most, client.bufferedBytes);
        await client.ready(200);
      }
    };
    await expect(flood()).rejects.toMatchObject({ code: 'client/stalled' });
    expect(most).toBeLessThan(MAX_PUBLISH_BUFFER_BYTES + 2 * body.length);
    await expect(client.finish(50)).rejects.toMatchObject({ code: 'client/stalled' });
  });

  it('ends at once when it is cancelled', async () => {
    const abort = new AbortController();
    const server = await serve((event) => event.type === 'connect');
    const opening = RtmpClient.open(options(server, 'play', { signal: abort.signal }));
    setTimeout(() => abort.abort(), 20);
    await expect(opening).rejects.toMatchObject({ code: 'connect/cancelled' });
    await expect(RtmpClient.open(options(server, 'play', { signal: abort.signal }))).rejects.toMatchObject({
      code: 'connect/cancelled',
    });
  });
});

describe('FLV source over RTMP', () => {
  it('goes where the server asks it to reconnect to', async () => {
    const second = await serve((event, { session, perform, sendMedia }) => {
      if (event.type !== 'play') return false;
      perform(session.acceptPlay(event.messageStreamId));
      sendMedia(8, 700, Uint8Array.of(0xaf, 1, 2));
      perform(session.endPlay(event.messageStreamId, 'unpublished'));
      return true;
    });
    const first = await serve((event, { session, perform, sendMedia }) => {
      if (event.type !== 'play') return false;
      perform(session.acceptPlay(event.messageStreamId));
      perform(session.requestReconnect(`${second.url}/other`, 'maintenance'));
      sendMedia(8, 0, Uint8Array.of(0xaf, 1, 1));
      return true;
    });
    const { url, ...rest } = options(first, 'play');
    const told: string[] = [];
    for await (const event of await openFlvSource({ type: 'rtmp', text: first.url, url }, rest)) {
      told.push(event.type === 'tag' ? `${event.tag.timestamp}` : event.type);
    }
    expect(told).toEqual(['0', 'restarted', '700']);
  });

  it('does not follow requests to reconnect for ever', async () => {
    const server = await serve((event, { session, perform, sendMedia }) => {
      if (event.type !== 'play') return false;
      perform(session.acceptPlay(event.messageStreamId));
      perform(session.requestReconnect());
      sendMedia(8, 0, Uint8Array.of(0xaf, 1, 1));
      return true;
    });
    const { url, ...rest } = options(server, 'play');
    const drain = async (): Promise<void> => {
      for await (const _event of await openFlvSource({ type: 'rtmp', text: server.url, url }, rest));
    };
    await expect(drain()).rejects.toMatchObject({ code: 'connect/too-many-redirects' });
  });
});

describe('file push', () => {
  /** What a server is told of media: `m` metadata, `V`/`A` configuration, `K` key frame, `v` and `a` frames. */
  function letterOf(typeId: number, payload: Uint8Array): string {
    if (typeId === 18) return 'm';
    if (typeId === 8) return payload[1] === 0 ? 'A' : 'a';
    if (payload[1] !== 1) return payload[1] === 0 ? 'V' : 'e';
    return payload[0] === 0x17 ? 'K' : 'v';
  }

  function recorder(): { readonly heard: string[]; readonly script: Script } {
    const heard: string[] = [];
    const script: Script = (event) => {
      if (event.type === 'message') heard.push(letterOf(event.typeId, event.payload));
      if (event.type === 'unpublish') heard.push('.');
      return false;
    };
    return { heard, script };
  }

  function push(server: ScriptedRtmpServer, more: { readonly retries?: number } = {}): FilePush {
    const { mode: _mode, ...rest } = options(server, 'publish');
    return new FilePush({ ...rest, path: CLIP, loop: false, fast: true, retries: 0, ...more });
  }

  it('publishes every tag of the file once and unpublishes', async () => {
    const { heard, script } = recorder();
    const server = await serve(script);
    const pushing = push(server);
    await pushing.run();
    const text = heard.join('');
    expect(text).toMatch(/^mVA[Kva]+e?\.$/);
    expect(text.replace(/[^Kv]/g, '')).toHaveLength(250);
    expect(pushing.progress).toMatchObject({ frames: 682, videoFrames: 250, timeMs: 10_040 });
  });

  it('moves at a key frame when asked to reconnect, with configuration first', async () => {
    const second = recorder();
    const secondServer = await serve(second.script);
    const first = recorder();
    const firstServer = await serve((event, connection) => {
      if (event.type === 'message' && first.heard.length === 0) {
        connection.perform(connection.session.requestReconnect(`${secondServer.url}/live`));
      }
      return first.script(event, connection);
    });
    // By the clock, so that the request comes in time.
    const { mode: _mode, ...rest } = options(firstServer, 'publish');
    const directory = await mkdtemp(join(tmpdir(), 'millrace-push-'));
    const path = join(directory, 'short.flv');
    await writeShortClip(path);
    const tags = tagsOf(await readFile(path));
    await new FilePush({ ...rest, path, loop: false, fast: false, retries: 0 }).run();
    await rm(directory, { recursive: true });
    const [before, after] = [first.heard.join(''), second.heard.join('')];
    expect(before).toMatch(/^mVA[Kva]+\.$/);
    expect(after).toMatch(/^mVAK[va]+\.$/);
    // No picture and no sound is lost on the way.
    const source = tags.map((tag) => letterOf(tag.typeId, tag.body)).join('');
    expect((before + after).replace(/[^Kva]/g, '')).toBe(source.replace(/[^Kva]/g, ''));
  });

  it('tries again as often as it may', async () => {
    let attempts = 0;
    const server = await serve((event, { session, perform, socket }) => {
      if (event.type !== 'publish') return false;
      attempts++;
      perform(session.rejectPublish(event.messageStreamId, 'NetStream.Publish.BadName', 'busy'));
      socket.end();
      return true;
    });
    await expect(push(server, { retries: 1 }).run()).rejects.toMatchObject({ code: 'client/refused' });
    expect(attempts).toBe(2);
  });
});
