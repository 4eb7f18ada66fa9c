import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/sfu/consumers/consumer.ts';
import { NetworkWorld, Publisher, Viewer } from './network-kit.ts';

/** Bits a second of the sizes of a camera. */
const SIZES = [100_000, 300_000, 900_000];

function layerOf(world: NetworkWorld, { id }: Consumer): number {
  const last = world.eventsOf(id, 'layerschange').at(-1) as { spatialLayer: number } | null | undefined;
  return last?.spatialLayer ?? -1;
}

function seconds(world: NetworkWorld, count: number): void {
  world.network.runFor(1000 * count);
}

describe.each(['transport-cc', 'remb'] as const)('a viewer that gives %s', (feedback) => {
  it('has the size that its path carries, down within 5 s and up again, and others nothing of it', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, SIZES, 'transport-cc');
    const [capped, free] = [new Viewer(world, 'capped', feedback), new Viewer(world, 'free', feedback)];
    const [one, other] = [capped.watch(camera, 'one'), free.watch(camera, 'other')];
    seconds(world, 15);
    expect([layerOf(world, one), layerOf(world, other)]).toEqual([2, 2]);
    const changes = world.eventsOf('other', 'layerschange').length;
    capped.become({ bandwidthBps: 500_000 });
    seconds(world, 5);
    expect(layerOf(world, one)).toBeLessThan(2);
    seconds(world, 15);
    expect(layerOf(world, one)).toBe(1);
    expect(capped.stats['availableOutgoingBitrate']).toBeGreaterThan(300_000);
    expect(capped.stats['availableOutgoingBitrate']).toBeLessThan(600_000);
    capped.become({});
    seconds(world, 20);
    expect(layerOf(world, one)).toBe(2);
    expect(world.eventsOf('other', 'layerschange')).toHaveLength(changes);
  });
});

describe('several viewers of one transport', () => {
  function scene(linkBps: number): { world: NetworkWorld; viewer: Viewer; consumers: readonly Consumer[] } {
    const world = new NetworkWorld();
    const cameras = [1000, 2000, 3000].map(
      (ssrc) => new Publisher(world, `camera${ssrc}`, ssrc, SIZES, 'transport-cc'),
    );
    const viewer = new Viewer(world, 'viewer', 'transport-cc');
    viewer.become({ bandwidthBps: linkBps });
    const consumers = cameras.map((camera, index) => viewer.watch(camera, `consumer${index}`));
    return { world, viewer, consumers };
  }

  it('share a path by their priorities, and anew when those change', () => {
    const { world, viewer, consumers } = scene(700_000);
    consumers[1]!.setPriority(200);
    seconds(world, 20);
    expect(consumers.map((one) => layerOf(world, one))).toEqual([0, 1, 0]);
    consumers[1]!.setPriority(1);
    consumers[2]!.setPriority(255);
    seconds(world, 20);
    expect(consumers.map((one) => layerOf(world, one))).toEqual([0, 0, 1]);
    // Each of them sees something all the time.
    for (const { bytes } of viewer.seen) expect((bytes * 8) / 40).toBeGreaterThan(90_000);
  });

  it('leave what one of them does not prefer to the others', () => {
    const { world, consumers } = scene(1_800_000);
    const have = (...layers: number[]): boolean =>
      world.network.runUntil(() => consumers.every((one, i) => layerOf(world, one) === layers[i]), 40_000);
    consumers[0]!.setPriority(255);
    consumers[0]!.setPreferredLayers({ spatialLayer: 0 });
    consumers[2]!.setPriority(100);
    expect(have(0, 1, 2)).toBe(true);
    consumers[2]!.setPreferredLayers({ spatialLayer: 1 });
    expect(have(0, 2, 1)).toBe(true);
  });

  it('see nothing of the least of them where there is no room for all', () => {
    const { world, consumers } = scene(220_000);
    consumers[0]!.setPriority(2);
    consumers[2]!.setPriority(3);
    seconds(world, 20);
    expect(consumers.map((one) => layerOf(world, one))).toEqual([0, -1, 0]);
  });
});

