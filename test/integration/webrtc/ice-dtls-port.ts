/** Our side for a page of Chromium: a UDP port with an agent that answers checks, and a session of DTLS behind it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import type { DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import type { CertificateFingerprint } from '../../../src/protocol/dtls/fingerprint.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { fromHexadecimal, toHexadecimal } from '../../../src/wire/hexadecimal.ts';

const HOST = '127.0.0.1';

export interface IceDtlsHandlers {
  /** What DTLS tells besides datagrams. */
  readonly onEvent: (event: Exclude<DtlsEvent, { readonly type: 'send' }>) => void;
  /** A datagram of DTLS, before the session gets it. */
  readonly onDatagram?: (bytes: Uint8Array) => void;
}

export class IceDtlsPort {
  readonly session: DtlsSession;
  readonly #parameters = makeIceParameters((sizeBytes) => nodeDtlsCrypto.randomBytes(sizeBytes));
  readonly #agent = new IceLiteAgent<IceTuple>({ parameters: this.#parameters, crypto: nodeStunCrypto });
  readonly #socket: Socket = createSocket('udp4');
  readonly #handlers: IceDtlsHandlers;
  #remote: IceTuple | undefined;
  /** What is to be sent once there is a path. */
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(session: DtlsSession, handlers: IceDtlsHandlers) {
    this.session = session;
    this.#handlers = handlers;
    this.#socket.on('message', (bytes, { address: remoteAddress, port: remotePort }) => {
      const local = { protocol: 'udp', localAddress: HOST, localPort: this.#socket.address().port } as const;
      if (bytes[0]! < 4) this.#check(bytes, { ...local, remoteAddress, remotePort });
      else this.#receive(bytes);
    });
  }

  /** Listens, and begins the handshake with whoever comes. */
  async start(fingerprint: CertificateFingerprint): Promise<void> {
    this.#socket.bind(0, HOST);
    await once(this.#socket, 'listening');
    this.handle(this.session.setRemoteFingerprints([fingerprint]));
    this.handle(this.session.start(performance.now()));
  }

  /** The lines of a description that say how to come here. */
  describe(setup: 'active' | 'passive', fingerprint: CertificateFingerprint): readonly string[] {
    const { usernameFragment, password } = this.#parameters;
    const digits = toHexadecimal(fingerprint.value).toUpperCase();
    return [
      `c=IN IP4 ${HOST}`,
      `a=ice-ufrag:${usernameFragment}`,
      `a=ice-pwd:${password}`,
      `a=fingerprint:${fingerprint.algorithm} ${digits.replaceAll(/..(?!$)/g, '$&:')}`,
      `a=setup:${setup}`,
      `a=candidate:1 1 udp 2130706431 ${HOST} ${this.#socket.address().port} typ host`,
      'a=end-of-candidates',
    ];
  }

  /** Does what the session says. */
  handle(events: readonly DtlsEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.#waiting.push(event.bytes);
      else this.#handlers.onEvent(event);
    }
    this.#flush();
    clearTimeout(this.#timer);
    const atMs = this.session.nextTimeoutMs();
    if (atMs === undefined || this.#isClosed) return;
    const run = (): void => this.handle(this.session.handleTimeout(performance.now()));
    this.#timer = setTimeout(run, Math.max(0, atMs - performance.now()));
  }

  async close(): Promise<void> {
    this.handle(this.session.close());
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #check(bytes: Uint8Array, tuple: IceTuple): void {
    for (const event of this.#agent.receive(bytes, tuple, performance.now())) {
      if (event.type === 'send') this.#socket.send(event.bytes, tuple.remotePort, tuple.remoteAddress);
    }
    this.#remote = this.#agent.selectedTuple;
    this.#flush();
  }

  #receive(bytes: Uint8Array): void {
    this.#handlers.onDatagram?.(bytes);
    this.handle(this.session.receive(bytes, performance.now()));
  }

  #flush(): void {
    if (this.#remote === undefined || this.#isClosed) return;
    const { remotePort, remoteAddress } = this.#remote;
    for (const bytes of this.#waiting.splice(0)) this.#socket.send(bytes, remotePort, remoteAddress);
  }
}

/** The fingerprint in a description. */
export function fingerprintOf(sdp: string): CertificateFingerprint {
  const [, digits] = /a=fingerprint:sha-256 (\S+)/.exec(sdp)!;
  return { algorithm: 'sha-256', value: fromHexadecimal(digits!.replaceAll(':', ''))! };
}

/** The first lines of a description of ours. */
export const SDP_HEAD: readonly string[] = ['v=0', `o=- 1 1 IN IP4 ${HOST}`, 's=-', 't=0 0', 'a=ice-lite'];
