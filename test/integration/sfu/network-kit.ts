/** Routers in virtual time between publishers and viewers at the ends of simulated links. */
import { toAbsSendTime } from '../../../src/protocol/rtp/extensions/abs-send-time.ts';
import { HEADER_EXTENSION_URI } from '../../../src/protocol/rtp/extensions/header-extension-uris.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { ReceptionStatistics } from '../../../src/protocol/rtp/reception-statistics.ts';
import { readNack, writeNack, writePictureLossIndication } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { isRtcp, parseRtcp, type RtcpPacket, writeRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import {
  readReceiverEstimatedBitrate,
  writeReceiverEstimatedBitrate,
} from '../../../src/protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
import { writeReceiverReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import {
  readTransportWideFeedback,
  writeTransportWideFeedback,
} from '../../../src/protocol/rtp/rtcp-transport-wide-feedback.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { ArrivalRecorder } from '../../../src/sfu/bwe/arrival-recorder.ts';
import { ReceiveSideEstimator } from '../../../src/sfu/bwe/receive-side-estimator.ts';
import type { Consumer, ConsumerOptions } from '../../../src/sfu/consumers/consumer.ts';
import type { PacketAddress } from '../../../src/sfu/ports/packet-port.ts';
import type { Producer } from '../../../src/sfu/producer.ts';
import { Router } from '../../../src/sfu/router.ts';
import type { RouterEnvironment } from '../../../src/sfu/router-environment.ts';
import { NackGenerator } from '../../../src/sfu/streams/nack-generator.ts';
import type { DatagramTransport } from '../../../src/sfu/transports/datagram-transport.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { toNtpTime } from '../../../src/wire/ntp-time.ts';
import { type Link, type LinkOptions, SimulatedNetwork } from '../../peers/netem.ts';
import { plainTransport, socketOf, TestQueue } from './sfu-kit.ts';
import { TestWorld, timerOf } from './test-world.ts';

const START_MS = 10_000;
const FRAME_MS = 1000 / 30;
const MTU = 1100;
const MID_ID = 9;
const ABS_SEND_TIME_ID = 4;
const TRANSPORT_WIDE_ID = 5;
const FEEDBACK_MS = 50;
const ADDRESS: PacketAddress = { address: '192.0.2.1', port: 5004 };

/** How a receiver tells the sender what there is room for. */
export type BandwidthFeedback = 'transport-cc' | 'remb' | 'none';

/** A world whose time is that of a simulated network. */
export class NetworkWorld extends TestWorld {
  readonly network: SimulatedNetwork = new SimulatedNetwork();
  readonly router: Router;
  readonly clock: RouterEnvironment['clock'] = {
    nowMs: () => this.network.nowMs,
    timer: (task) =>
      timerOf(
        () => this.network.nowMs,
        (delayMs, run) => this.#after(delayMs, run),
        task,
      ),
  };

  constructor() {
    super();
    this.network.runUntil(START_MS);
    this.router = new Router('router', this);
  }

  #after(delayMs: number, run: () => void): () => void {
    let isOn = true;
    this.network.schedule(delayMs, () => isOn && run());
    return () => {
      isOn = false;
    };
  }
}

/** A transport, and two links to its peer. */
abstract class Peer {
  readonly world: NetworkWorld;
  readonly transport: DatagramTransport;
  readonly rtcp: RtcpPacket[] = [];
  #there: Link;
  #back: Link;

  /** @param initialBps where the estimate of what can be sent begins */
  constructor(world: NetworkWorld, id: string, initialBps?: number) {
    this.world = world;
    this.#there = world.network.link({ seed: 1 });
    this.#back = world.network.link({ seed: 2 });
    const socket = socketOf(new TestQueue((bytes) => this.#there.send(bytes)));
    const initial = initialBps === undefined ? {} : { initialAvailableOutgoingBitrate: initialBps };
    this.transport = plainTransport(world.router, id, { socket, ...initial }).transport;
    this.become({});
    this.transport.connect({ ip: ADDRESS.address, port: ADDRESS.port });
  }

  /** Another path from now on: what the router sends, and what it is sent. */
  become(toPeer: Omit<LinkOptions, 'seed'>, toRouter: Omit<LinkOptions, 'seed'> = {}): void {
    this.#there = this.world.network.link({ delayMs: 20, ...toPeer, seed: 1 });
    this.#back = this.world.network.link({ delayMs: 20, ...toRouter, seed: 2 });
    this.#there.onDatagram = (bytes) => this.#receive(bytes);
    this.#back.onDatagram = (bytes) => this.transport.receiveDatagram(bytes, 0, bytes.length, ADDRESS, false);
  }

  /** What the API calls statistics. */
  get stats(): Readonly<Record<string, number>> {
    return this.transport.stats()[0] as Readonly<Record<string, number>>;
  }

  send(bytes: Uint8Array): void {
    this.#back.send(bytes);
  }

  sendRtcp(write: (out: ByteWriter) => void): void {
    const out = new ByteWriter();
    write(out);
    this.send(out.finish());
  }

  protected abstract onRtp(view: RtpPacketView): void;
  protected abstract onRtcp(packet: RtcpPacket): void;

  protected every(intervalMs: number, run: () => void): void {
    this.world.network.schedule(intervalMs, () => {
      run();
      this.every(intervalMs, run);
    });
  }

  #receive(bytes: Uint8Array): void {
    if (isRtcp(bytes)) {
      for (const packet of parseRtcp(bytes, { reducedSize: true }).packets) {
        this.rtcp.push(packet);
        this.onRtcp(packet);
      }
      return;
    }
    const view = new RtpPacketView();
    if (view.look(bytes)) this.onRtp(view);
  }
}

function parametersOf(
  mid: string,
  encodings: RtpParameters['encodings'],
  feedback: BandwidthFeedback,
  payloadType: number,
): RtpParameters {
  const rtcpFeedback = [
    { type: 'nack', parameter: '' },
    { type: 'nack', parameter: 'pli' },
    ...(feedback === 'transport-cc' ? [{ type: 'transport-cc', parameter: '' }] : []),
    ...(feedback === 'remb' ? [{ type: 'goog-remb', parameter: '' }] : []),
  ];
  const { mid: midUri, absSendTime, transportWideSequenceNumber } = HEADER_EXTENSION_URI;
  return {
    mid,
    codecs: [
      { mimeType: 'video/VP8', payloadType, clockRate: 90_000, rtcpFeedback },
      { mimeType: 'video/rtx', payloadType: payloadType + 1, clockRate: 90_000, parameters: { apt: payloadType } },
    ],
    headerExtensions: [
      { uri: midUri, id: MID_ID },
      ...(feedback === 'transport-cc' ? [{ uri: transportWideSequenceNumber, id: TRANSPORT_WIDE_ID }] : []),
      ...(feedback === 'remb' ? [{ uri: absSendTime, id: ABS_SEND_TIME_ID }] : []),
    ],
    encodings: encodings ?? [],
    rtcp: { cname: mid },
  };
}

/** A camera in several sizes, 30 pictures a second, that sends again what is asked for. */
export class Publisher extends Peer {
  readonly producer: Producer;
  /** Bits a second of each size; 0: nothing is sent. */
  readonly bitrates: number[];
  /** Of the last REMB. */
  rembBps: number | undefined;
  /** Packets that feedback told of, and those of them that did not arrive. */
  told = 0;
  toldLost = 0;
  sent = 0;
  readonly #firstSsrc: number;
  readonly #feedback: BandwidthFeedback;
  readonly #numbers: number[];
  readonly #history = new Map<string, Uint8Array>();
  readonly #wantsKeyFrame = new Set<number>();
  #rtxNumber = 0;
  #transportNumber = 65_000;
  #picture = 0;

  /** @param firstSsrc of the first size; each has one, and the one behind it for RTX */
  constructor(
    world: NetworkWorld,
    id: string,
    firstSsrc: number,
    bitrates: readonly number[],
    feedback: BandwidthFeedback,
  ) {
    super(world, `from-${id}`);
    this.#firstSsrc = firstSsrc;
    this.#feedback = feedback;
    this.bitrates = [...bitrates];
    this.#numbers = bitrates.map(() => 65_500);
    const encodings = bitrates.map((_, i) => ({ ssrc: firstSsrc + 2 * i, rtx: { ssrc: firstSsrc + 2 * i + 1 } }));
    this.producer = this.transport.produce({
      id,
      kind: 'video',
      rtpParameters: parametersOf('v', encodings, feedback, 96),
      rtpMapping: {
        codecs: [
          { payloadType: 96, mappedPayloadType: 101 },
          { payloadType: 97, mappedPayloadType: 102 },
        ],
        encodings: encodings.map((encoding) => ({ ...encoding, mappedSsrc: encoding.ssrc })),
      },
    });
    for (const { ssrc } of encodings) this.#wantsKeyFrame.add(ssrc);
    this.every(FRAME_MS, () => this.#sendPictures());
    this.every(1000, () => this.#sendReports());
  }

  protected onRtp(): void {
    // Nothing is sent to it.
  }

  protected onRtcp(packet: RtcpPacket): void {
    if (packet.type !== 'transport-feedback' && packet.type !== 'payload-feedback') return;
    const remb = readReceiverEstimatedBitrate(packet);
    if (remb !== undefined) this.rembBps = remb.bitrateBps;
    else if (packet.type === 'payload-feedback') this.#wantsKeyFrame.add(packet.mediaSsrc);
    const feedback = readTransportWideFeedback(packet);
    for (const arrivalUs of feedback?.arrivalsUs ?? []) {
      this.told++;
      if (arrivalUs === undefined) this.toldLost++;
    }
    for (const number of readNack(packet) ?? []) this.#sendAgain(packet.mediaSsrc, number);
  }

  #sendPictures(): void {
    const timestamp = Math.round(this.world.network.nowMs * 90) >>> 0;
    this.#picture++;
    for (const [i, bitrate] of this.bitrates.entries()) {
      if (bitrate === 0) continue;
      const ssrc = this.#firstSsrc + 2 * i;
      const isKeyFrame = this.#wantsKeyFrame.delete(ssrc);
      const bytes = Math.round((bitrate / 8000) * FRAME_MS);
      const packets = Math.ceil(bytes / MTU);
      for (let at = 0; at < packets; at++) {
        const payload = new Uint8Array(Math.max(10, Math.floor(bytes / packets)));
        const pictureId = this.#picture & 0x7fff;
        payload.set([
          at === 0 ? 0x90 : 0x80,
          0xc0,
          0x80 | (pictureId >>> 8),
          pictureId,
          0,
          isKeyFrame && at === 0 ? 0 : 1,
        ]);
        const sequenceNumber = this.#numbers[i]!;
        this.#numbers[i] = (sequenceNumber + 1) & 0xffff;
        this.#history.set(`${ssrc} ${sequenceNumber}`, payload);
        this.#sendRtp({ ssrc, payloadType: 96, sequenceNumber, timestamp, marker: at === packets - 1, payload });
      }
    }
  }

  #sendAgain(ssrc: number, number: number): void {
    const payload = this.#history.get(`${ssrc} ${number}`);
    if (payload === undefined) return;
    this.#rtxNumber = (this.#rtxNumber + 1) & 0xffff;
    this.#sendRtp({
      ssrc: ssrc + 1,
      payloadType: 97,
      sequenceNumber: this.#rtxNumber,
      timestamp: 0,
      marker: false,
      payload: Uint8Array.of(number >>> 8, number & 0xff, ...payload),
    });
  }

  #sendRtp(fields: Omit<Parameters<typeof writeRtpPacket>[0], 'profile'>): void {
    const number = this.#transportNumber;
    this.#transportNumber = (number + 1) & 0xffff;
    const ticks = toAbsSendTime(this.world.network.nowMs * 1000);
    const elements = [
      { id: MID_ID, data: new TextEncoder().encode('v') },
      ...(this.#feedback === 'transport-cc'
        ? [{ id: TRANSPORT_WIDE_ID, data: Uint8Array.of(number >>> 8, number) }]
        : []),
      ...(this.#feedback === 'remb'
        ? [{ id: ABS_SEND_TIME_ID, data: Uint8Array.of(ticks >>> 16, ticks >>> 8, ticks) }]
        : []),
    ];
    const packet = { ...fields, ...writeExtensionElements(elements) };
    const bytes = new Uint8Array(rtpPacketSize(packet));
    writeRtpPacket(packet, bytes);
    this.sent++;
    this.send(bytes);
  }

  #sendReports(): void {
    const now = toNtpTime(this.world.unixMs());
    const rtpTimestamp = Math.round(this.world.network.nowMs * 90) >>> 0;
    for (const i of this.bitrates.keys()) {
      const report = { ssrc: this.#firstSsrc + 2 * i, rtpTimestamp, packetCount: 0, octetCount: 0, reports: [] };
      this.sendRtcp((out) => writeRtcp({ type: 'sender-report', ...now, ...report }, out));
    }
  }
}