describe('limits of a transport', () => {
  it('begin with what control says is there, else with 600 kb/s', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, SIZES, 'transport-cc');
    for (const [id, initialBps, bps] of [
      ['a', undefined, 600_000],
      ['b', 2_000_000, 2_000_000],
    ] as const) {
      const viewer = new Viewer(world, id, 'transport-cc', initialBps);
      viewer.watch(camera, `${id}-consumer`);
      expect(viewer.stats['availableOutgoingBitrate']).toBe(bps);
    }
  });

  it('keep what is sent under the maximum and the estimate over the minimum', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, SIZES, 'transport-cc');
    const viewer = new Viewer(world, 'viewer', 'transport-cc');
    const consumer = viewer.watch(camera, 'consumer');
    const { sendingPath } = viewer.transport;
    sendingPath.setLimits({ maxBps: 400_000 });
    seconds(world, 15);
    expect(layerOf(world, consumer)).toBe(1);
    expect(viewer.stats).toMatchObject({ maxOutgoingBitrate: 400_000, availableOutgoingBitrate: 400_000 });
    sendingPath.setLimits({ maxBps: 0 });
    seconds(world, 10);
    expect(layerOf(world, consumer)).toBe(2);
    expect(viewer.stats['maxOutgoingBitrate']).toBeUndefined();
    viewer.become({ bandwidthBps: 120_000 });
    seconds(world, 10);
    expect(viewer.stats['availableOutgoingBitrate']).toBeLessThan(150_000);
    sendingPath.setLimits({ minBps: 320_000 });
    seconds(world, 12);
    expect(viewer.stats['minOutgoingBitrate']).toBe(320_000);
    expect(viewer.stats['availableOutgoingBitrate']).toBeGreaterThanOrEqual(320_000);
    expect(layerOf(world, consumer)).toBe(1);
  });
});

describe('a publisher', () => {
  it('is told when its packets arrived, every 100 ms, and how many did not', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, [300_000], 'transport-cc');
    camera.become({}, { lossRate: 0.1 });
    seconds(world, 20);
    const feedbacks = camera.rtcp.filter((packet) => packet.type === 'transport-feedback' && packet.messageType === 15);
    expect(feedbacks.length).toBeGreaterThan(160);
    expect(feedbacks.length).toBeLessThan(210);
    expect(camera.told / camera.sent).toBeGreaterThan(0.98);
    expect(camera.told / camera.sent).toBeLessThan(1.02);
    expect(camera.toldLost / camera.told).toBeCloseTo(0.1, 1);
    expect(camera.stats['rtpPacketLossReceived']).toBeCloseTo(0.1, 1);
    expect(camera.rembBps).toBeUndefined();
    expect(camera.stats['availableIncomingBitrate']).toBeUndefined();
  });

  it('that only understands REMB is told what its path carries', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, [200_000], 'remb');
    camera.become({}, { bandwidthBps: 700_000 });
    for (let i = 0; i < 300; i++) {
      world.network.runFor(100);
      // It sends what it may.
      camera.bitrates[0] = Math.min(camera.rembBps ?? 200_000, 2_000_000);
    }
    expect(camera.rembBps).toBeGreaterThan(550_000);
    expect(camera.rembBps).toBeLessThan(750_000);
    expect(camera.stats['availableIncomingBitrate']).toBeGreaterThan(550_000);
    expect(camera.stats['availableIncomingBitrate']).toBeLessThan(750_000);
    camera.transport.setMaxIncomingBitrate(250_000);
    seconds(world, 3);
    expect(camera.rembBps).toBeGreaterThan(240_000);
    expect(camera.rembBps).toBeLessThanOrEqual(250_000);
    expect(camera.stats['maxIncomingBitrate']).toBe(250_000);
  });

  it('that gives heed to transport-wide feedback is told its limit by REMB, and that it has none any more', () => {
    const world = new NetworkWorld();
    const camera = new Publisher(world, 'camera', 1000, [300_000], 'transport-cc');
    const rembs = (): number => camera.rtcp.filter(({ type }) => type === 'payload-feedback').length;
    seconds(world, 3);
    const before = rembs();
    camera.transport.setMaxIncomingBitrate(200_000);
    world.network.runFor(100);
    expect(camera.rembBps).toBeLessThanOrEqual(200_000);
    expect(camera.rembBps).toBeGreaterThan(199_000);
    seconds(world, 15);
    expect(rembs() - before).toBe(11);
    camera.transport.setMaxIncomingBitrate(0);
    world.network.runFor(100);
    expect(camera.rembBps).toBeGreaterThan(1e9);
    seconds(world, 15);
    // Told four times, for one may be lost.
    expect(rembs() - before).toBe(15);
  });
});
