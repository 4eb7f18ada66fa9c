import type { DatagramSocket } from '../../../src/io/datagram-socket.ts';
import { openUdpPortPair, type UdpPortPair } from '../../../src/io/udp-port-pair.ts';
import {
  RtspDelegateServer,
  type RtspRequest,
  writeInterleavedFrame,
} from '../../../src/server/delegate/rtsp-entry.ts';

export interface CameraOptions {
  /** Lines of the media section of its back channel; without them it has none, and refuses to be asked for it. */
  readonly back?: readonly string[];
  /** Answer to SETUP of the back channel, when it is refused. */
  readonly refusal?: number;
}

/** PCMU both ways. */
export const PCMU_BACK: readonly string[] = ['m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];

const REQUIRED = 'www.onvif.org/ver20/backchannel';
const PACKET_MS = 20;

/** A camera as ONVIF has it: sends sound, and takes some by its back channel. There is no picture. */
export class ScriptedCamera {
  /** RTP and RTCP that came by the back channel. */
  readonly rtp: Uint8Array[] = [];
  readonly rtcp: Uint8Array[] = [];
  /** What was asked, with a `+` where the back channel was required. */
  readonly requests: string[] = [];
  readonly #options: CameraOptions;
  #server: RtspDelegateServer | undefined;
  readonly #pairs: UdpPortPair[] = [];
  /** Channel of RTP of the back channel. */
  #backChannel: number | undefined;
  #send: ((packet: Uint8Array) => void) | undefined;
  #connection = 0;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;

  private constructor(options: CameraOptions) {
    this.#options = options;
  }

  static async start(options: CameraOptions): Promise<ScriptedCamera> {
    const camera = new ScriptedCamera(options);
    camera.#server = await RtspDelegateServer.listen({
      address: '127.0.0.1:0',
      delegate: {
        onConnect: (id) => {
          camera.#connection = id;
        },
        onRequest: (id, request) => camera.#answer(id, request),
        onInterleaved: (_, channel, payload) => {
          if (channel === camera.#backChannel) camera.rtp.push(payload.slice());
          else if (channel === (camera.#backChannel ?? Number.NaN) + 1) camera.rtcp.push(payload.slice());
        },
        onClose: () => camera.#stop(),
      },
    });
    return camera;
  }

  get port(): number {
    return this.#server!.ports[0]!;
  }

  /** Loses its client. */
  cut(): void {
    this.#server!.close(this.#connection);
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#server!.close();
    await Promise.all(this.#pairs.map((pair) => pair.close()));
  }

  async #answer(id: number, request: RtspRequest): Promise<void> {
    const { method, headers, url } = request;
    const server = this.#server!;
    const isRequired = headers.get('Require') === REQUIRED;
    this.requests.push(method + (isRequired ? '+' : ''));
    const { back, refusal } = this.#options;
    const isBack = url.endsWith('/back');
    if (isRequired && back === undefined) {
      server.send(id, { statusCode: 551, headers: { Unsupported: REQUIRED } });
    } else if (method === 'DESCRIBE') {
      server.send(id, { statusCode: 200, headers: { 'Content-Type': 'application/sdp' }, body: this.#sdp(isRequired) });
    } else if (method === 'SETUP' && isBack && refusal !== undefined) {
      server.send(id, { statusCode: refusal });
    } else if (method === 'SETUP') {
      const Transport = await this.#setUp(id, headers.get('Transport')!, isBack);
      server.send(id, { statusCode: 200, headers: { Session: '1', Transport } });
    } else {
      server.send(id, { statusCode: 200, headers: { Session: '1' } });
      if (method === 'PLAY') this.#timer ??= setInterval(() => this.#send!(this.#packet()), PACKET_MS);
    }
  }

  #sdp(hasBack: boolean): string {
    const own = ['m=audio 0 RTP/AVP 0', 'a=control:own', 'a=recvonly'];
    const back = hasBack ? [...this.#options.back!, 'a=control:back', 'a=sendonly'] : [];
    return `${['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=camera', 't=0 0', ...own, ...back].join('\r\n')}\r\n`;
  }

  async #setUp(id: number, transport: string, isBack: boolean): Promise<string> {
    const channel = /interleaved=(\d+)/.exec(transport)?.[1];
    if (channel !== undefined) {
      if (isBack) this.#backChannel = Number(channel);
      else this.#send = (packet) => this.#server!.sendRaw(id, writeInterleavedFrame(Number(channel), packet));
      return transport;
    }
    const pair = await openPair();
    this.#pairs.push(pair);
    if (isBack) {
      pair.rtp.onMessage = (bytes) => this.rtp.push(bytes);
      pair.rtcp.onMessage = (bytes) => this.rtcp.push(bytes);
    } else {
      const target = pair.rtp.target('127.0.0.1', Number(/client_port=(\d+)/.exec(transport)![1]));
      this.#send = (packet) => (pair.rtp satisfies DatagramSocket).send(packet, target);
    }
    return `${transport};server_port=${pair.rtp.port}-${pair.rtcp.port}`;
  }

  #packet(): Uint8Array {
    const packet = new Uint8Array(172).fill(0xff);
    const view = new DataView(packet.buffer);
    const sequence = this.#sequence++;
    packet.set([0x80, 0]);
    view.setUint16(2, sequence & 0xffff);
    view.setUint32(4, sequence * 160);
    view.setUint32(8, 7);
    return packet;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#backChannel = undefined;
  }
}

async function openPair(): Promise<UdpPortPair> {
  for (;;) {
    const port = 25_000 + 2 * Math.floor(Math.random() * 2_000);
    try {
      return await openUdpPortPair(port, { host: '127.0.0.1' });
    } catch {
      // Another test has it.
    }
  }
}
