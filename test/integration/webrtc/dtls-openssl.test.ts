import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { CIPHER_SUITES } from '../../../src/protocol/dtls/cipher-suites.tables.ts';
import { type DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { toHexadecimal } from '../../../src/wire/hexadecimal.ts';
import { type CertificateKind, makePem, makeSession, parsePem, type SideOptions } from './dtls-kit.ts';

const SRTP = 'SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80';
const EXPORTS = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60'];
const KEYING_MATERIAL = /Keying material: ([\dA-F]{120})/;
const kinds: readonly CertificateKind[] = ['ecdsa-p256', 'rsa'];
const groups = [
  { id: 29, openssl: 'X25519' },
  { id: 23, openssl: 'P-256' },
];
const openSslAead = {
  'aes-128-gcm': 'AES128-GCM-SHA256',
  'aes-256-gcm': 'AES256-GCM-SHA384',
  'chacha20-poly1305': 'CHACHA20-POLY1305',
};

const folder = mkdtempSync(join(tmpdir(), 'dtls-'));
const pems = new Map<string, string>();
const closing: (() => void)[] = [];

const pemOf = (name: string): string => pems.get(name)!;
const pathOf = (name: string): string => join(folder, `${name}.pem`);

beforeAll(() => {
  for (const kind of kinds) {
    for (const owner of ['ours', 'theirs']) {
      const pem = makePem(kind);
      pems.set(`${owner}-${kind}`, pem);
      writeFileSync(pathOf(`${owner}-${kind}`), pem);
    }
  }
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A running openssl that can be typed to. */
class OpenSsl {
  output = '';
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn('openssl', args, { env: { ...process.env, ...env } });
    closing.push(() => this.#child.kill('SIGKILL'));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString('latin1');
      });
    }
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits until the output has it. */
  async says(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.output, { timeout: 10_000, interval: 5 }).toMatch(pattern);
  }

  match(pattern: RegExp): string | undefined {
    return pattern.exec(this.output)?.[1];
  }
}

/** A session of ours behind a socket on the loopback interface. */
class UdpPeer {
  readonly session: DtlsSession;
  readonly events: DtlsEvent[] = [];
  readonly socket: Socket = createSocket('udp4');
  #remotePort: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(session: DtlsSession) {
    this.session = session;
    this.socket.on('message', (bytes, { port }) => {
      this.#remotePort = port;
      this.#handle(session.receive(bytes, performance.now()));
    });
    closing.push(() => {
      clearTimeout(this.#timer);
      this.socket.close();
    });
  }

  /** Binds, starts and gives its port; a client is given the port of its server. */
  async start(remotePort?: number): Promise<number> {
    this.#remotePort = remotePort;
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    this.#handle(this.session.start(performance.now()));
    return this.socket.address().port;
  }

  send(text: string): void {
    this.#handle(this.session.send(new TextEncoder().encode(text)));
  }

  close(): void {
    this.#handle(this.session.close());
  }

  get texts(): string {
    const texts = this.events.map((event) => (event.type === 'data' ? new TextDecoder().decode(event.bytes) : ''));
    return texts.join('');
  }

  async reaches(state: DtlsSession['state']): Promise<void> {
    await expect.poll(() => this.session.state, { timeout: 10_000, interval: 5 }).toBe(state);
  }

  get exported(): string {
    return toHexadecimal(this.session.exportKeyingMaterial('EXTRACTOR-dtls_srtp', undefined, 60)).toUpperCase();
  }

  #handle(events: readonly DtlsEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.socket.send(event.bytes, this.#remotePort!, '127.0.0.1');
      else this.events.push(event);
    }
    clearTimeout(this.#timer);
    const atMs = this.session.nextTimeoutMs();
    if (atMs === undefined) return;
    const run = (): void => this.#handle(this.session.handleTimeout(performance.now()));
    this.#timer = setTimeout(run, Math.max(0, atMs - performance.now()));
  }
}

