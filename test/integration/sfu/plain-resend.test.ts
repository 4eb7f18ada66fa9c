import { describe, expect, it } from 'vitest';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import { writeNack } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { isRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../../src/protocol/srtp/srtp-profile.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { SignalledSrtp } from '../../../src/sfu/transports/srtp-parameters.ts';
import { toBase64 } from '../../../src/wire/base64.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { plainTransport, VP8_MAPPING, VP8_SENDER, VP8_VIEWER, virtualRouter, vp8Packet } from './sfu-kit.ts';

const ABS_SEND_TIME_ID = 4;

const WITHOUT_RTX: RtpParameters = {
  ...VP8_VIEWER,
  codecs: VP8_VIEWER.codecs.slice(0, 1),
  encodings: [{ ssrc: 7000 }],
};

/** A viewer by SRTP whose first packet was lost, and who asks for it again some time later. Returns what it was sent of it. */
function sentOfLost(suite: SrtpProfileName): { readonly packets: Uint8Array[]; readonly keys: SignalledSrtp } {
  const { world, router } = virtualRouter();
  const { peer: sender, transport: from } = plainTransport(router, 'from');
  from.connect({ ip: '192.0.2.1', port: 5004 });
  from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
  const keys = new SignalledSrtp(suite, {
    crypto: nodeSrtpCrypto,
    randomBytes: (size) => new Uint8Array(size).fill(9),
  });
  const { keyBytes, saltBytes } = SRTP_PROFILES[suite];
  keys.setRemote({ cryptoSuite: suite, keyBase64: toBase64(new Uint8Array(keyBytes + saltBytes).fill(7)) });
  const { peer, transport: to } = plainTransport(router, 'to', { srtpCryptoSuite: suite });
  to.connect({ ip: '192.0.2.1', port: 5004, srtpParameters: keys.localParameters });
  const rtpParameters = WITHOUT_RTX;
  to.consume('p', { id: 'c', kind: 'video', type: 'simple', rtpParameters, consumableRtpEncodings: [{ ssrc: 5000 }] });
  for (let i = 0; i < 5; i++) sender.send(vp8Packet({ sequenceNumber: 100 + i, isKeyFrame: i === 0 }));
  const lost = peer.datagrams.find((bytes) => !isRtcp(bytes));
  const number = (lost![2]! << 8) | lost![3]!;
  for (let round = 0; round < 2; round++) {
    world.run(300);
    const nack = new ByteWriter();
    writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, [number], nack);
    const bytes = nack.finish();
    const room = new Uint8Array(bytes.length + keys.sender.rtcpOverheadBytes);
    room.set(bytes);
    peer.send(room.subarray(0, keys.sender.protectRtcp(room, 0, bytes.length)));
  }
  const packets = peer.datagrams.filter(
    (bytes) => (bytes[1]! & 0x7f) === 101 && bytes[2] === lost![2] && bytes[3] === lost![3],
  );
  router.close();
  return { packets, keys };
}

describe('a packet that is sent again without RTX, under the number it had', () => {
  it.each(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const)(
    'has another header with %s, and nothing else encrypted than before',
    (suite) => {
      const { packets, keys } = sentOfLost(suite);
      expect(packets).toHaveLength(3);
      const views = packets.map((bytes) => {
        const view = new RtpPacketView();
        expect(view.look(bytes)).toBe(true);
        return view;
      });
      const times = views.map((view) => view.bytes[view.findElement(ABS_SEND_TIME_ID)]);
      expect(times[1]).not.toBe(times[0]);
      const { rtpTagBytes } = SRTP_PROFILES[suite];
      const encrypted = views.map((view) => view.bytes.slice(view.payloadStart, view.bytes.length - rtpTagBytes));
      expect(encrypted[1]).toEqual(encrypted[0]);
      expect(encrypted[2]).toEqual(encrypted[0]);
      // Genuine, to who has not seen the first.
      expect(keys.receiver!.unprotectRtp(packets[2]!, 0, packets[2]!.length)).toBeGreaterThan(0);
    },
  );

  it.each(['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'] as const)('is not sent with %s', (suite) => {
    expect(sentOfLost(suite).packets).toHaveLength(1);
  });
});
