/**
 * Forwards pictures to viewers over SRTP into a queue whose packets go nowhere, and tells how many bytes of objects a copy
 * made: `node --min-semi-space-size=256 --max-semi-space-size=256 fan-out-program.ts`, so that nothing is collected meanwhile.
 */
import { randomBytes } from 'node:crypto';
import { toDatagramTarget } from '../../../src/io/datagram-address.ts';
import { DatagramQueue } from '../../../src/io/datagram-queue.ts';
import { LinuxQueueSender } from '../../../src/io/ffi/linux-queue-sender.ts';
import { srtpProvider } from '../../../src/io/srtp-crypto.ts';
import { SrtpSender } from '../../../src/protocol/srtp/srtp-sender.ts';
import { QueueLink } from '../../../src/sfu/transports/packet-link.ts';
import type { TransportTuple } from '../../../src/sfu/transports/transport-tuple.ts';
import { WebRtcTransport } from '../../../src/sfu/transports/webrtc-transport.ts';
import { VP8_MAPPING, VP8_SENDER, VP8_VIEWER, virtualRouter, vp8Packet } from './sfu-kit.ts';

const VIEWERS = 20;
const PICTURE_PACKETS = 6;
/** Code is compiled and buffers have their size after so many. */
const WARM_UP_PICTURES = 4000;
const PICTURES = 2000;
const TUPLE: TransportTuple = {
  localIp: '127.0.0.1',
  localAddress: '127.0.0.1',
  localPort: 1,
  remoteIp: '127.0.0.1',
  remotePort: 1,
  protocol: 'udp',
};

const { world, router } = virtualRouter();
const tasks: (() => void)[] = [];
world.afterBurst = (task) => tasks.push(task);
// A kernel that takes everything.
const sender = new LinuxQueueSender({
  sendmmsg: (_socket, _messages, count) => count,
  errno: () => 0,
  addressOf: () => 0n,
});
let sentPackets = 0;
const queue = new DatagramQueue(
  sender.arena,
  (packets) => {
    sender.send(3, packets);
    sentPackets += sender.sentPackets;
  },
  true,
);
const provider = srtpProvider();

function connect(id: string, port: number): WebRtcTransport {
  const transport = new WebRtcTransport({ id, iceCandidates: [], fingerprints: [] }, router);
  // `node:crypto` makes objects for each packet: then without.
  const keys = { profile: 'AES_CM_128_HMAC_SHA1_80', masterKey: randomBytes(16), masterSalt: randomBytes(14) } as const;
  const srtp = provider.name === 'openssl' ? new SrtpSender(keys, provider.crypto) : undefined;
  const link = new QueueLink({ queue, to: toDatagramTarget(4, '127.0.0.1', port) }, undefined, srtp);
  transport.onIceState('connected');
  transport.onSelectedTuple(TUPLE, link);
  transport.onDtlsState('connected', link, undefined);
  return transport;
}

const from = connect('from', 1);
from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
for (let i = 0; i < VIEWERS; i++) {
  const rtpParameters = { ...VP8_VIEWER, encodings: [{ ssrc: 7000, rtx: { ssrc: 7001 } }] };
  const options = { id: `c${i}`, kind: 'video', type: 'simple', rtpParameters } as const;
  connect(`t${i}`, 2 + i).consume('p', { ...options, consumableRtpEncodings: [{ ssrc: 5000 }] });
}

const keyPacket = vp8Packet({ sequenceNumber: 0, isKeyFrame: true, payloadBytes: 1000 });
const packets = Array.from({ length: PICTURE_PACKETS }, (_, i) => {
  return vp8Packet({ sequenceNumber: 0, payloadBytes: i < 3 ? 1000 : 1001 });
});
let sequenceNumber = 0;

function sendPicture(isKey: boolean): void {
  for (const packet of isKey ? [keyPacket] : packets) {
    packet[2] = sequenceNumber >>> 8;
    packet[3] = sequenceNumber;
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    from.receiveRtp(packet, 0, packet.length);
  }
  for (const task of tasks) task();
  tasks.length = 0;
  queue.flush();
  world.nowMs += 40;
}

sendPicture(true);
for (let i = 0; i < WARM_UP_PICTURES; i++) sendPicture(false);
sentPackets = 0;
const before = process.memoryUsage().heapUsed;
for (let i = 0; i < PICTURES; i++) sendPicture(false);
const bytes = process.memoryUsage().heapUsed - before;
process.stdout.write(JSON.stringify({ sentPackets, bytesPerCopy: bytes / sentPackets, srtp: provider.name }));
process.exit(0);
