import { describe, expect, it } from 'vitest';
import { writeExtendedReport } from '../../../src/protocol/rtp/rtcp-extended-report.ts';
import { writeNack } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { writeReceiverReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import { MAX_TRANSPORT_WIDE_PACKETS } from '../../../src/protocol/rtp/rtcp-transport-wide-feedback.ts';
import { MAX_STORED_PACKETS } from '../../../src/sfu/streams/packet-store.ts';
import { INACTIVITY_MS } from '../../../src/sfu/streams/received-stream.ts';
import { RESENDS_PER_PACKET } from '../../../src/sfu/streams/sent-stream.ts';
import { MAX_TOLD_PACKETS, TOLD_PER_PACKET } from '../../../src/sfu/transports/sending-path.ts';
import { NetworkWorld, Publisher, Viewer } from './network-kit.ts';

const SIZES = [100_000, 300_000, 900_000];

function seconds(world: NetworkWorld, count: number): void {
  world.network.runFor(1000 * count);
}

function scene(bitrates: readonly number[] = [300_000]): { world: NetworkWorld; camera: Publisher; viewer: Viewer } {
  const world = new NetworkWorld();
  const camera = new Publisher(world, 'camera', 1000, bitrates, 'transport-cc');
  const viewer = new Viewer(world, 'viewer', 'transport-cc');
  viewer.watch(camera, 'consumer');
  return { world, camera, viewer };
}

function scoresOf(world: NetworkWorld, id: string): unknown[] {
  return world.eventsOf(id, 'score');
}

describe('packets that get lost', () => {
  it.each([
    [0.05, 0.05],
    [0.2, 0],
    [0, 0.2],
  ])('of %f on the way in and %f on the way out come all the same', (lossIn, lossOut) => {
    const { world, camera, viewer } = scene();
    camera.become({ lossRate: lossIn }, { lossRate: lossIn });
    viewer.become({ lossRate: lossOut }, { lossRate: lossOut });
    seconds(world, 20);
    const [received] = camera.producer.stats(world.clock.nowMs());
    const [stream] = viewer.seen;
    expect(received!.packetsLost).toBeGreaterThanOrEqual(lossIn > 0 ? 10 : 0);
    // All but those that are still asked for.
    expect(stream!.numbers.size).toBeGreaterThan(received!.packetCount * 0.995);
    expect(stream!.nack.givenUp).toBe(0);
    expect(camera.stats['rtxBytesReceived']! > 0).toBe(lossIn > 0);
    // What was late for us is asked of us too.
    expect(viewer.stats['rtxBytesSent']!).toBeGreaterThan(0);
  });

  it('of 30 % are sent again within what the path is thought to carry, by smaller pictures', () => {
    const { world, viewer } = scene([100_000, 450_000]);
    const layer = (): unknown =>
      (world.eventsOf('consumer', 'layerschange').at(-1) as { spatialLayer: number }).spatialLayer;
    seconds(world, 15);
    expect(layer()).toBe(1);
    viewer.become({ lossRate: 0.3 });
    seconds(world, 5);
    expect(layer()).toBe(0);
    const [stream] = viewer.seen;
    const before = stream!.numbers.size;
    seconds(world, 4);
    // 30 pictures a second, one packet each.
    expect(stream!.numbers.size - before).toBeGreaterThan(100);
    expect(viewer.stats['sendBitrate']).toBeLessThan(300_000);
  });

  it('show in scores, of both ends or of the one where they got lost, and are forgotten', () => {
    const { world, camera, viewer } = scene();
    seconds(world, 10);
    expect(scoresOf(world, 'camera').at(-1)).toEqual([{ encodingIdx: 0, ssrc: 1000, score: 10 }]);
    viewer.asksAgain = false;
    viewer.become({ lossRate: 0.3 });
    seconds(world, 15);
    const { score, producerScore } = scoresOf(world, 'consumer').at(-1) as { score: number; producerScore: number };
    expect(score).toBeLessThan(5);
    expect(producerScore).toBe(10);
    expect(viewer.stats['rtpPacketLossSent']).toBeCloseTo(0.3, 1);
    viewer.become({});
    seconds(world, 30);
    expect(scoresOf(world, 'consumer').at(-1)).toEqual({ score: 10, producerScore: 10, producerScores: [10] });
    // What the router asks for does not reach the camera.
    camera.become({ lossRate: 1 }, { lossRate: 0.3 });
    seconds(world, 15);
    const [after] = scoresOf(world, 'camera').at(-1) as { score: number }[];
    expect(after!.score).toBeLessThan(5);
    expect(scoresOf(world, 'consumer').at(-1)).toMatchObject({ producerScore: after!.score });
  });
});

describe('a size of a camera that stops', () => {
  it('has score 0 after a second and a half, and its viewers see another until it comes back', () => {
    const { world, camera, viewer } = scene(SIZES);
    const layers = (): unknown => world.eventsOf('consumer', 'layerschange').at(-1);
    seconds(world, 15);
    expect(layers()).toEqual({ spatialLayer: 2, temporalLayer: 0 });
    camera.bitrates[2] = 0;
    const before = viewer.seen[0]!.bytes;
    world.network.runFor(INACTIVITY_MS - 200);
    expect(camera.producer.scores.map(({ score }) => score)).toEqual([10, 10, 10]);
    world.network.runFor(600);
    expect(camera.producer.scores.map(({ score }) => score)).toEqual([10, 10, 0]);
    expect(layers()).toEqual({ spatialLayer: 1, temporalLayer: 0 });
    seconds(world, 2);
    expect(viewer.seen[0]!.bytes).toBeGreaterThan(before + 50_000);
    camera.bitrates[2] = 900_000;
    seconds(world, 15);
    expect(camera.producer.scores.map(({ score }) => score)).toEqual([10, 10, 10]);
    expect(layers()).toEqual({ spatialLayer: 2, temporalLayer: 0 });
  });
});

describe('what a peer may ask of a router', () => {
  it('is packets in proportion to what it was sent, however often it asks', () => {
    const { world, camera, viewer } = scene();
    viewer.asksAgain = false;
    seconds(world, 2);
    const [stream] = viewer.seen;
    let asked = 0;
    // Just as often as each of them is sent again.
    for (let ms = 0; ms < 20_000; ms += 50) {
      const newest = [...stream!.numbers].at(-1)!;
      const numbers = Array.from({ length: 50 }, (_, i) => (newest - i) & 0xffff);
      viewer.sendRtcp((out) => writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, numbers, out));
      asked += numbers.length;
      world.network.runFor(50);
    }
    const [sent] = viewer.transport.consumer('consumer').stats(world.clock.nowMs()) as {
      packetCount: number;
      packetsRetransmitted: number;
    }[];
    expect(asked).toBe(20_000);
    expect(sent!.packetsRetransmitted).toBeGreaterThan(0);
    expect(sent!.packetsRetransmitted).toBeLessThan(RESENDS_PER_PACKET * sent!.packetCount + MAX_STORED_PACKETS);
    expect(camera.producer.stats(world.clock.nowMs())[0]!.packetCount).toBeGreaterThan(1000);
  });

  it('is to read feedback on as many packets as it was sent, a few times', () => {
    const { world, viewer } = scene();
    seconds(world, 2);
    let told = 0;
    const { sendingPath } = viewer.transport;
    const taken = sendingPath.onTransportFeedback.bind(sendingPath);
    sendingPath.onTransportFeedback = (feedback, nowMs) => {
      told += feedback.arrivalsUs.length;
      taken(feedback, nowMs);
    };
    // 768 bytes: 32 times "none of these 8,191 arrived".
    const one = [0x8f, 0xcd, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0x1f, 0xff, 0, 0, 1, 0, 0x1f, 0xff, 0, 0];
    const compound = Uint8Array.from(Array.from({ length: 32 }, () => one).flat());
    const packets = (): number => viewer.transport.sender.media.packets + viewer.transport.sender.probation.packets;
    const before = packets();
    for (let i = 0; i < 100; i++) {
      viewer.send(compound);
      world.network.runFor(10);
    }
    expect(told).toBeGreaterThan(MAX_TRANSPORT_WIDE_PACKETS - 2);
    expect(told).toBeLessThan(MAX_TOLD_PACKETS + TOLD_PER_PACKET * (packets() - before) + 1);
    // What it says in earnest counts again.
    told = 0;
    seconds(world, 10);
    expect(told).toBeGreaterThan(200);
    expect(told).toBeLessThan(2000);
  });

  it('is one report on a stream in a compound', () => {
    const { world, viewer } = scene();
    seconds(world, 2);
    const consumer = viewer.transport.consumer('consumer');
    const receiveReport = consumer.receiveReport.bind(consumer);
    const taken: number[] = [];
    consumer.receiveReport = (output, block, now) => {
      taken.push(block.fractionLost);
      receiveReport(output, block, now);
    };
    const block = { ssrc: 7000, packetsLost: 0, highestSequenceNumber: 0, jitter: 0, lastSr: 0, delaySinceLastSr: 0 };
    viewer.sendRtcp((out) => {
      for (let i = 0; i < 10; i++) {
        const reports = Array.from({ length: 31 }, (_, fractionLost) => ({
          ...block,
          fractionLost: 100 + i + fractionLost,
        }));
        writeReceiverReport({ ssrc: 1, reports }, out);
      }
    });
    world.network.runFor(50);
    expect(taken.filter((fractionLost) => fractionLost >= 100)).toEqual([100]);
  });

  it('is one round trip of a compound, whatever it says of the others', () => {
    const { world, camera } = scene();
    seconds(world, 2);
    const entry = { ssrc: 1, lastReceiverReport: 1, delaySinceLast: 0 };
    let asked = 0;
    const { received } = camera.producer.streams[0]!;
    const receiveDlrr = received.receiveDlrr.bind(received);
    received.receiveDlrr = (one, now) => {
      asked++;
      receiveDlrr(one, now);
    };
    camera.sendRtcp((out) => {
      for (let i = 0; i < 10; i++) {
        const entries = [{ ...entry, lastReceiverReport: 0 }, entry, entry];
        writeExtendedReport({ ssrc: 1, blocks: [{ type: 'dlrr', entries }] }, out);
      }
    });
    world.network.runFor(100);
    expect(asked).toBe(1);
  });
});
