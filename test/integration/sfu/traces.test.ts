import { describe, expect, it } from 'vitest';
import {
  writeFullIntraRequest,
  writeNack,
  writePictureLossIndication,
} from '../../../src/protocol/rtp/rtcp-feedback.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import {
  connectedPair,
  plainTransport,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  virtualRouter,
  vp8Packet,
} from './sfu-kit.ts';

const WITHOUT_RTX: RtpParameters = {
  ...VP8_VIEWER,
  codecs: VP8_VIEWER.codecs.slice(0, 1),
  encodings: [{ ssrc: 7000 }],
};

describe('a packet that a viewer asks for again', () => {
  it.each([
    ['RTX', VP8_VIEWER, { ssrc: 7001, payloadType: 102, mid: '7' }, true],
    ['no RTX', WITHOUT_RTX, { ssrc: 7000, payloadType: 101, mid: '7' }, false],
  ])('is traced as it is sent, with %s', (_, rtpParameters, expected, isRtx) => {
    const { world, router } = virtualRouter();
    const { peer: sender, transport: from } = plainTransport(router, 'from');
    from.connect({ ip: '192.0.2.1', port: 5004 });
    from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
    const { peer, transport: to } = plainTransport(router, 'to');
    to.connect({ ip: '192.0.2.1', port: 5004 });
    const consumer = to.consume('p', {
      id: 'c',
      kind: 'video',
      type: 'simple',
      rtpParameters,
      consumableRtpEncodings: [{ ssrc: 5000 }],
    });
    for (let i = 0; i < 3; i++) sender.send(vp8Packet({ sequenceNumber: 100 + i, isKeyFrame: i === 0 }));
    const [lost] = peer.rtp;
    const number = lost!.sequenceNumber;
    consumer.trace.enable(['rtp', 'keyframe', 'nack']);
    world.run(300);
    const nack = new ByteWriter();
    writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, [number], nack);
    peer.send(nack.finish());
    const traces = world.notifications.filter(({ event }) => event === 'trace').map(({ data }) => data);
    expect(traces).toMatchObject([
      { type: 'nack', direction: 'in' },
      { type: 'keyframe', direction: 'out', info: { isRtx, rtpPacket: { ...expected, isKeyFrame: true } } },
    ]);
    router.close();
  });
});

describe('a key frame that a viewer asks for', () => {
  it.each([
    ['pli', (out: ByteWriter) => writePictureLossIndication({ senderSsrc: 1, mediaSsrc: 7000 }, out)],
    ['fir', (out: ByteWriter) => writeFullIntraRequest(1, [{ ssrc: 7000, sequenceNumber: 1 }], out)],
  ] as const)('by %s is traced as it comes, and as the sender is asked', (type, write) => {
    const { world, router, sender, from, viewer, to } = connectedPair();
    const producer = from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
    const consumer = to.consume('p', {
      id: 'c',
      kind: 'video',
      type: 'simple',
      rtpParameters: VP8_VIEWER,
      consumableRtpEncodings: [{ ssrc: 5000 }],
    });
    sender.send(vp8Packet({ sequenceNumber: 100, isKeyFrame: true }));
    world.run(2000);
    for (const { trace } of [producer, consumer]) trace.enable(['pli', 'fir']);
    const request = new ByteWriter();
    write(request);
    viewer.send(request.finish());
    const traces = world.notifications.filter(({ event }) => event === 'trace');
    expect(traces).toMatchObject([
      { targetId: 'c', data: { type, direction: 'in', info: { ssrc: 7000 } } },
      { targetId: 'p', data: { type: 'pli', direction: 'out', info: { ssrc: 1000 } } },
    ]);
    router.close();
  });
});
