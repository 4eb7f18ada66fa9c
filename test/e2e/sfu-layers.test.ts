/** Simulcast and layers of Chromium, by every codec that has them: another page sees the size the server prefers. */
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { PageCamera, PageEncoding } from '../peers/mediasoup-page.ts';
import { ApplicationBrowser, PATIENCE } from './support/sfu-application.ts';

/** Pictures after which a size is taken to last. */
const PICTURES = 4;

let browser: ApplicationBrowser;

beforeAll(async () => {
  browser = await ApplicationBrowser.open();
});

afterAll(() => browser.close());

/** Sends a camera, prefers one layer after the other, and waits until it is decoded. */
async function expectLayers(context: TestContext, type: string, encodings: readonly PageEncoding[], codec: string) {
  // AV1 in software takes a core for little more.
  const frameRate = codec === 'video/AV1' ? 8 : 15;
  const camera: PageCamera = { codec, width: 640, height: 360, frameRate, encodings };
  const { application, sender, viewer } = await browser.scene(context);
  await sender.publish(camera);
  await viewer.watch();
  const consumer = application.videoConsumer;
  expect(consumer.type).toBe(type);
  // Who was there before all layers were gets them one by one, without another key frame.
  await expect.poll(() => consumer.currentLayers, PATIENCE).toEqual({ spatialLayer: 1, temporalLayer: 2 });
  for (const [spatialLayer, width] of [
    [1, 640],
    [0, 320],
    [1, 640],
  ] as const) {
    await consumer.setPreferredLayers({ spatialLayer });
    await expect.poll(() => consumer.currentLayers?.spatialLayer, PATIENCE).toBe(spatialLayer);
    await expect.poll(async () => (await viewer.report()).frameWidth, PATIENCE).toBe(width);
    const { framesDecoded } = await viewer.report();
    await expect
      .poll(async () => (await viewer.report()).framesDecoded, PATIENCE)
      .toBeGreaterThan(framesDecoded + PICTURES);
    const { frameWidth, contrast, videoCodec } = await viewer.report();
    expect([frameWidth, videoCodec]).toEqual([width, codec]);
    expect(contrast).toBeGreaterThan(50);
  }
}

describe('simulcast', () => {
  // Nothing but what mediasoup-client does by itself: it lists a capture time that no packet has.
  const encodings = [{ scaleResolutionDownBy: 2 }, { scaleResolutionDownBy: 1 }];

  it.for(['video/VP8', 'video/H264', 'video/VP9', 'video/AV1'])('of %s', (codec, context) =>
    expectLayers(context, 'simulcast', encodings, codec),
  );
});

describe('one stream with layers', () => {
  it.for([
    ['video/VP9', 'L3T3'],
    ['video/VP9', 'L3T3_KEY'],
    ['video/AV1', 'L2T3'],
    ['video/AV1', 'L2T3_KEY'],
  ] as const)('by %s, %s', ([codec, scalabilityMode], context) =>
    expectLayers(context, 'svc', [{ scalabilityMode }], codec),
  );
});
