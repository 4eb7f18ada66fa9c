/** mediasoup-client in Chromium over networks that lose and limit: what is repaired, and what is given up. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { bytePattern } from '../peers/byte-pattern.ts';
import type { RoomCamera, RoomView } from '../peers/mediasoup-room-page.ts';
import type { RelayOptions } from '../peers/udp-relay.ts';
import { type HeardMessage, Room, RoomBrowser } from './support/sfu-room.ts';

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

/** Seeds and sizes of messages: 1 MB in four of the longest that Chromium sends, and a small one behind them. */
const SENT_UP: readonly HeardMessage[] = [262_144, 262_144, 262_144, 213_568, 100].map((size, seed) => [seed, size]);
const SENT_DOWN: readonly HeardMessage[] = [1_000_000, 1_000_000, 100].map((size, seed) => [seed, size]);

function inOrder(heard: readonly HeardMessage[], { ordered }: { ordered: boolean }): readonly HeardMessage[] {
  return ordered ? heard : heard.toSorted(([a], [b]) => a - b);
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
    // What was lost last may be on its way still.
    const unrepaired = async (): Promise<number> => {
      const { packetsLost, retransmittedPacketsReceived } = await room.seen('viewer');
      return packetsLost - retransmittedPacketsReceived;
    };
    await expect.poll(unrepaired, PATIENCE).toBeLessThan(5);
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

  it('sends no more than it is told to, and more again when it may', async (context) => {
    const room = await open(context, ONE_SIZE, ['viewer']);
    const transport = room.transports.get('camera')!;
    await expect.poll(() => receivedBpsOf(room), PATIENCE).toBeGreaterThan(300_000);
    await transport.setMaxIncomingBitrate(150_000);
    await expect.poll(() => receivedBpsOf(room), PATIENCE).toBeLessThan(180_000);
    expect((await transport.getStats())[0]).toMatchObject({ maxIncomingBitrate: 150_000 });
    await framesOf(room, 'viewer', 10);
    await transport.setMaxIncomingBitrate(0);
    await expect.poll(() => receivedBpsOf(room), PATIENCE).toBeGreaterThan(300_000);
  }, 45_000);

  it('goes on with new credentials of ICE', async (context) => {
    const room = await open(context, ONE_SIZE, ['viewer']);
    for (const name of ['camera', 'viewer']) {
      const transport = room.transports.get(name)!;
      const { usernameFragment } = transport.iceParameters;
      const { id } = await room.pair(name);
      await room.restartIce(name);
      expect(transport.iceParameters.usernameFragment).not.toBe(usernameFragment);
      // The browser has found a path with the new ones, and media takes it.
      await expect.poll(async () => (await room.pair(name)).id, PATIENCE).not.toBe(id);
      expect((await room.pair(name)).responsesReceived).toBeGreaterThan(0);
      await framesOf(room, 'viewer', 10);
    }
  });

  it.each([
    ['in order', { ordered: true }],
    ['in any order', { ordered: false }],
  ])(
    'has messages as long as it can send, and of 1 MB sent to it, %s though the paths lose some',
    async (_, options) => {
      const lossy = { there: { lossRate: 0.01, delayMs: 5 }, back: { lossRate: 0.01, delayMs: 5 } };
      const room = await Room.open(browser, { send: lossy, receive: lossy });
      onTestFinished(() => room.close());
      await room.join('send', 'send');
      await room.join('receive', 'receive');
      const [producer] = await Promise.all([
        room.listen('receive', 'down', options),
        room.openChannel('send', 'up', options),
      ]);
      for (const [seed, sizeBytes] of SENT_UP) await room.sendBytes('up', sizeBytes, seed);
      for (const [seed, sizeBytes] of SENT_DOWN) producer.send(Buffer.from(bytePattern(sizeBytes, seed)));
      await expect.poll(() => inOrder(room.heardUp('up'), options), PATIENCE).toEqual(SENT_UP);
      await expect.poll(async () => inOrder(await room.heard('down'), options), PATIENCE).toEqual(SENT_DOWN);
    },
  );

  it('has small messages that are sent once only, and some of them are lost', async () => {
    const options = { ordered: false, maxRetransmits: 0 };
    const lossy = { there: { lossRate: 0.2 }, back: { lossRate: 0.2 } };
    const room = await Room.open(browser);
    onTestFinished(() => room.close());
    await room.join('send', 'send');
    await room.join('receive', 'receive');
    const [producer] = await Promise.all([
      room.listen('receive', 'down', options),
      room.openChannel('send', 'up', options),
    ]);
    for (const name of ['send', 'receive']) room.relays.get(name)!.become(lossy);
    for (let seed = 0; seed < 100; seed++) {
      await room.sendBytes('up', 50, seed);
      producer.send(Buffer.from(bytePattern(50, seed)));
    }
    for (const name of ['send', 'receive']) room.relays.get(name)!.become({});
    // What comes behind them is not kept by what was lost.
    await room.sendBytes('up', 51, 200);
    producer.send(Buffer.from(bytePattern(51, 200)));
    for (const heard of [() => Promise.resolve(room.heardUp('up')), () => room.heard('down')]) {
      await expect.poll(heard, PATIENCE).toContainEqual([200, 51]);
      const count = (await heard()).length;
      expect(count).toBeGreaterThan(50);
      expect(count).toBeLessThan(101);
      expect((await heard()).every(([seed]) => seed >= 0)).toBe(true);
    }
  });
});

async function sentBpsOf(room: Room, viewer: string): Promise<number> {
  const [stats] = await room.transports.get(viewer)!.getStats();
  return stats!.sendBitrate;
}

/** What a camera is seen to send by the worker. */
async function receivedBpsOf(room: Room): Promise<number> {
  const [stats] = await room.producer!.getStats();
  return stats!.bitrate;
}
