import type { DatagramSocket, DatagramTarget } from '../../src/io/datagram-socket.ts';
import { nodeClock } from '../../src/io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../src/io/node-crypto.ts';
import { nodeStunCrypto } from '../../src/io/stun-crypto.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import type { DtlsCertificate } from '../../src/protocol/dtls/dtls-certificate.ts';
import { makeIceParameters } from '../../src/protocol/ice/credentials.ts';
import { IceAgent } from '../../src/protocol/ice/ice-agent.ts';
import type { IceTuple } from '../../src/protocol/ice/ice-tuple.ts';
import { packetKindOf } from '../../src/protocol/ice/packet-kind.ts';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { createSecureTransport } from '../../src/server/webrtc/secure-transport.ts';
import { type IceNetworkEvent, WebRtcSession } from '../../src/server/webrtc/webrtc-session.ts';
import type { PersonDescription } from './sfu-protocol.ts';

/** Who a person tells of what came. */
export interface PersonOptions {
  readonly certificate: DtlsCertificate;
  readonly profile: SrtpProfileName;
  readonly onFailure: (reason: string) => void;
  /** RTP as it came, at `[start, end)` of `bytes`, still encrypted. */
  readonly onRtp: (bytes: Uint8Array, start: number, end: number) => void;
}

/**
 * A person of the load: one socket, ICE and DTLS with a worker that is lite. Unlike `WebRtcClient` it leaves it to its
 * owner which media to decrypt: the load has one core, and much more to receive than one browser.
 */
export class SfuPerson {
  readonly session: WebRtcSession<IceTuple>;
  readonly socket: DatagramSocket;
  readonly #agent: IceAgent;
  #target: DatagramTarget | undefined;

  static async open(options: PersonOptions): Promise<SfuPerson> {
    return new SfuPerson(options, await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } }));
  }

  private constructor(options: PersonOptions, socket: DatagramSocket) {
    const { certificate, profile, onFailure, onRtp } = options;
    const random = (sizeBytes: number): Uint8Array => nodeHandshakeCrypto.randomBytes(sizeBytes);
    this.socket = socket;
    this.#agent = new IceAgent({
      parameters: makeIceParameters(random),
      role: 'controlling',
      crypto: nodeStunCrypto,
      random,
    });
    this.session = new WebRtcSession<IceTuple>({
      ice: this.#agent,
      secure: createSecureTransport({ certificate, srtpProfiles: [profile] }),
      clock: nodeClock,
      handlers: {
        onNetwork: (event) => this.#follow(event),
        onDtlsState: (state, error) => {
          if (state === 'failed') onFailure(error?.message ?? 'DTLS failed');
        },
      },
    });
    let tuple: IceTuple | undefined;
    socket.onPacket = (bytes, start, end, { address, port }) => {
      if (packetKindOf(bytes.subarray(start, end)) === 'rtp') {
        onRtp(bytes, start, end);
        return;
      }
      // The worker has one address.
      tuple ??= {
        protocol: 'udp',
        localAddress: socket.address,
        localPort: socket.port,
        remoteAddress: address,
        remotePort: port,
      };
      this.session.receive(bytes.slice(start, end), tuple);
    };
  }

  get isConnected(): boolean {
    return this.session.secure.srtpSender !== undefined;
  }

  /** Where the worker is; known when it is connected. */
  get target(): DatagramTarget {
    return this.#target!;
  }

  connect({ iceParameters, candidates, fingerprint }: PersonDescription): void {
    const { address, port } = this.socket;
    this.session.follow(this.#agent.addBase({ protocol: 'udp', address, port }));
    this.session.follow(this.#agent.setRemoteParameters(iceParameters, nodeClock.nowMs()));
    for (const candidate of candidates) this.session.follow(this.#agent.addRemoteCandidate(candidate));
    this.session.follow(this.#agent.endOfRemoteCandidates());
    const value = Buffer.from(fingerprint.replaceAll(':', ''), 'hex');
    this.session.connect('client', [{ algorithm: 'sha-256', value }]);
  }

  #follow(event: IceNetworkEvent<IceTuple>): void {
    if (event.type !== 'send') return;
    const { remoteAddress, remotePort } = event.tuple;
    this.#target ??= this.socket.target(remoteAddress, remotePort);
    this.socket.send(event.bytes, this.#target);
  }
}
