/** Two associations in one process: `node bench/micro/sctp.bench.ts [report.md]`. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { nodeSctpCrypto } from '../../src/io/sctp-crypto.ts';
import { SctpAssociation } from '../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../src/protocol/sctp/sctp-event.ts';
import type { SctpOptions } from '../../src/protocol/sctp/sctp-options.ts';
import { crc32c } from '../../src/wire/crc32c.ts';
import { BenchError } from '../load/errors.ts';

const TOTAL_BYTES = 10_000_000;
const ROUNDS = 9;

interface Scene {
  readonly name: string;
  readonly messageBytes: number;
  readonly options: Partial<SctpOptions>;
}

const scenes: readonly Scene[] = [
  { name: 'messages of 65,536 bytes, I-DATA', messageBytes: 65_536, options: {} },
  { name: 'messages of 65,536 bytes, DATA', messageBytes: 65_536, options: { interleaving: false } },
  { name: 'messages of 65,536 bytes, with checksums', messageBytes: 65_536, options: { zeroChecksum: false } },
  { name: 'messages of 262,144 bytes, I-DATA', messageBytes: 262_144, options: {} },
  { name: 'messages of 1000 bytes, I-DATA', messageBytes: 1000, options: {} },
  { name: 'messages of 100 bytes, I-DATA', messageBytes: 100, options: {} },
];

/** Milliseconds that the transfer takes, and packets both ways. */
function transfer({ messageBytes, options, name }: Scene): { readonly elapsedMs: number; readonly packets: number } {
  const a = new SctpAssociation({ crypto: nodeSctpCrypto, ...options });
  const b = new SctpAssociation({ crypto: nodeSctpCrypto, ...options });
  const message = new Uint8Array(messageBytes).fill(7);
  let nowMs = 0;
  let received = 0;
  let packets = 0;
  let under: { to: SctpAssociation; bytes: Uint8Array }[] = [];
  const take = (from: SctpAssociation, events: readonly SctpEvent[]): void => {
    for (const event of events) {
      if (event.type === 'send') under.push({ to: from === a ? b : a, bytes: event.bytes });
      else if (event.type === 'message') received += event.bytes.length;
    }
  };
  const pump = (): void => {
    while (under.length > 0) {
      const batch = under;
      under = [];
      packets += batch.length;
      for (const { to, bytes } of batch) take(to, to.receive(bytes, nowMs));
    }
  };
  take(a, a.start(nowMs));
  take(b, b.start(nowMs));
  pump();
  const startMs = performance.now();
  packets = 0;
  for (let sent = 0; received < TOTAL_BYTES; nowMs += 1) {
    while (sent < TOTAL_BYTES && a.checkSend(1, messageBytes) === undefined) {
      take(a, a.sendMessage(1, 53, message, {}, nowMs));
      sent += messageBytes;
    }
    pump();
    if (nowMs > 100_000) throw new BenchError('bench/no-work', `${name}: ${received} bytes came`);
    take(a, a.handleTimeout(nowMs));
    take(b, b.handleTimeout(nowMs));
  }
  return { elapsedMs: performance.now() - startMs, packets };
}

const rows: string[] = [];
for (const scene of scenes) {
  const rounds = Array.from({ length: ROUNDS }, () => transfer(scene));
  rounds.sort((x, y) => x.elapsedMs - y.elapsedMs);
  const { elapsedMs, packets } = rounds[ROUNDS >> 1]!;
  const rate = (TOTAL_BYTES * 8) / elapsedMs / 1000;
  const row = `| ${scene.name} | ${rate.toFixed(0)} | ${((elapsedMs * 1000) / packets).toFixed(2)} |`;
  process.stdout.write(`${row}\n`);
  rows.push(row);
}

const packet = new Uint8Array(1160).fill(7);
let sum = 0;
for (let i = 0; i < 100_000; i++) sum ^= crc32c(packet);
const startMs = performance.now();
for (let i = 0; i < 500_000; i++) sum ^= crc32c(packet);
const checksumUs = ((performance.now() - startMs) * 1000) / 500_000;
process.stdout.write(`CRC-32C of 1160 bytes: ${checksumUs.toFixed(2)} µs (${sum})\n`);

const report = `# SCTP between two associations of one process

- Date: ${new Date().toISOString()}
- Command: \`node bench/micro/sctp.bench.ts bench/results/sctp.md\`
- Machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Node ${process.version}
- ${TOTAL_BYTES / 1_000_000} MB each, median of ${ROUNDS} rounds; one core does both ends, without DTLS and sockets; packets of up to 1160 bytes
- CRC-32C of 1160 bytes: ${checksumUs.toFixed(2)} µs

| what | Mb/s | µs a packet, both ends, SACKs counted as packets |
| --- | ---: | ---: |
${rows.join('\n')}
`;
const [path] = process.argv.slice(2);
if (path !== undefined) await writeFile(path, report);
