import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import { NetworkNamespace } from '../peers/network-namespace.ts';
import { BBB_CLIP } from './support/clips.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { Stage } from './support/stage.ts';

const NORMAL_TIMEOUT_MS = 3000;

describe('a publisher whose network is gone', () => {
  let stage: Stage;
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    stage = await Stage.open();
    namespace = await NetworkNamespace.create();
    stage.own(() => namespace.close());
  });

  afterEach(async () => {
    await stage.close();
  });

  it('holds the stream until publish.normal_timeout has passed, then another one has it', async () => {
    const server = await stage.server({ publish: { normal_timeout: NORMAL_TIMEOUT_MS, grace: 0 } }, namespace.address);
    const url = server.rtmp('live/x');
    const lost = stage.run(namespace.run(ffmpegPublish({ input: BBB_CLIP, url, loop: true })));
    const stream = await server.whenLive('live/x');
    const viewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => viewer.close());
    await viewer.moreVideo(25);
    assert.ok(stream.publisher?.remote.startsWith('10.77.'), `published from ${stream.publisher?.remote}`);

    await namespace.cut();
    const cutMs = performance.now();
    const tooEarly = stage.run(ffmpegPublish({ input: BBB_CLIP, url, seconds: 2 }));
    const { stderr } = await tooEarly.failed();
    expect(stderr).toContain('is being published already');
    assert.ok(performance.now() - cutMs < NORMAL_TIMEOUT_MS, 'the second publisher came too late to be too early');
    expect(lost.isOver).toBe(false);

    await viewer.ended;
    const freedAfterMs = performance.now() - cutMs;
    expect(freedAfterMs).toBeGreaterThan(NORMAL_TIMEOUT_MS - 500);
    expect(freedAfterMs).toBeLessThan(NORMAL_TIMEOUT_MS + 1500);
    expect(stream.publisher).toBeUndefined();
    // Nothing told the server: neither has its publisher gone nor has the connection been closed from there.
    expect(lost.isOver).toBe(false);

    const next = stage.run(ffmpegPublish({ input: BBB_CLIP, url, seconds: 2 }));
    await server.whenLive('live/x');
    const nextViewer = await FlvViewer.open(server.http('live/x.flv'));
    stage.own(() => nextViewer.close());
    await nextViewer.moreVideo(10);
    await next.succeeded();
    await nextViewer.ended;
  });
});
