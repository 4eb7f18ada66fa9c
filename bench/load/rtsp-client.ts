import type { MessageSink } from './message-sink.ts';
import { RtpTrack } from './rtp-track.ts';
import { openUdpPorts, type UdpPortPair } from './udp-ports.ts';

const DOLLAR = 0x24;
const FRAME_HEADER_SIZE = 4;
/** Longest interleaved packet and longest answer; both servers stay far below. */
const MAX_MESSAGE_SIZE = 16_384;

/** What an RTSP load client needs to know. */
export interface RtspClientOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly udp: boolean;
}

/** How an RTSP load client talks to its owner. */
export interface RtspClientEvents {
  send(text: string): void;
  failed(reason: string): void;
  /** A datagram is about to be taken apart. */
  arrived(): void;
  /** Frames, as if they were FLV tags. */
  readonly media: MessageSink;
}

interface Section {
  readonly kind: 'video' | 'audio';
  readonly control: string;
  readonly clockRate: number;
}

/** The video and audio sections of a session description, with their control URLs made absolute. */
function readSections(description: string, base: string): Section[] {
  const out: Section[] = [];
  for (const part of description.split(/^m=/m).slice(1)) {
    const kind = /^(video|audio) /.exec(part)?.[1];
    const control = /^a=control:(\S+)/m.exec(part)?.[1] ?? '';
    const clockRate = Number(/^a=rtpmap:\d+ [^/\s]+\/(\d+)/m.exec(part)?.[1]);
    if (kind !== 'video' && kind !== 'audio') continue;
    out.push({ kind, clockRate, control: control.startsWith('rtsp:') ? control : base.replace(/\/?$/, '/') + control });
  }
  return out;
}

/**
 * The client side of one RTSP session, as far as load generation needs it: DESCRIBE, SETUP of video and audio, PLAY, and
 * OPTIONS now and then to keep it alive. It sends no receiver reports and does not check what it need not check.
 */
export class RtspClient {
  readonly #options: RtspClientOptions;
  readonly #events: RtspClientEvents;
  readonly #url: string;
  /** What came of a message that is not complete yet. */
  readonly #carry = new Uint8Array(MAX_MESSAGE_SIZE);
  #have = 0;
  /** Length of the answer in `#carry`, once its head is complete. */
  #answerSize = 0;
  readonly #tracks: RtpTrack[] = [];
  readonly #ports: UdpPortPair[] = [];
  #sections: readonly Section[] = [];
  #answers = 0;
  #sequence = 0;
  #session = '';
  #playing = false;

  constructor(options: RtspClientOptions, events: RtspClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#url = `rtsp://${options.host}:${options.port}/${options.path}`;
  }

  /** To be called once the connection is up. */
  start(): void {
    this.#request('DESCRIBE', this.#url, 'Accept: application/sdp\r\n');
  }

  /** To be called more often than the session times out. */
  keepAlive(): void {
    if (this.#playing) this.#request('OPTIONS', this.#url, '');
  }

  close(): void {
    for (const pair of this.#ports) pair.close();
  }

  /** RTP packets of all tracks. */
  get packets(): number {
    return this.#tracks.reduce((sum, track) => sum + track.packets, 0);
  }

  /** Missing RTP packets of all tracks. */
  get lost(): number {
    return this.#tracks.reduce((sum, track) => sum + track.lost, 0);
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#have === 0 && bytes[at] === DOLLAR && end - at >= FRAME_HEADER_SIZE) {
        const size = FRAME_HEADER_SIZE + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
        if (at + size <= end) {
          this.#frame(bytes, at, size);
          at += size;
          continue;
        }
      }
      at += this.#keep(bytes, at, end);
    }
  }

  /** Takes bytes of an incomplete message; returns how many. */
  #keep(bytes: Uint8Array, at: number, end: number): number {
    const carry = this.#carry;
    if (carry[0] === DOLLAR && this.#have >= FRAME_HEADER_SIZE) {
      const size = FRAME_HEADER_SIZE + ((carry[2]! << 8) | carry[3]!);
      if (size > MAX_MESSAGE_SIZE) this.#events.failed(`an interleaved packet of ${size} bytes`);
      const count = Math.min(size - this.#have, end - at);
      carry.set(bytes.subarray(at, at + count), this.#have);
      this.#have += count;
      if (this.#have === size) {
        this.#have = 0;
        this.#frame(carry, 0, size);
      }
      return count;
    }
    carry[this.#have++] = bytes[at]!;
    if (carry[0] !== DOLLAR) this.#answerByte();
    return 1;
  }

  #frame(bytes: Uint8Array, at: number, size: number): void {
    const channel = bytes[at + 1]!;
    if ((channel & 1) === 0)
      this.#tracks[channel >> 1]?.packet(bytes, at + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE);
  }

  #answerByte(): void {
    const carry = this.#carry;
    if (this.#answerSize === 0 && carry[this.#have - 1] === 0x0a && carry[this.#have - 3] === 0x0a) {
      const head = String.fromCharCode(...carry.subarray(0, this.#have));
      this.#answerSize = this.#have + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    }
    if (this.#have === this.#answerSize) {
      const text = String.fromCharCode(...carry.subarray(0, this.#have));
      this.#have = 0;
      this.#answerSize = 0;
      this.#answer(text);
    } else if (this.#have === MAX_MESSAGE_SIZE) {
      this.#have = 0;
      this.#events.failed('the server sent something that is no RTSP answer');
    }
  }

  #answer(text: string): void {
    if (!text.startsWith('RTSP/1.0 200')) {
      this.#events.failed(text.slice(0, text.indexOf('\r\n')));
      return;
    }
    if (this.#playing) return;
    if (this.#answers === 0) {
      const base = /\r\ncontent-base: *(\S+)/i.exec(text)?.[1] ?? this.#url;
      this.#sections = readSections(text.slice(text.indexOf('\r\n\r\n') + 4), base);
    }
    this.#session = /\r\nsession: *([^;\s]+)/i.exec(text)?.[1] ?? this.#session;
    const section = this.#sections[this.#answers++];
    if (section !== undefined) {
      this.#setup(section).catch((error: unknown) => this.#events.failed(String(error)));
      return;
    }
    this.#playing = true;
    this.#request('PLAY', this.#url, 'Range: npt=0.000-\r\n');
  }

  async #setup(section: Section): Promise<void> {
    const track = new RtpTrack(section.kind, section.clockRate, this.#events.media);
    const channel = this.#tracks.push(track) * 2 - 2;
    let transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
    if (this.#options.udp) {
      const pair = await openUdpPorts(this.#options.host, (bytes) => {
        this.#events.arrived();
        track.packet(bytes, 0, bytes.length);
      });
      this.#ports.push(pair);
      transport = `RTP/AVP;unicast;client_port=${pair.port}-${pair.port + 1}`;
    }
    this.#request('SETUP', section.control, `Transport: ${transport}\r\n`);
  }

  #request(method: string, url: string, headers: string): void {
    const session = this.#session === '' ? '' : `Session: ${this.#session}\r\n`;
    this.#events.send(
      `${method} ${url} RTSP/1.0\r\nCSeq: ${++this.#sequence}\r\nUser-Agent: load\r\n${session}${headers}\r\n`,
    );
  }
}
