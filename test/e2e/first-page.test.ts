import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChromiumPage } from '../peers/chromium.ts';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { BBB_CLIP } from './support/clips.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** The part of a browser's video element these tests look at; the functions that do run in the page. */
interface VideoElement {
  readonly currentTime: number;
  readonly videoWidth: number;
  getVideoPlaybackQuality(): { readonly totalVideoFrames: number };
}

interface Progress {
  readonly seconds: number;
  readonly frames: number;
}

describe('the first page in Chromium', () => {
  let stage: Stage;
  let server: TestServer;
  let browser: ChromiumPage;
  let publisher: PeerProcess;

  beforeAll(async () => {
    stage = await Stage.open();
    server = await stage.server();
    browser = await ChromiumPage.open();
    stage.own(() => browser.close());
    await browser.page.goto(server.http());
  });

  afterAll(async () => {
    await stage.close();
  });

  function byTestId(id: string): ReturnType<ChromiumPage['page']['getByTestId']> {
    return browser.page.getByTestId(id);
  }

  async function progress(): Promise<Progress> {
    return byTestId('player-video').evaluate((element) => {
      const video = element as unknown as VideoElement;
      return { seconds: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
    });
  }

  /** Waits until the player says it plays, and some video and 20 frames a second have passed since. */
  async function expectProgress(forSeconds = 1): Promise<void> {
    await browser.page.locator('[data-testid=player-state][data-state=playing]').waitFor();
    const before = await progress();
    await browser.page.waitForFunction(
      (target) => {
        const document = (globalThis as unknown as { document: { querySelector(selector: string): VideoElement } })
          .document;
        const video = document.querySelector('[data-testid=player-video]');
        return video.currentTime >= target.seconds && video.getVideoPlaybackQuality().totalVideoFrames >= target.frames;
      },
      { seconds: before.seconds + forSeconds, frames: before.frames + forSeconds * 20 },
    );
  }

  it('says how to publish while nothing is live', async () => {
    await byTestId('empty-state').waitFor();
    expect(await byTestId('stream-row').count()).toBe(0);
  });

  it('shows a stream that begins, without a reload', async () => {
    publisher = stage.run(
      ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), loop: true, timeoutMs: 80_000 }),
    );
    await byTestId('stream-row').waitFor();
    expect(await byTestId('stream-row').getAttribute('data-key')).toBe('live/x');
    // Rates are measured over some seconds.
    await browser.page.locator('[data-testid=stat-bitrate]', { hasText: /\d/ }).waitFor();
    await browser.page.locator('[data-testid=stat-frame-rate]', { hasText: /\d/ }).waitFor();
  });

  it('tells codec, resolution, frame rate, bitrate and viewers', async () => {
    expect(await byTestId('stat-video-codec').innerText()).toContain('H.264');
    expect(await byTestId('stat-video-codec').getAttribute('title')).toMatch(/^avc1\.42/);
    expect(await byTestId('stat-audio-codec').innerText()).toMatch(/AAC.*44\.1.*stereo/i);
    expect(await byTestId('stat-resolution').innerText()).toMatch(/640\s*×\s*360/);
    expect(await byTestId('stat-frame-rate').innerText()).toContain('25');
    expect(await byTestId('stat-bitrate').innerText()).toMatch(/\d/);
    expect(await byTestId('stat-viewers').innerText()).toBe('0');
  });

  it('plays HTTP-FLV: the time advances and frames are decoded', async () => {
    const asked = browser.page.waitForRequest(server.http('live/x.flv'));
    await byTestId('play-button').click();
    await asked;
    await expectProgress();
    expect(await byTestId('player-video').evaluate((video) => (video as unknown as VideoElement).videoWidth)).toBe(640);
  });

  it('counts its own viewer', async () => {
    await browser.page.locator('[data-testid=stat-viewers]', { hasText: /^1$/ }).waitFor();
  });

  it.each([
    ['WebSocket-FLV', 'ws', 'ws', 'live/x.flv'],
    ['HTTP-TS', 'ts', 'http', 'live/x.ts'],
  ] as const)('plays %s', async (_name, transport, scheme, path) => {
    const url = server[scheme](path);
    const asked =
      scheme === 'ws'
        ? browser.page.waitForEvent('websocket', (webSocket) => webSocket.url() === url)
        : browser.page.waitForRequest(url);
    await byTestId('transport-select').selectOption(transport);
    await asked;
    await expectProgress();
  });

  it('plays on when the publisher comes back', async () => {
    await publisher.stop();
    await byTestId('publisher-away').waitFor();
    publisher = stage.run(ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x'), seconds: 6 }));
    await byTestId('publisher-away').waitFor({ state: 'detached' });
    // More than was left to play of what the first publisher sent.
    await expectProgress(3);
  });

  it('says that the stream has ended', async () => {
    await publisher.succeeded();
    await browser.page.locator('[data-testid=player-state][data-state=ended]').waitFor();
  });

  it('had nothing to complain about', () => {
    expect(browser.complaints).toEqual([]);
  });
});
