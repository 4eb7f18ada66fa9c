/** mediasoup-client in Chromium over networks that lose and limit: what is repaired, and what is given up. */
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { RoomCamera, RoomView } from '../peers/mediasoup-room-page.ts';
import type { RelayOptions } from '../peers/udp-relay.ts';
import { Room, RoomBrowser } from './support/sfu-room.ts';

let browser: RoomBrowser;

beforeAll(async () => {
  browser = await RoomBrowser.open();
});

afterAll(() => browser.close());

/** A room with a camera, and viewers that see it. */
async function open(
  context: TestContext,
  camera: RoomCamera,
  viewers: readonly string[],
  networks: Readonly<Record<string, RelayOptions>> = {},
): Promise<Room> {
  const room = await Room.open(browser, networks);
  context.onTestFinished(() => room.close());
  await room.join('camera', 'send');
  await room.publish('camera', camera);
  for (const viewer of viewers) {
    await room.join(viewer, 'receive');
    await room.watch(viewer);
  }
  for (const viewer of viewers) await framesOf(room, viewer, 20);
  return room;
}

const PATIENCE = { timeout: 20_000, interval: 100 };

/** Waits until so many frames more have been seen. */
async function framesOf(room: Room, viewer: string, count: number): Promise<RoomView> {
  const decoded = async (): Promise<number> => (await room.seen(viewer)).framesDecoded ?? 0;
  const before = await decoded();
  await expect.poll(decoded, PATIENCE).toBeGreaterThan(before + count);
  return room.seen(viewer);
}

/** Waits until a viewer is sent this layer, and for how long that took. */
async function layerOf(room: Room, viewer: string, spatialLayer: number): Promise<number> {
  const fromMs = performance.now();
  await expect.poll(() => room.consumers.get(viewer)!.currentLayers?.spatialLayer, PATIENCE).toBe(spatialLayer);
  return performance.now() - fromMs;
}

const ONE_SIZE = { width: 320, height: 176, frameRate: 20, encodings: [{ maxBitrate: 400_000 }] };
const TWO_SIZES = {
  width: 640,
  height: 352,
  frameRate: 15,
  encodings: [
    { scaleResolutionDownBy: 4, maxBitrate: 120_000, scalabilityMode: 'L1T1' },
    { scaleResolutionDownBy: 2, maxBitrate: 600_000, scalabilityMode: 'L1T1' },
  ],
};

describe('mediasoup-client in Chromium', () => {
  it('sees every picture though each way loses 5 %', async (context) => {
    const lossy = { there: { lossRate: 0.05, delayMs: 10 }, back: { lossRate: 0.05, delayMs: 10 } };
    const room = await open(context, ONE_SIZE, ['viewer'], { camera: lossy, viewer: lossy });
    const [seenBefore, sentBefore] = [await room.seen('viewer'), await room.sent('camera')];
    const seen = await framesOf(room, 'viewer', 100);
    const sent = await room.sent('camera');

    expect(sent.framesEncoded - sentBefore.framesEncoded).toBeLessThan(115);
    expect(seen.framesDropped - seenBefore.framesDropped).toBeLessThan(5);
    expect(seen.totalFreezesDuration - seenBefore.totalFreezesDuration).toBeLessThan(1);
    // What was lost on its way to us, and to the viewer, came once more.
    const [received] = await room.producer!.getStats();
    expect(received!.packetsLost).toBeGreaterThan(5);
    expect(received!.packetsRepaired).toBeGreaterThan(received!.packetsLost - 5);
    expect(received!.score).toBeGreaterThan(6);
    expect(seen.packetsLost).toBeGreaterThan(5);
    expect(seen.retransmittedPacketsReceived).toBeGreaterThan(seen.packetsLost - 5);
    const [forwarded] = await room.consumers.get('viewer')!.getStats();
    expect(forwarded).toMatchObject({ type: 'outbound-rtp' });
    expect(forwarded!.packetsRepaired).toBeGreaterThan(5);
    expect(room.relays.get('viewer')!.counters.back.lost).toBeGreaterThan(5);
  });

  it('sees the smaller pictures of a simulcast on a path of 300 kb/s, and the larger ones when there is room again', async (context) => {
    const room = await open(context, TWO_SIZES, ['capped', 'free']);
    for (const viewer of ['capped', 'free']) await layerOf(room, viewer, 1);

    room.relays.get('capped')!.become({ back: { bandwidthBps: 300_000 } });
    expect(await layerOf(room, 'capped', 0)).toBeLessThan(5000);
    await framesOf(room, 'capped', 20);
    // The other viewer has nothing of it.
    await layerOf(room, 'free', 1);
    expect(room.consumers.get('capped')!.currentLayers?.spatialLayer).toBe(0);
    room.relays.get('capped')!.become({});
    expect(await layerOf(room, 'capped', 1)).toBeLessThan(20_000);
    await expect.poll(async () => (await room.seen('capped')).frameWidth, PATIENCE).toBe(320);
  }, 45_000);

  it('is sent less on a path that loses 30 %, and sees pictures all the time', async (context) => {
    const room = await open(context, TWO_SIZES, ['viewer'], { viewer: { back: { delayMs: 20 } } });
    await layerOf(room, 'viewer', 1);
    await framesOf(room, 'viewer', 20);
    const beforeBps = await sentBpsOf(room, 'viewer');
    room.relays.get('viewer')!.become({ back: { lossRate: 0.3, delayMs: 20 } });
    await layerOf(room, 'viewer', 0);
    const fromMs = performance.now();
    await framesOf(room, 'viewer', 60);
    // They come at 15 a second.
    expect(performance.now() - fromMs).toBeLessThan(8000);
    expect(await sentBpsOf(room, 'viewer')).toBeLessThan(beforeBps * 0.7);
    expect(room.consumers.get('viewer')!.score.score).toBeLessThan(8);
  }, 45_000);
});

async function sentBpsOf(room: Room, viewer: string): Promise<number> {
  const [stats] = await room.transports.get(viewer)!.getStats();
  return stats!.sendBitrate;
}
