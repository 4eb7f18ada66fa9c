import type { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import type { Producer } from '../../src/sfu/producer.ts';
import type { Router } from '../../src/sfu/router.ts';
import type { DatagramTransport } from '../../src/sfu/transports/datagram-transport.ts';
import type {
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpParameters,
  StreamsType,
} from '../../src/sfu/transports/rtp-parameters.ts';
import { plainTransport, type RtpPeer, type VirtualWorld, virtualRouter } from '../integration/sfu/sfu-kit.ts';

export const name = 'sfu-router';

/** What the first byte of a record says. */
const KIND_MASK = 0x03;
const KINDS = {
  /** To the transport of the senders, with version, payload type and SSRC of the producer that the higher bits choose. */
  media: 0,
  /** To the transport of the senders, as it is. */
  fromSender: 1,
  /** To the transport of the viewers: as it is, or, where the higher bits are not 0, with SSRC and number of what was sent. */
  fromViewer: 2,
  /** Time passes, 10 ms for each of the bytes. */
  time: 3,
} as const;

/** Most records of one input. */
const MAX_RECORDS = 300;
const SENDER_SSRC = 1000;
const VIEWER_SSRC = 7000;
const MAPPED_SSRC = 5000;
/** The most a packet may lead to: one copy each for the consumers, repairs of what was lost, reports, probes. */
const MAX_SENT_PER_RECORD = 2000;
/** One for each thing that waits: of transports, observers, associations. */
const MAX_TIMERS = 20;

const FEEDBACK = [
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'transport-cc', parameter: '' },
];
const URIS = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
] as const;

/** What is sent: each has payload types of its own, 96 on, and SSRCs of its own, 1000 on. */
const SENT: readonly { readonly mimeType: string; readonly encodings: readonly RtpEncodingParameters[] }[] = [
  {
    mimeType: 'video/VP8',
    encodings: [
      { rid: 'a', scalabilityMode: 'L1T3' },
      { rid: 'b', scalabilityMode: 'L1T3' },
    ],
  },
  { mimeType: 'video/VP8', encodings: [{}] },
  { mimeType: 'video/VP9', encodings: [{ scalabilityMode: 'L3T3' }] },
  { mimeType: 'video/VP9', encodings: [{ scalabilityMode: 'L3T3_KEY' }] },
  { mimeType: 'video/AV1', encodings: [{ scalabilityMode: 'L3T3' }] },
  { mimeType: 'video/H264', encodings: [{}] },
  { mimeType: 'audio/opus', encodings: [{ dtx: true }] },
];

/**
 * Records, each a byte that says what it is, a length in 16 bits, and bytes: packets for a router with producers of every
 * codec and consumers of every kind. Whatever they are, nothing is thrown, what is sent for one stays within bounds, and
 * nothing waits any more when the transports are closed.
 */
export function run(bytes: Uint8Array): void {
  const scene = new Scene();
  let records = 0;
  for (let at = 0; at + 3 <= bytes.length && records < MAX_RECORDS; records++) {
    const sizeBytes = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    scene.take(bytes[at]!, bytes.slice(at + 3, at + 3 + sizeBytes));
    at += 3 + sizeBytes;
  }
  scene.close();
}

class Scene {
  readonly #world: VirtualWorld;
  readonly #router: Router;
  readonly #from: DatagramTransport;
  readonly #to: DatagramTransport;
  readonly #sender: RtpPeer;
  readonly #viewer: RtpPeer;
  readonly #producers: Producer[] = [];
  #lastSent: RtpPacketView | undefined;

