/** Certificates, sessions and simulated links for the tests of DTLS. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDtlsCertificatePem } from '../../../src/io/dtls-certificate-pem.ts';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import type { DtlsCertificate } from '../../../src/protocol/dtls/dtls-certificate.ts';
import type { DtlsOptions } from '../../../src/protocol/dtls/dtls-options.ts';
import { type DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { createSelfSignedCertificate } from '../../../src/protocol/dtls/self-signed-certificate.ts';
import { type Link, type LinkOptions, MachinePeer, SimulatedNetwork } from '../../peers/netem.ts';

export type CertificateKind = 'ecdsa-p256' | 'rsa';

const NEW_KEY: Readonly<Record<CertificateKind, readonly string[]>> = {
  'ecdsa-p256': ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['rsa:2048'],
};

/** Certificate and key as one PEM text, made by openssl. */
export function makePem(kind: CertificateKind, newKey: readonly string[] = NEW_KEY[kind]): string {
  const folder = mkdtempSync(join(tmpdir(), 'dtls-key-'));
  const key = join(folder, 'key.pem');
  const args = ['-x509', '-newkey', ...newKey, '-nodes', '-days', '1', '-subj', '/CN=peer', '-keyout', key];
  const certificate = execFileSync('openssl', ['req', ...args], { stdio: 'pipe', encoding: 'utf8' });
  const pem = certificate + readFileSync(key, 'utf8');
  rmSync(folder, { recursive: true });
  return pem;
}

export function parsePem(pem: string): DtlsCertificate {
  return parseDtlsCertificatePem({
    certificate: pem,
    privateKey: pem.slice(pem.indexOf('-----BEGIN PRIVATE')),
    certificatePath: 'certificate',
    privateKeyPath: 'key',
  });
}

const made = new Map<string, DtlsCertificate>();

/** A certificate of that kind, the same for the same name. */
export function certificateOf(kind: CertificateKind, name: string): DtlsCertificate {
  const key = `${kind} ${name}`;
  let certificate = made.get(key);
  if (certificate === undefined) {
    certificate =
      kind === 'rsa'
        ? parsePem(makePem('rsa'))
        : createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
    made.set(key, certificate);
  }
  return certificate;
}

/** Options of one side but its role. */
export type SideOptions = Partial<Omit<DtlsOptions, 'role' | 'expectedFingerprints'>> & {
  /** Undefined: none yet. */
  readonly expectedFingerprints?: DtlsOptions['expectedFingerprints'] | undefined;
};

/** A client and a server, each with the other's fingerprint unless its options say otherwise. */
export function makePair(client: SideOptions = {}, server: SideOptions = {}): DtlsPair {
  const clientCertificate = client.certificate ?? certificateOf('ecdsa-p256', 'client');
  const serverCertificate = server.certificate ?? certificateOf('ecdsa-p256', 'server');
  const asksClient = server.requireClientCertificate ?? true;
  return {
    client: makeSession('client', {
      certificate: clientCertificate,
      expectedFingerprints: [serverCertificate.fingerprint('sha-256')],
      ...client,
    }),
    server: makeSession('server', {
      certificate: serverCertificate,
      expectedFingerprints: asksClient ? [clientCertificate.fingerprint('sha-256')] : undefined,
      ...server,
    }),
  };
}

/** A session with the usual options unless others are given. */
export function makeSession(role: DtlsOptions['role'], options: SideOptions): DtlsSession {
  const { expectedFingerprints, ...others } = options;
  return new DtlsSession({
    role,
    crypto: nodeDtlsCrypto,
    srtpProfiles: [7, 1],
    certificate: certificateOf('ecdsa-p256', role),
    ...others,
    ...(expectedFingerprints !== undefined && { expectedFingerprints }),
  });
}

export interface DtlsPair {
  readonly client: DtlsSession;
  readonly server: DtlsSession;
}

/** What joins the two, and what they said. */
export interface DtlsPath extends DtlsPair {
  readonly network: SimulatedNetwork;
  readonly clientPeer: MachinePeer<DtlsEvent>;
  readonly serverPeer: MachinePeer<DtlsEvent>;
  readonly toServer: Link;
  readonly toClient: Link;
}

/** Joins them by a simulated path and starts both. `prepare` may set up the links before anything is sent. */
export function startPair(pair: DtlsPair, link: LinkOptions, prepare?: (path: DtlsPath) => void): DtlsPath {
  const network = new SimulatedNetwork();
  const clientPeer = new MachinePeer<DtlsEvent>(pair.client);
  const serverPeer = new MachinePeer<DtlsEvent>(pair.server);
  const [toServer, toClient] = network.connect(clientPeer, serverPeer, link);
  for (const [link, peer] of [
    [toServer, serverPeer],
    [toClient, clientPeer],
  ] as const) {
    // As from a socket whose buffer is used again: nothing of it may be kept.
    link.onDatagram = (bytes, nowMs) => {
      const buffer = Buffer.from(bytes);
      peer.receive(buffer, nowMs);
      buffer.fill(0xff);
    };
  }
  const path = { ...pair, network, clientPeer, serverPeer, toServer, toClient };
  prepare?.(path);
  serverPeer.handle(pair.server.start(network.nowMs));
  clientPeer.handle(pair.client.start(network.nowMs));
  return path;
}

/** Goes on until both are connected. @returns whether they are */
export function untilConnected({ network, client, server }: DtlsPath, limitMs?: number): boolean {
  return network.runUntil(() => client.state === 'connected' && server.state === 'connected', limitMs);
}

/** Goes on until both have ended one way or the other. */
export function untilOver({ network, client, server }: DtlsPath): void {
  const isOver = ({ state }: DtlsSession): boolean => state === 'failed' || state === 'closed';
  network.runUntil(() => isOver(client) && isOver(server));
}

/** The code of a session's failure. */
export function failureOf(peer: MachinePeer<DtlsEvent>): string | undefined {
  return peer.events.flatMap((event) => (event.type === 'failed' ? [event.error.code] : []))[0];
}

/** What a peer was told by `connected`. */
export function connectedOf(peer: MachinePeer<DtlsEvent>): Extract<DtlsEvent, { type: 'connected' }> | undefined {
  return peer.events.find((event) => event.type === 'connected');
}

/** Application data a peer got, as text. */
export function textsOf(peer: MachinePeer<DtlsEvent>): readonly string[] {
  return peer.events.flatMap((event) => (event.type === 'data' ? [new TextDecoder().decode(event.bytes)] : []));
}
