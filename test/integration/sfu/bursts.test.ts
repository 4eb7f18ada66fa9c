import { describe, expect, it } from 'vitest';
import {
  plainTransport,
  type RtpPeer,
  type VirtualWorld,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  virtualRouter,
  vp8Packet,
} from './sfu-kit.ts';

/** A producer and two viewers, in a world where packets come together until `endBurst`. */
function setUp(joinsEqualSizes: boolean): {
  world: VirtualWorld;
  sender: RtpPeer;
  viewers: readonly RtpPeer[];
  order: string[];
  endBurst: () => void;
} {
  const { world, router } = virtualRouter();
  const tasks: (() => void)[] = [];
  world.afterBurst = (task) => tasks.push(task);
  const { peer: sender, transport: from } = plainTransport(router, 'from');
  from.connect({ ip: '192.0.2.1', port: 5004 });
  from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
  const order: string[] = [];
  const viewers = ['a', 'b'].map((id) => {
    const { peer, transport } = plainTransport(router, id);
    Object.assign(peer.socket.queue, { joinsEqualSizes });
    peer.onRtp = ({ payloadBytes }) => order.push(`${id} ${payloadBytes}`);
    transport.connect({ ip: '192.0.2.1', port: 5004 });
    const encodings = [{ ssrc: 5000 }];
    const rtpParameters = VP8_VIEWER;
    transport.consume('p', {
      id: `to-${id}`,
      kind: 'video',
      type: 'simple',
      rtpParameters,
      consumableRtpEncodings: encodings,
    });
    return peer;
  });
  const endBurst = (): void => {
    for (const task of tasks.splice(0)) task();
  };
  return { world, sender, viewers, order, endBurst };
}

/** A picture in packets of so many bytes of payload. */
function sendPicture(sender: RtpPeer, first: number, sizes: readonly number[]): void {
  for (const [i, payloadBytes] of sizes.entries()) {
    sender.send(vp8Packet({ sequenceNumber: first + i, timestamp: first * 3000, isKeyFrame: true, payloadBytes }));
  }
}

describe('packets that come together', () => {
  it('go viewer by viewer, when the last has been taken', () => {
    const { sender, order, endBurst } = setUp(false);
    sendPicture(sender, 1, [100, 100, 101]);
    expect(order).toEqual([]);
    endBurst();
    expect(order).toEqual(['a 100', 'a 100', 'a 101', 'b 100', 'b 100', 'b 101']);
    endBurst();
    expect(order).toHaveLength(6);
  });

  it('are made equally long where that is cheaper, each picture by itself, if a little padding is enough', () => {
    const { sender, viewers, order, endBurst } = setUp(true);
    sendPicture(sender, 1, [100, 100, 101]);
    sendPicture(sender, 4, [120, 128, 119]);
    endBurst();
    const sizes = viewers.map(({ rtp }) => rtp.map(({ bytes }) => bytes.length));
    const [whole] = sizes[0]!;
    expect(sizes[0]!.map((size) => size - whole!)).toEqual([0, 0, 0, 27, 27, 18]);
    expect(sizes[1]).toEqual(sizes[0]);
    // Who reads them sees the same payloads.
    expect(order.slice(0, 6)).toEqual(['a 100', 'a 100', 'a 101', 'a 120', 'a 128', 'a 119']);
    const views = viewers[0]!.rtp;
    expect(views.map(({ end, payloadEnd }) => end - payloadEnd)).toEqual([1, 1, 0, 8, 0, 0]);
  });

  it('are not padded for those who gain nothing by it', () => {
    const { sender, viewers, endBurst } = setUp(false);
    sendPicture(sender, 1, [100, 101]);
    endBurst();
    expect(viewers[0]!.rtp.map(({ end, payloadEnd }) => end - payloadEnd)).toEqual([0, 0]);
  });
});
