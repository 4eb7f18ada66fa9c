/**
 * Whole DTLS handshakes, both sides in one process: `node bench/micro/dtls-handshake.bench.ts [report.md]`. Certificates
 * are made once, as in a server; keys of the exchange are new each time. A server does half of this work.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { nodeDtlsCrypto as crypto, NodeDtlsPrivateKey } from '../../src/io/dtls-crypto.ts';
import { CIPHER_SUITES } from '../../src/protocol/dtls/cipher-suites.tables.ts';
import { DerTag, writeDer } from '../../src/protocol/dtls/der.ts';
import { DtlsCertificate } from '../../src/protocol/dtls/dtls-certificate.ts';
import type { DtlsOptions } from '../../src/protocol/dtls/dtls-options.ts';
import { type DtlsEvent, DtlsSession } from '../../src/protocol/dtls/dtls-session.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import { BenchError } from '../load/errors.ts';

const WARM_UP = 200;
const HANDSHAKES = 1000;
const DATA_BYTES = 1100;
const DATA_RECORDS = 20_000;

const ecdsa = (): DtlsCertificate => createSelfSignedCertificate({ crypto, wallClockMs: Date.now() });

/** As good as any for a peer that compares fingerprints: its own signature is left out. */
function rsa(): DtlsCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const empty = writeDer(DerTag.sequence);
  const serial = writeDer(DerTag.integer, Uint8Array.of(1));
  const key = publicKey.export({ format: 'der', type: 'spki' });
  const fields = writeDer(DerTag.sequence, serial, empty, empty, empty, empty, key);
  const der = writeDer(DerTag.sequence, fields, empty, writeDer(DerTag.bitString, Uint8Array.of(0)));
  return new DtlsCertificate({ crypto, der, privateKey: new NodeDtlsPrivateKey(privateKey, 'rsa') });
}

interface Scene {
  readonly name: string;
  readonly client: DtlsCertificate;
  readonly server: DtlsCertificate;
  readonly options?: Partial<DtlsOptions>;
}

/** Time spent in each side, milliseconds. */
interface Spent {
  client: number;
  server: number;
}

function handshake({ client, server, options }: Scene, spent: Spent): { client: DtlsSession; server: DtlsSession } {
  const common = { crypto, srtpProfiles: [7, 1], ...options };
  let startMs = performance.now();
  const a = new DtlsSession({
    ...common,
    role: 'client',
    certificate: client,
    expectedFingerprints: [server.fingerprint('sha-256')],
  });
  let queue = a.start(0);
  spent.client += performance.now() - startMs;
  startMs = performance.now();
  const b = new DtlsSession({
    ...common,
    role: 'server',
    certificate: server,
    expectedFingerprints: [client.fingerprint('sha-256')],
  });
  b.start(0);
  spent.server += performance.now() - startMs;
  for (let side: keyof Spent = 'server'; queue.length > 0; side = side === 'server' ? 'client' : 'server') {
    const session = side === 'server' ? b : a;
    const answers: DtlsEvent[] = [];
    startMs = performance.now();
    for (const event of queue) if (event.type === 'send') answers.push(...session.receive(event.bytes, 1));
    spent[side] += performance.now() - startMs;
    queue = answers;
  }
  if (a.state !== 'connected' || b.state !== 'connected') throw new BenchError('bench/no-work', 'not connected');
  return { client: a, server: b };
}

function measure(scene: Scene): string {
  for (let i = 0; i < WARM_UP; i++) handshake(scene, { client: 0, server: 0 });
  const spent = { client: 0, server: 0 };
  const startMs = performance.now();
  for (let i = 0; i < HANDSHAKES; i++) handshake(scene, spent);
  const totalMs = performance.now() - startMs;
  const rate = (ms: number): string => Math.round((HANDSHAKES * 1000) / ms).toString();
  const each = (ms: number): string => (ms / HANDSHAKES).toFixed(2);
  return `| ${scene.name} | ${each(totalMs)} | ${rate(totalMs)} | ${each(spent.server)} | ${rate(spent.server)} | ${each(spent.client)} | ${rate(spent.client)} |`;
}

/** Microseconds to protect a record, and to open it. */
function measureData(scene: Scene): string {
  const { client, server } = handshake(scene, { client: 0, server: 0 });
  const data = new Uint8Array(DATA_BYTES);
  const sent: Uint8Array[] = [];
  let startMs = performance.now();
  for (let i = 0; i < DATA_RECORDS; i++) {
    for (const event of client.send(data)) if (event.type === 'send') sent.push(event.bytes);
  }
  const sendUs = ((performance.now() - startMs) * 1000) / DATA_RECORDS;
  let received = 0;
  startMs = performance.now();
  for (const bytes of sent) received += server.receive(bytes, 1).length;
  const receiveUs = ((performance.now() - startMs) * 1000) / DATA_RECORDS;
  if (received !== DATA_RECORDS) throw new BenchError('bench/no-work', `${received} records came`);
  return `| ${scene.name} | ${sendUs.toFixed(1)} | ${receiveUs.toFixed(1)} |`;
}

const certificates = { ecdsa: [ecdsa(), ecdsa()], rsa: [rsa(), rsa()] } as const;
const [client, server] = certificates.ecdsa;
const scenes: readonly Scene[] = [
  { name: 'ECDSA, X25519', client, server },
  { name: 'ECDSA, P-256', client, server, options: { groups: [23] } },
  { name: 'ECDSA, X25519, AES-256-GCM', client, server, options: { cipherSuites: [0xc02c] } },
  { name: 'RSA 2048, X25519', client: certificates.rsa[0], server: certificates.rsa[1] },
];

const handshakes = scenes.map((scene) => {
  const row = measure(scene);
  process.stdout.write(`${row}\n`);
  return row;
});
const records = CIPHER_SUITES.filter(({ certificateKind }) => certificateKind === 'ecdsa-p256').map(({ id, name }) => {
  const row = measureData({ name, client, server, options: { cipherSuites: [id] } });
  process.stdout.write(`${row}\n`);
  return row;
});

const report = `# DTLS handshakes

- Date: ${new Date().toISOString()}
- Command: \`node bench/micro/dtls-handshake.bench.ts bench/results/dtls-handshake.md\`
- Machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Node ${process.version}, OpenSSL ${process.versions.openssl}
- Certificates of both sides checked by fingerprint; mean of ${HANDSHAKES} handshakes on one core

| certificates, group | both sides, ms | pairs a second | server, ms | servers a second | client, ms | clients a second |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${handshakes.join('\n')}

Records of ${DATA_BYTES} bytes, µs each:

| suite | send | receive |
| --- | ---: | ---: |
${records.join('\n')}
`;
const [path] = process.argv.slice(2);
if (path !== undefined) await writeFile(path, report);
