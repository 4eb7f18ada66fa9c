/** A peer that says over one UDP socket exactly what a test tells it to. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { type DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import type { CertificateFingerprint } from '../../../src/protocol/dtls/fingerprint.ts';
import type { IceParameters } from '../../../src/protocol/ice/credentials.ts';
import { packetKindOf } from '../../../src/protocol/ice/packet-kind.ts';
import { StunAttribute } from '../../../src/protocol/stun/stun-attributes.ts';
import { BINDING_METHOD, parseStunMessage, StunClass } from '../../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../../src/protocol/stun/stun-writer.ts';
import { certificateOf } from './dtls-kit.ts';

export const HOST = '127.0.0.1';

/** A check as browsers send them, to whoever has these parameters. */
export function writeCheck({ usernameFragment, password }: IceParameters): Uint8Array {
  return new StunWriter(StunClass.request, BINDING_METHOD, nodeDtlsCrypto.randomBytes(12))
    .text(StunAttribute.username, `${usernameFragment}:theirs`)
    .u32(StunAttribute.priority, 1_845_501_695)
    .u64(StunAttribute.iceControlling, 7n)
    .flag(StunAttribute.useCandidate)
    .messageIntegrity(nodeStunCrypto.importKey(new TextEncoder().encode(password)))
    .fingerprint()
    .finish();
}

export class RawPeer {
  readonly #socket: Socket;
  readonly #port: number;
  #waiting: { readonly isIt: (bytes: Uint8Array) => boolean; readonly found: (bytes: Uint8Array) => void }[] = [];
  /** Records of DTLS that came, in datagrams. */
  dtls: Uint8Array[] = [];
  /** Takes DTLS instead of `dtls`. */
  session: DtlsSession | undefined;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => this.#receive(bytes));
  }

  /** @param port where it sends to */
  static async open(port: number): Promise<RawPeer> {
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    return new RawPeer(socket, port);
  }

  #receive(bytes: Uint8Array): void {
    for (const waiter of this.#waiting.filter(({ isIt }) => isIt(bytes))) {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      waiter.found(bytes);
    }
    if (packetKindOf(bytes) !== 'dtls') return;
    if (this.session === undefined) this.dtls.push(bytes);
    else this.#follow(this.session.receive(bytes, performance.now()));
  }

  #follow(events: readonly DtlsEvent[]): void {
    for (const event of events) if (event.type === 'send') this.send(event.bytes);
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#port, HOST);
  }

  /** The next datagram of that kind. */
  next(isIt: (bytes: Uint8Array) => boolean): Promise<Uint8Array> {
    return new Promise((found) => this.#waiting.push({ isIt, found }));
  }

  /** Sends a check; gives the class of what is answered. */
  async check(parameters: IceParameters): Promise<StunClass> {
    const answer = this.next((bytes) => packetKindOf(bytes) === 'stun');
    this.send(writeCheck(parameters));
    return parseStunMessage(await answer)!.messageClass;
  }

  /** Begins a handshake as the client. */
  startDtls(fingerprint: CertificateFingerprint): void {
    this.session = new DtlsSession({
      role: 'client',
      crypto: nodeDtlsCrypto,
      certificate: certificateOf('ecdsa-p256', 'raw peer'),
      expectedFingerprints: [fingerprint],
      srtpProfiles: [7],
    });
    this.#follow(this.session.start(performance.now()));
  }

  /** The first flight of a client that says nothing afterwards. */
  sendHello(fingerprint: CertificateFingerprint): void {
    this.startDtls(fingerprint);
    this.session = undefined;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