interface Scene {
  /** Kinds of our certificate and of openssl's. */
  readonly ours: CertificateKind;
  readonly theirs: CertificateKind;
  readonly options?: SideOptions;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

function ourSession(role: 'client' | 'server', { ours, theirs, options }: Scene): UdpPeer {
  const session = makeSession(role, {
    certificate: parsePem(pemOf(`ours-${ours}`)),
    expectedFingerprints: [parsePem(pemOf(`theirs-${theirs}`)).fingerprint('sha-256')],
    srtpProfiles: [1, 7],
    ...options,
  });
  return new UdpPeer(session);
}

function theirArgs({ theirs, args = [] }: Scene): string[] {
  const path = pathOf(`theirs-${theirs}`);
  return ['-dtls1_2', '-cert', path, '-key', path, '-use_srtp', SRTP, ...EXPORTS, ...args];
}

/** Our client with `openssl s_server`, which takes no client without certificate. */
async function connectClient(scene: Scene): Promise<{ readonly peer: UdpPeer; readonly openssl: OpenSsl }> {
  const openssl = new OpenSsl(['s_server', '-accept', '127.0.0.1:0', '-Verify', '2', ...theirArgs(scene)], scene.env);
  await openssl.says(/ACCEPT 127.0.0.1:\d+/);
  const peer = ourSession('client', scene);
  await peer.start(Number(openssl.match(/ACCEPT 127.0.0.1:(\d+)/)));
  return { peer, openssl };
}

/** `openssl s_client` with our server. */
async function connectServer(scene: Scene): Promise<{ readonly peer: UdpPeer; readonly openssl: OpenSsl }> {
  const peer = ourSession('server', scene);
  const port = await peer.start();
  const openssl = new OpenSsl(['s_client', '-connect', `127.0.0.1:${port}`, ...theirArgs(scene)], scene.env);
  return { peer, openssl };
}

/** Keys are equal, and text goes both ways. */
async function expectWorking({ peer, openssl }: { readonly peer: UdpPeer; readonly openssl: OpenSsl }): Promise<void> {
  await peer.reaches('connected');
  await openssl.says(KEYING_MATERIAL);
  expect(openssl.match(KEYING_MATERIAL)).toBe(peer.exported);
  openssl.type('typed there\n');
  await expect.poll(() => peer.texts, { interval: 5 }).toBe('typed there\n');
  peer.send('sent here\n');
  await openssl.says(/^sent here$/m);
}

/** Every suite and group; the suite says the kind of the server's certificate, the client has either. */
const suites = CIPHER_SUITES.flatMap((suite) =>
  groups.flatMap((group) => kinds.map((client) => ({ suite, group, client, name: suite.name }))),
);

describe('our client with openssl s_server', () => {
  it.each(suites)('$name, group $group.openssl, our certificate $client', async ({ suite, group, client }) => {
    const cipher = `ECDHE-${suite.certificateKind === 'rsa' ? 'RSA' : 'ECDSA'}-${openSslAead[suite.aead]}`;
    const connection = await connectClient({
      ours: client,
      theirs: suite.certificateKind,
      options: { groups: [group.id, 23] },
      args: ['-cipher', cipher, '-groups', group.openssl === 'X25519' ? 'X25519:P-256' : 'P-256'],
    });
    await expectWorking(connection);
    expect(connection.peer.session.cipherSuite).toBe(suite.name);
    // The server's order counts.
    expect(connection.peer.events[0]).toMatchObject({ type: 'connected', srtpProfile: 7 });
  });
});

describe('our server with openssl s_client', () => {
  it.each(suites)('$name, group $group.openssl, their certificate $client', async ({ suite, group, client }) => {
    const connection = await connectServer({
      ours: suite.certificateKind,
      theirs: client,
      options: { cipherSuites: [suite.id], groups: [group.id] },
      args: ['-groups', 'P-256:X25519'],
    });
    await expectWorking(connection);
    expect(connection.peer.session.cipherSuite).toBe(suite.name);
    expect(connection.peer.events[0]).toMatchObject({ type: 'connected', srtpProfile: 1 });
  });
});

describe.each([
  ['our client', connectClient],
  ['our server', connectServer],
] as const)('%s and openssl', (name, connect) => {
  it('cut all messages for a small MTU', async () => {
    const scene = { ours: 'rsa', theirs: 'rsa', options: { mtu: 300 }, args: ['-mtu', '300'] } as const;
    await expectWorking(await connect(scene));
  });

  it('do without the extended master secret', async () => {
    const config = join(folder, 'no-extended-master-secret.cnf');
    writeFileSync(
      config,
      'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\n',
    );
    const connection = await connect({ ours: 'ecdsa-p256', theirs: 'ecdsa-p256', env: { OPENSSL_CONF: config } });
    await expectWorking(connection);
    await connection.openssl.says(/Extended master secret: no|CIPHER is/);
  });

  it('refuse a peer without it when it is required', async () => {
    const config = join(folder, 'no-extended-master-secret.cnf');
    const scene = { ours: 'ecdsa-p256', theirs: 'ecdsa-p256', options: { extendedMasterSecret: 'require' } } as const;
    const { peer } = await connect({ ...scene, env: { OPENSSL_CONF: config } });
    await peer.reaches('failed');
  });

  it.each(['RSA-PSS+SHA256', 'RSA+SHA256', 'RSA+SHA512', 'RSA-PSS+SHA384'])('sign with %s', async (scheme) => {
    const scene = { ours: 'rsa', theirs: 'rsa', args: ['-sigalgs', scheme, '-client_sigalgs', scheme] } as const;
    await expectWorking(await connect(scene));
  });

  it('end the session when we close it', async () => {
    const connection = await connect({ ours: 'ecdsa-p256', theirs: 'ecdsa-p256' });
    await expectWorking(connection);
    connection.peer.close();
    await connection.openssl.says(name === 'our client' ? /DONE|shutting down SSL|CONNECTION CLOSED/ : /closed/);
  });

  it('refuse a certificate with another fingerprint', async () => {
    const other = [parsePem(pemOf('ours-rsa')).fingerprint('sha-256')];
    const scene = { ours: 'ecdsa-p256', theirs: 'rsa', options: { expectedFingerprints: other } } as const;
    const { peer, openssl } = await connect(scene);
    await peer.reaches('failed');
    expect(peer.events).toMatchObject([{ error: { code: 'dtls/fingerprint-mismatch' } }]);
    await openssl.says(/alert bad certificate/);
  });

  it('refuse renegotiation', async () => {
    const connection = await connect({ ours: 'ecdsa-p256', theirs: 'ecdsa-p256' });
    await expectWorking(connection);
    connection.openssl.type(name === 'our client' ? 'r\n' : 'R\n');
    await connection.openssl.says(/no renegotiation/);
  });
});

describe('our server', () => {
  it('ends the session when s_client does', async () => {
    const connection = await connectServer({ ours: 'ecdsa-p256', theirs: 'ecdsa-p256' });
    await expectWorking(connection);
    connection.openssl.type('Q\n');
    await connection.peer.reaches('closed');
  });

  it('takes no part in ALPN', async () => {
    const connection = await connectServer({ ours: 'rsa', theirs: 'rsa', args: ['-alpn', 'webrtc,c-webrtc'] });
    await expectWorking(connection);
    await connection.openssl.says(/No ALPN negotiated/);
  });

  it('takes no client without certificate', async () => {
    const peer = ourSession('server', { ours: 'ecdsa-p256', theirs: 'rsa' });
    const port = await peer.start();
    const openssl = new OpenSsl(['s_client', '-connect', `127.0.0.1:${port}`, '-dtls1_2']);
    await peer.reaches('failed');
    expect(peer.events).toMatchObject([{ error: { code: 'dtls/no-certificate' } }]);
    await openssl.says(/alert handshake failure/);
  });

  it('asks for none when none is required', async () => {
    const session = new DtlsSession({
      role: 'server',
      crypto: nodeDtlsCrypto,
      certificate: parsePem(pemOf('ours-ecdsa-p256')),
      requireClientCertificate: false,
    });
    const peer = new UdpPeer(session);
    const port = await peer.start();
    const openssl = new OpenSsl(['s_client', '-connect', `127.0.0.1:${port}`, '-dtls1_2', ...EXPORTS]);
    await expectWorking({ peer, openssl });
    expect(peer.events[0]).toMatchObject({ srtpProfile: undefined, remoteCertificate: undefined });
  });

  it('refuses DTLS 1.0', async () => {
    const peer = ourSession('server', { ours: 'ecdsa-p256', theirs: 'rsa' });
    const port = await peer.start();
    const openssl = new OpenSsl(['s_client', '-connect', `127.0.0.1:${port}`, '-dtls1', '-cipher', 'ALL:@SECLEVEL=0']);
    await peer.reaches('failed');
    expect(peer.events).toMatchObject([{ error: { code: 'dtls/unsupported-version' } }]);
    await openssl.says(/alert protocol version/);
  });
});

describe('our client', () => {
  it('answers the cookie exchange of openssl s_server', async () => {
    await expectWorking(await connectClient({ ours: 'ecdsa-p256', theirs: 'ecdsa-p256', args: ['-listen'] }));
  });
});
