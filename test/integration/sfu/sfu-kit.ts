/** Routers in virtual time, with peers that are functions: nothing here waits or opens a socket. */
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { isRtcp, parseRtcp, type RtcpPacket } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import type { PacketAddress, PacketQueue } from '../../../src/sfu/ports/packet-port.ts';
import { Router } from '../../../src/sfu/router.ts';
import type { RouterEnvironment } from '../../../src/sfu/router-environment.ts';
import {
  DatagramTransport,
  type DatagramTransportOptions,
  type TransportSocket,
} from '../../../src/sfu/transports/datagram-transport.ts';
import type { RtpMapping, RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { TestWorld, timerOf } from './test-world.ts';

interface Task {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A world whose time goes on when it is told to. */
export class VirtualWorld extends TestWorld {
  nowMs = 10_000;
  readonly #tasks = new Set<Task>();
  readonly clock: RouterEnvironment['clock'] = {
    nowMs: () => this.nowMs,
    timer: (task) =>
      timerOf(
        () => this.nowMs,
        (delayMs, run) => this.#after(delayMs, run),
        task,
      ),
  };

  #after(delayMs: number, run: () => void): () => void {
    const task = { dueMs: this.nowMs + delayMs, run };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  /** Timers set and not yet run. */
  get timers(): number {
    return this.#tasks.size;
  }

  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      let next: Task | undefined;
      for (const task of this.#tasks)
        if (task.dueMs <= endMs && (next === undefined || task.dueMs < next.dueMs)) next = task;
      if (next === undefined) break;
      this.#tasks.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.run();
    }
    this.nowMs = endMs;
  }
}

/** Sends each packet at once to a function. */
export class TestQueue implements PacketQueue {
  readonly bytes: Uint8Array = new Uint8Array(65_536);
  waiting = 0;
  readonly #deliver: (bytes: Uint8Array) => void;

  constructor(deliver: (bytes: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  reserve(sizeBytes: number): number {
    return sizeBytes > this.bytes.length ? -1 : 0;
  }

  put(sizeBytes: number): void {
    this.#deliver(this.bytes.slice(0, sizeBytes));
  }

  flush(): void {
    this.waiting = 0;
  }
}

/** The socket of a transport, of which there is nothing but its queue. */
export function socketOf(queue: TestQueue): TransportSocket {
  return {
    address: '127.0.0.1',
    port: 40_000,
    queue,
    unsent: 0,
    target: (address, port) => ({ address, port }),
    close: () => undefined,
  };
}

/** A far end of RTP: sees what is sent to it, and sends what a test wants. */
export class RtpPeer {
  readonly rtp: RtpPacketView[] = [];
  readonly rtcp: RtcpPacket[] = [];
  readonly datagrams: Uint8Array[] = [];
  /** Packets that get lost on their way here. */
  loses: (view: RtpPacketView) => boolean = () => false;
  onRtcp: (packet: RtcpPacket) => void = () => undefined;
  onRtp: (view: RtpPacketView) => void = () => undefined;
  readonly address: PacketAddress = { address: '192.0.2.1', port: 5004 };
  readonly socket: TransportSocket = socketOf(new TestQueue((bytes) => this.#receive(bytes)));
  transport: DatagramTransport | undefined;

  send(bytes: Uint8Array): void {
    this.transport!.receiveDatagram(bytes, 0, bytes.length, this.address, false);
  }

  #receive(bytes: Uint8Array): void {
    this.datagrams.push(bytes);
    if (isRtcp(bytes)) {
      for (const packet of parseRtcp(bytes, { reducedSize: true }).packets) {
        this.rtcp.push(packet);
        this.onRtcp(packet);
      }
      return;
    }
    const view = new RtpPacketView();
    if (!view.look(bytes) || this.loses(view)) return;
    this.rtp.push(view);
    this.onRtp(view);
  }
}

/** A plain transport with a peer at its end. */
export function plainTransport(
  router: Router,
  id: string,
  options: Partial<DatagramTransportOptions> = {},
): { readonly peer: RtpPeer; readonly transport: DatagramTransport } {
  const peer = new RtpPeer();
  const transport = new DatagramTransport(
    {
      id,
      kind: 'plain',
      socket: peer.socket,
      srtp: { crypto: nodeSrtpCrypto, randomBytes: (size) => new Uint8Array(size).fill(7) },
      sctpCrypto: nodeSctpCrypto,
      ...options,
    },
    router,
  );
  peer.transport = transport;
  return { peer, transport };
}

/** A router in a world of its own. */
export function virtualRouter(): { readonly world: VirtualWorld; readonly router: Router } {
  const world = new VirtualWorld();
  return { world, router: new Router('router', world) };
}

/** A router between a sender and a viewer, both on plain transports that are connected. */
interface ConnectedPair {
  readonly world: VirtualWorld;
  readonly router: Router;
  readonly sender: RtpPeer;
  readonly from: DatagramTransport;
  readonly viewer: RtpPeer;
  readonly to: DatagramTransport;
}

/** A pair in a world of its own, with nothing produced yet. */
export function connectedPair(): ConnectedPair {
  const { world, router } = virtualRouter();
  const { peer: sender, transport: from } = plainTransport(router, 'from');
  const { peer: viewer, transport: to } = plainTransport(router, 'to');
  for (const transport of [from, to]) transport.connect({ ip: '192.0.2.1', port: 5004 });
  return { world, router, sender, from, viewer, to };
}

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
const ORIENTATION = 'urn:3gpp:video-orientation';

const FEEDBACK = [
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
];

/** A sender of VP8 with RTX, by SSRC 1000 and 1001. */
export const VP8_SENDER: RtpParameters = {
  mid: 'v',
  codecs: [
    { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback: FEEDBACK },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
  ],
  headerExtensions: [
    { uri: MID, id: 9 },
    { uri: ORIENTATION, id: 3 },
  ],
  encodings: [{ ssrc: 1000, rtx: { ssrc: 1001 } }],
  rtcp: { cname: 'sender' },
};

export const VP8_MAPPING: RtpMapping = {
  codecs: [
    { payloadType: 96, mappedPayloadType: 101 },
    { payloadType: 97, mappedPayloadType: 102 },
  ],
  encodings: [{ ssrc: 1000, mappedSsrc: 5000 }],
};

/** A viewer of it. */
export const VP8_VIEWER: RtpParameters = {
  mid: '7',
  codecs: [
    { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, rtcpFeedback: FEEDBACK },
    { mimeType: 'video/rtx', payloadType: 102, clockRate: 90_000, parameters: { apt: 101 } },
  ],
  headerExtensions: [
    { uri: MID, id: 1 },
    { uri: ABS_SEND_TIME, id: 4 },
    { uri: ORIENTATION, id: 8 },
  ],
  encodings: [{ ssrc: 7000, rtx: { ssrc: 7001 } }],
  rtcp: { cname: 'sender' },
};

/** Picture of VP8 in one packet. */
export interface Vp8Picture {
  readonly sequenceNumber: number;
  readonly ssrc?: number;
  readonly timestamp?: number;
  readonly isKeyFrame?: boolean;
  readonly pictureId?: number;
  readonly tl0?: number;
  readonly temporalLayer?: number;
  readonly isSync?: boolean;
  readonly mid?: string;
  readonly rid?: string;
  readonly payloadBytes?: number;
}

/** A packet with one picture, as a browser would send it. */
export function vp8Packet(picture: Vp8Picture): Uint8Array {
  const { sequenceNumber, ssrc = 1000, timestamp = sequenceNumber * 3000, isKeyFrame = false } = picture;
  const { pictureId = sequenceNumber & 0x7fff, tl0 = 0, temporalLayer = 0, isSync = false } = picture;
  const payload = new Uint8Array(picture.payloadBytes ?? 100).fill(sequenceNumber);
  const layer = (temporalLayer << 6) | (isSync ? 0x20 : 0);
  payload.set([0x90, 0xe0, 0x80 | (pictureId >>> 8), pictureId, tl0, layer, isKeyFrame ? 0 : 1]);
  const text = (id: number, value: string): { id: number; data: Uint8Array } => ({
    id,
    data: new TextEncoder().encode(value),
  });
  const elements = [
    text(9, picture.mid ?? 'v'),
    { id: 3, data: Uint8Array.of(2) },
    ...(picture.rid === undefined ? [] : [text(10, picture.rid)]),
  ];
  const fields = {
    marker: true,
    payloadType: 96,
    sequenceNumber,
    timestamp: timestamp >>> 0,
    ssrc,
    payload,
    ...writeExtensionElements(elements),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}