  constructor() {
    const { world, router } = virtualRouter();
    const [from, to] = [plainTransport(router, 'from'), plainTransport(router, 'to')];
    for (const { transport } of [from, to]) transport.connect({ ip: '192.0.2.1', port: 5004 });
    [this.#world, this.#router] = [world, router];
    [this.#from, this.#sender] = [from.transport, from.peer];
    [this.#to, this.#viewer] = [to.transport, to.peer];
    for (const [index, { mimeType, encodings }] of SENT.entries()) this.#produce(index, mimeType, encodings);
    for (const [index, producer] of this.#producers.entries()) {
      this.#consume(`c${index}`, producer, producer.type, index * 20);
      this.#consume(`p${index}`, producer, 'pipe', index * 20 + 10);
    }
  }

  take(head: number, packet: Uint8Array): void {
    const before = this.#sent;
    switch (head & KIND_MASK) {
      case KINDS.media:
        this.#address(packet, head >>> 2);
        this.#sender.send(packet);
        break;
      case KINDS.fromSender:
        if (packet.length > 0) this.#sender.send(packet);
        break;
      case KINDS.fromViewer:
        if (head >>> 2 !== 0) this.#askFor(packet, (head >>> 2) - 1);
        if (packet.length > 0) this.#viewer.send(packet);
        break;
      default:
        this.#world.run(10 * Math.min(packet.length, 1000));
        break;
    }
    // A repair of many packets may come at once, but no flood.
    if (this.#sent - before > MAX_SENT_PER_RECORD) throw new RangeError(`${this.#sent - before} packets for one`);
    if (this.#world.timers > MAX_TIMERS) throw new RangeError(`${this.#world.timers} timers`);
    this.#lastSent = this.#viewer.rtp.at(-1) ?? this.#lastSent;
    for (const peer of [this.#sender, this.#viewer]) {
      peer.datagrams.length = 0;
      peer.rtp.length = 0;
      peer.rtcp.length = 0;
    }
    this.#world.notifications.length = 0;
  }

  close(): void {
    const nowMs = this.#world.nowMs;
    for (const transport of [this.#from, this.#to]) JSON.stringify([transport.dump(), transport.stats()]);
    for (const producer of this.#producers) JSON.stringify([producer.dump(), producer.stats(nowMs)]);
    JSON.stringify(this.#router.dump());
    this.#router.close();
    if (this.#world.timers > 0) throw new RangeError(`${this.#world.timers} timers are left`);
  }

  get #sent(): number {
    return this.#sender.datagrams.length + this.#viewer.datagrams.length;
  }

  /** Makes it a packet of a producer, of one of its media or RTX streams. */
  #address(packet: Uint8Array, choice: number): void {
    if (packet.length < 12) return;
    const index = choice % SENT.length;
    const isRtx = choice >= 2 * SENT.length;
    packet[0] = 0x80 | (packet[0]! & 0x3f);
    packet[1] = (packet[1]! & 0x80) | (96 + 2 * index + (isRtx ? 1 : 0));
    const ssrc = SENDER_SSRC + 20 * index + (isRtx ? 10 : 0) + (packet[11]! & 1);
    packet.set([0, 0, ssrc >>> 8, ssrc & 0xff], 8);
  }

  /** Makes feedback be about the stream of the last packet a viewer got, and a NACK about it or so many before. */
  #askFor(packet: Uint8Array, before: number): void {
    if (packet.length < 14 || this.#lastSent === undefined) return;
    const { ssrc, sequenceNumber } = this.#lastSent;
    const number = (sequenceNumber - before) & 0xffff;
    packet.set([ssrc >>> 24, ssrc >>> 16, ssrc >>> 8, ssrc, number >>> 8, number & 0xff], 8);
  }

  #produce(index: number, mimeType: string, encodings: readonly RtpEncodingParameters[]): void {
    const kind = mimeType.startsWith('audio') ? 'audio' : 'video';
    const ssrc = SENDER_SSRC + 20 * index;
    const bySsrc = encodings.map((encoding, i) =>
      encoding.rid !== undefined ? encoding : { ...encoding, ssrc: ssrc + i, rtx: { ssrc: ssrc + 10 + i } },
    );
    const codecs = codecsOf(mimeType, 96 + 2 * index);
    this.#producers.push(
      this.#from.produce({
        id: `producer${index}`,
        kind,
        rtpParameters: { ...parametersOf(codecs, bySsrc), mid: `${index}` },
        rtpMapping: {
          codecs: codecs.map(({ payloadType }) => ({ payloadType, mappedPayloadType: payloadType })),
          encodings: bySsrc.map((_, i) => ({ mappedSsrc: MAPPED_SSRC + ssrc + i })),
        },
        enableMediasoupPacketIdHeaderExtension: index % 2 === 1,
      }),
    );
  }

  #consume(id: string, producer: Producer, type: StreamsType, offset: number): void {
    const { kind, rtpParameters, rtpMapping } = producer;
    const consumable = rtpMapping.encodings.map(({ mappedSsrc }, i) => {
      const scalabilityMode = rtpParameters.encodings?.[i]?.scalabilityMode;
      return { ssrc: mappedSsrc, ...(scalabilityMode === undefined ? {} : { scalabilityMode }) };
    });
    const count = type === 'pipe' ? consumable.length : 1;
    const encodings = Array.from({ length: count }, (_, i) => ({
      ssrc: VIEWER_SSRC + offset + i,
      rtx: { ssrc: VIEWER_SSRC + offset + 5 + i },
      ...(consumable[i]!.scalabilityMode === undefined ? {} : { scalabilityMode: consumable[i]!.scalabilityMode }),
    }));
    const parameters = { ...parametersOf(rtpParameters.codecs, encodings), ...(type === 'pipe' ? {} : { mid: id }) };
    const options = { id, kind, type, rtpParameters: parameters, consumableRtpEncodings: consumable };
    this.#to.consume(producer.id, options).trace.enable(['rtp', 'keyframe', 'nack', 'pli', 'fir']);
  }
}

function codecsOf(mimeType: string, payloadType: number): readonly RtpCodecParameters[] {
  if (mimeType.startsWith('audio')) return [{ mimeType, payloadType, clockRate: 48_000, channels: 2 }];
  return [
    { mimeType, payloadType, clockRate: 90_000, rtcpFeedback: FEEDBACK },
    { mimeType: 'video/rtx', payloadType: payloadType + 1, clockRate: 90_000, parameters: { apt: payloadType } },
  ];
}

function parametersOf(
  codecs: readonly RtpCodecParameters[],
  encodings: readonly RtpEncodingParameters[],
): RtpParameters {
  return {
    codecs,
    headerExtensions: URIS.map((uri, index) => ({ uri, id: index + 1 })),
    encodings,
    rtcp: { cname: 'c' },
  };
}
