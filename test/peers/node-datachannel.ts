/** A peer of libdatachannel, run by `ChildPeer`. Media are RTP packets made here; what comes back is compared. */
import {
  Audio,
  PeerConnection,
  RtcpReceivingSession,
  RtcpSrReporter,
  RtpPacketizationConfig,
  Video,
} from 'node-datachannel';
import { servePeer } from './webrtc-child.ts';
import type { OfferOptions, WebRtcPeer, WebRtcPeerReport } from './webrtc-peer.ts';

const AUDIO = { ssrc: 1001, payloadType: 111, intervalMs: 20, payloadBytes: 120 };
const VIDEO = { ssrc: 1002, payloadType: 96, intervalMs: 5, payloadBytes: 1050 };
/** Packets for one request of a key frame, and one of so many bits a second: there are no frames that would make them. */
const FEEDBACK_EACH = 40;
const FEEDBACK_BPS = 1_500_000;
const SEQUENCE_START = 65_500;

type Connection = InstanceType<typeof PeerConnection>;
type Channel = ReturnType<Connection['createDataChannel']>;
type Track = ReturnType<Connection['addTrack']>;

/** A stream of made-up RTP, past the wrap of its numbers, and how much of it came back. */
class Stream {
  returned = 0;
  #hasRtcp = false;
  readonly #track: Track;
  readonly #options: typeof AUDIO;
  #sequenceNumber = SEQUENCE_START;
  #timer: NodeJS.Timeout | undefined;

  constructor(track: Track, options: typeof AUDIO) {
    this.#track = track;
    this.#options = options;
    track.onOpen(() => {
      this.#timer ??= setInterval(() => this.#send(), options.intervalMs);
    });
    track.onClosed(() => clearInterval(this.#timer));
    track.onMessage((packet) => this.#take(packet));
  }

  /** Reports, and requests for bits and key frames. */
  startRtcp(): void {
    const { ssrc, payloadType } = this.#options;
    const reporter = new RtcpSrReporter(new RtpPacketizationConfig(ssrc, 'peer', payloadType, 48_000));
    reporter.addToChain(new RtcpReceivingSession());
    this.#track.setMediaHandler(reporter);
    this.#hasRtcp = true;
  }

  #packet(sequenceNumber: number, ssrc: number): Buffer {
    const packet = Buffer.alloc(12 + this.#options.payloadBytes, sequenceNumber & 0xff);
    packet[0] = 0x80;
    packet[1] = this.#options.payloadType;
    packet.writeUInt16BE(sequenceNumber & 0xffff, 2);
    packet.writeUInt32BE((sequenceNumber * 960) >>> 0, 4);
    packet.writeUInt32BE(ssrc, 8);
    return packet;
  }

  #send(): void {
    if (this.#track.isOpen()) this.#track.sendMessageBinary(this.#packet(this.#sequenceNumber++, this.#options.ssrc));
  }

  #take(packet: Buffer): void {
    if (packet.length < 12 || (packet[1]! & 0x7f) !== this.#options.payloadType) return;
    const low = packet.readUInt16BE(2);
    const sequenceNumber = low < SEQUENCE_START ? low + 65_536 : low;
    const ssrc = packet.readUInt32BE(8);
    if (ssrc !== this.#options.ssrc && packet.equals(this.#packet(sequenceNumber, ssrc))) this.returned++;
    if (!this.#hasRtcp || this.returned % FEEDBACK_EACH !== 1) return;
    this.#track.requestKeyframe();
    this.#track.requestBitrate(FEEDBACK_BPS);
  }
}

class LibDataChannelPeer implements Omit<WebRtcPeer, 'close'> {
  readonly #connection: Connection = new PeerConnection('peer', {
    iceServers: [],
    enableIceTcp: true,
    disableAutoNegotiation: true,
  });
  readonly #channels: Channel[] = [];
  #audio: Stream | undefined;
  #video: Stream | undefined;
  #echoedBytes = 0;

  constructor() {
    this.#connection.onDataChannel((channel) => this.#addChannel(channel));
    this.#connection.onTrack((track) => this.#addTrack(track));
  }

  async offer({ dataOnly = false, withRtcp = false }: OfferOptions): Promise<string> {
    if (!dataOnly) {
      const audio = new Audio('audio', 'SendRecv');
      audio.addOpusCodec(AUDIO.payloadType);
      audio.addSSRC(AUDIO.ssrc, 'peer', 'peer', 'audio');
      const video = new Video('video', 'SendRecv');
      video.addVP8Codec(VIDEO.payloadType);
      video.addSSRC(VIDEO.ssrc, 'peer', 'peer', 'video');
      this.#audio = new Stream(this.#connection.addTrack(audio), AUDIO);
      this.#video = new Stream(this.#connection.addTrack(video), VIDEO);
      if (withRtcp) for (const stream of [this.#audio, this.#video]) stream.startRtcp();
    }
    this.#addChannel(this.#connection.createDataChannel('ordered'));
    this.#addChannel(this.#connection.createDataChannel('unordered', { unordered: true }));
    return this.#describe('offer');
  }

  async answer(sdp: string): Promise<string> {
    this.#connection.setRemoteDescription(sdp, 'offer');
    return this.#describe('answer');
  }

  async accept(answer: string): Promise<void> {
    this.#connection.setRemoteDescription(answer, 'answer');
  }

  async restart(): Promise<string> {
    throw new RangeError('libdatachannel restarts nothing by itself');
  }

  async report(): Promise<WebRtcPeerReport> {
    return {
      connection: this.#connection.state(),
      channels: this.#channels.filter((channel) => channel.isOpen()).length,
      audio: this.#audio?.returned ?? 0,
      video: this.#video?.returned ?? 0,
      echoedBytes: this.#echoedBytes,
      keyFrameRequests: 0,
    };
  }

  async hangUp(): Promise<void> {
    this.#connection.close();
  }

  async #describe(type: 'offer' | 'answer'): Promise<string> {
    const gathered = new Promise<void>((resolve) => {
      this.#connection.onGatheringStateChange((state) => {
        if (state === 'complete') resolve();
      });
    });
    this.#connection.setLocalDescription(type);
    await gathered;
    return this.#connection.localDescription()!.sdp;
  }

  #addTrack(track: Track): void {
    if (track.type() === 'audio') this.#audio = new Stream(track, AUDIO);
    else this.#video = new Stream(track, VIDEO);
  }

  #addChannel(channel: Channel): void {
    this.#channels.push(channel);
    channel.onMessage((message) => {
      this.#echoedBytes += typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength;
      if (typeof message === 'string') channel.sendMessage(message);
      else channel.sendMessageBinary(new Uint8Array(message as Buffer));
    });
  }
}

servePeer(new LibDataChannelPeer());
