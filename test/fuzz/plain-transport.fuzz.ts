import type { DatagramTransport } from '../../src/sfu/transports/datagram-transport.ts';
import { DirectTransport } from '../../src/sfu/transports/direct-transport.ts';
import {
  plainTransport,
  RtpPeer,
  type VirtualWorld,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  virtualRouter,
} from '../integration/sfu/sfu-kit.ts';

export const name = 'plain-transport';

const IS_SECOND = 0x80;
const IS_STRANGER = 0x40;
const IS_RTCP_PORT = 0x20;
const STEP_MS = 40;

/** Datagrams that one datagram may lead to: of all that is kept to be sent again, a second of video. */
const MAX_ANSWERS = 2600;
/** What control may be told because of one, and while time goes on until the next. */
const MAX_NOTIFICATIONS = 64;
const MAX_TIMERS = 32;

/** What is left of an input beyond these is not looked at. */
const MAX_DATAGRAMS = 300;
const MAX_SECONDS = 20;

const RID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const TRANSPORT_WIDE = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/**
 * Datagrams of anybody for two plain transports of a router. The first waits to see who comes, has a port for RTCP, SCTP,
 * simulcast by rids, and a viewer; the second knows its peer, sends it that video and data, and takes sound.
 *
 *     second(1) stranger(1) RTCP port(1) 40 ms before it(5)  length(16)  datagram
 *
 * Nothing throws, answers and news are bounded, the peer stays the peer, and no timer is left at the end.
 */
export function run(bytes: Uint8Array): void {
  const { world, router } = virtualRouter();
  const sctp = { isDataChannel: false };
  const reports = new RtpPeer();
  const first = plainTransport(router, 'first', { comedia: true, rtcpSocket: reports.socket, sctp });
  const second = plainTransport(router, 'second', { sctp });
  second.transport.connect({ ip: second.peer.address.address, port: second.peer.address.port });
  addStreams(first.transport, second.transport, router);
  const peers = [first.peer, second.peer, reports];
  const stranger = { address: '198.51.100.7', port: 9 };
  const tuples: string[] = [];
  const endMs = world.nowMs + 1000 * MAX_SECONDS;
  let datagrams = 0;
  for (let at = 0; at + 3 <= bytes.length && datagrams < MAX_DATAGRAMS && world.nowMs < endMs; datagrams++) {
    const head = bytes[at]!;
    const end = Math.min(bytes.length, at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!));
    const datagram = bytes.slice(at + 3, end);
    at = end;
    const before = [answersOf(peers), world.notifications.length] as const;
    world.run((head & 0x1f) * STEP_MS);
    const { transport, peer } = (head & IS_SECOND) === 0 ? first : second;
    const source = (head & IS_STRANGER) === 0 ? peer.address : stranger;
    const isRtcpPort = transport === first.transport && (head & IS_RTCP_PORT) !== 0;
    transport.receiveDatagram(datagram, 0, datagram.length, source, isRtcpPort);
    // What is kept of it shows.
    datagram.buffer.transfer(0);
    check(answersOf(peers) - before[0] <= MAX_ANSWERS, 'too many answers');
    check(world.notifications.length - before[1] <= MAX_NOTIFICATIONS, 'too much is told');
    check(world.timers <= MAX_TIMERS, 'too many timers');
    for (const [i, one] of [first.transport, second.transport].entries()) {
      const { remoteIp } = one.tuple;
      check(tuples[i] === undefined || tuples[i] === remoteIp, 'another became the peer');
      if (remoteIp !== undefined) tuples[i] = remoteIp;
    }
  }
  endOf(world, router);
}

function addStreams(
  first: DatagramTransport,
  second: DatagramTransport,
  router: Parameters<typeof plainTransport>[0],
): void {
  const headerExtensions = [
    ...(VP8_SENDER.headerExtensions ?? []),
    { uri: RID, id: 10 },
    { uri: TRANSPORT_WIDE, id: 5 },
  ];
  const rids = ['a', 'b', 'c'];
  first.produce({
    id: 'video',
    kind: 'video',
    rtpParameters: { ...VP8_SENDER, headerExtensions, encodings: rids.map((rid) => ({ rid })) },
    rtpMapping: { ...VP8_MAPPING, encodings: rids.map((rid, i) => ({ rid, mappedSsrc: 5000 + i })) },
  });
  const opus = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 };
  second.produce({
    id: 'sound',
    kind: 'audio',
    rtpParameters: { codecs: [opus], encodings: [{ ssrc: 3000 }] },
    rtpMapping: {
      codecs: [{ payloadType: 100, mappedPayloadType: 100 }],
      encodings: [{ ssrc: 3000, mappedSsrc: 6000 }],
    },
  });
  second.consume('video', {
    id: 'viewer',
    kind: 'video',
    type: 'simulcast',
    rtpParameters: VP8_VIEWER,
    consumableRtpEncodings: rids.map((_, i) => ({ ssrc: 5000 + i })),
  });
  const sctpStreamParameters = { streamId: 1, ordered: true };
  const data = { type: 'sctp', sctpStreamParameters, label: '', protocol: '' } as const;
  first.produceData({ id: 'messages', ...data });
  second.consumeData('messages', { id: 'reader', ...data });
  const direct = new DirectTransport({ id: 'direct' }, router);
  direct.consumeData('messages', { id: 'listener', type: 'direct', label: '', protocol: '' });
}

function endOf(world: VirtualWorld, router: ReturnType<typeof virtualRouter>['router']): void {
  world.run(10_000);
  router.dump();
  router.close();
  check(world.timers === 0, 'a timer is left');
}

function answersOf(peers: readonly RtpPeer[]): number {
  return peers.reduce((sum, { datagrams }) => sum + datagrams.length, 0);
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new RangeError(what);
}
