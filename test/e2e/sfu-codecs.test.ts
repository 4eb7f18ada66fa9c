/** Every codec of Chromium from one page to another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageCamera } from '../peers/mediasoup-page.ts';
import { ApplicationBrowser, PATIENCE } from './support/sfu-application.ts';

let browser: ApplicationBrowser;

beforeAll(async () => {
  browser = await ApplicationBrowser.open();
});

afterAll(() => browser.close());

/** Small and slow where it is encoded by a processor that has other things to do. */
const CAMERAS: readonly PageCamera[] = [
  { codec: 'video/VP8', width: 320, height: 240, frameRate: 15 },
  { codec: 'video/H264', width: 320, height: 240, frameRate: 15 },
  { codec: 'video/VP9', width: 320, height: 240, frameRate: 15 },
  { codec: 'video/AV1', width: 320, height: 240, frameRate: 10 },
];

describe.each(['udp', 'tcp'] as const)('a camera and a microphone over %s', (protocol) => {
  it.for(CAMERAS)('are seen and heard in another page by $codec', async (camera, context) => {
    const { application, sender, viewer } = await browser.scene(context, protocol);
    await sender.publish(camera);
    await viewer.watch();
    await expect.poll(async () => (await viewer.report()).framesDecoded, PATIENCE).toBeGreaterThan(10);
    await expect.poll(async () => (await viewer.report()).audioEnergy, PATIENCE).toBeGreaterThan(0);
    const { videoCodec, frameWidth, frameHeight, contrast, audioPackets } = await viewer.report();
    expect(videoCodec).toBe(camera.codec);
    expect([frameWidth, frameHeight]).toEqual([camera.width, camera.height]);
    expect(contrast).toBeGreaterThan(50);
    expect(audioPackets).toBeGreaterThan(10);
    for (const transport of application.transports.values()) {
      expect(transport.iceSelectedTuple?.protocol).toBe(protocol);
    }
  });
});