/** One stream as a viewer sees it. */
interface SeenStream {
  readonly reception: ReceptionStatistics;
  readonly nack: NackGenerator;
  /** Numbers of packets, as they came or were restored. */
  readonly numbers: Set<number>;
  bytes: number;
}

/** Sees what it is sent, and tells about it. */
export class Viewer extends Peer {
  /** Whether it asks for what is missing. */
  asksAgain = true;
  /** By SSRC. */
  readonly streams = new Map<number, SeenStream>();
  receivedBytes = 0;
  readonly #feedback: BandwidthFeedback;
  readonly #recorder = new ArrivalRecorder({ intervalMs: FEEDBACK_MS });
  readonly #estimator = new ReceiveSideEstimator();
  #nextSsrc = 7000;

  constructor(world: NetworkWorld, id: string, feedback: BandwidthFeedback, initialBps?: number) {
    super(world, id, initialBps);
    this.#feedback = feedback;
    this.every(5, () => this.#tell());
    this.every(1000, () => this.#report());
  }

  /** Consumes what a publisher sends. @param id of the consumer */
  watch({ producer }: Publisher, id: string, options: Partial<ConsumerOptions> = {}): Consumer {
    const ssrc = this.#nextSsrc;
    this.#nextSsrc += 10;
    const reception = new ReceptionStatistics(ssrc, 90_000);
    this.streams.set(ssrc, { reception, nack: new NackGenerator(), numbers: new Set(), bytes: 0 });
    return this.transport.consume(producer.id, {
      id,
      kind: 'video',
      type: producer.type,
      rtpParameters: parametersOf(id, [{ ssrc, rtx: { ssrc: ssrc + 1 } }], this.#feedback, 101),
      consumableRtpEncodings: producer.rtpMapping.encodings.map(({ mappedSsrc }) => ({ ssrc: mappedSsrc })),
      ...options,
    });
  }

  /** Stream by stream in the order they were consumed in. */
  get seen(): readonly SeenStream[] {
    return [...this.streams.values()];
  }

  protected onRtp(view: RtpPacketView): void {
    const { nowMs } = this.world.network;
    this.receivedBytes += view.end - view.start;
    const at = view.findElement(this.#feedback === 'remb' ? ABS_SEND_TIME_ID : TRANSPORT_WIDE_ID);
    if (at >= 0 && this.#feedback === 'remb') {
      const ticks = (view.bytes[at]! << 16) | (view.bytes[at + 1]! << 8) | view.bytes[at + 2]!;
      this.#estimator.onPacket(ticks, nowMs * 1000, view.end - view.start);
    } else if (at >= 0) {
      this.#recorder.onPacket((view.bytes[at]! << 8) | view.bytes[at + 1]!, Math.round(nowMs * 1000));
    }
    const isRtx = view.payloadType === 102;
    const stream = this.streams.get(isRtx ? view.ssrc - 1 : view.ssrc);
    if (stream === undefined) return;
    const { bytes, payloadStart } = view;
    const number = isRtx ? (bytes[payloadStart]! << 8) | bytes[payloadStart + 1]! : view.sequenceNumber;
    if (!isRtx) stream.reception.receive(number, view.timestamp, nowMs);
    stream.nack.receive(number, nowMs);
    stream.numbers.add(number);
    stream.bytes += view.end - view.start;
  }

  protected onRtcp(): void {
    // What it is told it does not need.
  }

  /** Feedback of packets and requests for those that are missing, when they are due. */
  #tell(): void {
    const { nowMs } = this.world.network;
    if (this.#feedback === 'transport-cc') {
      for (const feedback of this.#recorder.takeFeedback(nowMs)) {
        this.sendRtcp((out) => writeTransportWideFeedback({ senderSsrc: 1, mediaSsrc: 7000 }, feedback, out));
      }
    }
    const rembBps = this.#feedback === 'remb' ? this.#estimator.takeRemb(nowMs) : undefined;
    if (rembBps !== undefined) {
      const ssrcs = [...this.streams.keys()];
      this.sendRtcp((out) => writeReceiverEstimatedBitrate(1, { bitrateBps: rembBps, ssrcs }, out));
    }
    if (!this.asksAgain) return;
    for (const [mediaSsrc, { nack }] of this.streams) {
      const missing = nack.take(nowMs);
      if (missing.length > 0) this.sendRtcp((out) => writeNack({ senderSsrc: 1, mediaSsrc }, missing, out));
      if (nack.takeKeyFrameWish()) {
        this.sendRtcp((out) => writePictureLossIndication({ senderSsrc: 1, mediaSsrc }, out));
      }
    }
  }

  #report(): void {
    for (const { reception } of this.streams.values()) {
      const block = reception.takeReportBlock(this.world.network.nowMs);
      if (block !== undefined) this.sendRtcp((out) => writeReceiverReport({ ssrc: 1, reports: [block] }, out));
    }
  }
}
