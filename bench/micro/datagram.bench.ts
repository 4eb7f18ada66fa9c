/**
 * Sending RTP-sized packets by both providers of `DatagramSocket`, on the loopback interface:
 * `node bench/micro/datagram.bench.ts [report.md]`. Receivers read between the rounds, so that no packet is dropped for
 * want of room, which would be cheaper than delivering it; only the sending is timed.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterleavedBatch } from '../../src/io/datagram-batch.ts';
import type { DatagramSocket, DatagramSocketOptions } from '../../src/io/datagram-socket.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import { BenchError } from '../load/errors.ts';

const PACKET_BYTES = 1100;
const WARM_UP_ROUNDS = 100;
const ROUNDS = 500;
/** Packets of a round: what the receive buffers hold. */
const ROUND_PACKETS = 240;
const RECEIVE_BUFFER_BYTES = 4_194_304;

interface Scene {
  readonly name: string;
  readonly targets: number;
  /** Packets each target is sent in one call. */
  readonly packets: number;
  /** The last one is shorter, as at the end of a frame. */
  readonly lastBytes: number;
}

const scenes: readonly Scene[] = [
  { name: '1 target × 64 packets', targets: 1, packets: 64, lastBytes: PACKET_BYTES },
  { name: '1 target × 240 packets', targets: 1, packets: 240, lastBytes: PACKET_BYTES },
  { name: '80 targets × 3 packets, the last short', targets: 80, packets: 3, lastBytes: 400 },
  { name: '48 targets × 5 packets, the last short', targets: 48, packets: 5, lastBytes: 400 },
  { name: '20 targets × 12 packets, the last short', targets: 20, packets: 12, lastBytes: 400 },
  { name: '120 targets × 1 packet', targets: 120, packets: 1, lastBytes: PACKET_BYTES },
];

function batchOf(scene: Scene): InterleavedBatch {
  const frames = Array.from({ length: scene.packets }, (_, i) => {
    const sizeBytes = i === scene.packets - 1 ? scene.lastBytes : PACKET_BYTES;
    const frame = Buffer.alloc(4 + sizeBytes, i);
    frame.set([0x24, 0, sizeBytes >>> 8, sizeBytes & 0xff]);
    return frame;
  });
  return new InterleavedBatch(Buffer.concat(frames), 0);
}

function open(options: Partial<DatagramSocketOptions>): Promise<DatagramSocket> {
  return UdpSocket.open({ address: { host: '127.0.0.1', port: 0 }, ...options });
}

/** Median over the rounds, µs per packet. */
async function measure(scene: Scene, options: Partial<DatagramSocketOptions>): Promise<number> {
  const sender = await open(options);
  const receivers = await Promise.all(
    Array.from({ length: scene.targets }, () => open({ receiveBufferBytes: RECEIVE_BUFFER_BYTES })),
  );
  let received = 0;
  for (const receiver of receivers) {
    receiver.onMessage = () => {
      received++;
    };
  }
  const targets = receivers.map(({ port }) => sender.target('127.0.0.1', port));
  const batch = batchOf(scene);
  const repeats = Math.max(1, Math.floor(ROUND_PACKETS / (scene.targets * scene.packets)));
  const packets = repeats * scene.targets * scene.packets;
  const times: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    received = 0;
    const startMs = performance.now();
    for (let i = 0; i < repeats; i++) {
      for (const target of targets) sender.sendBatch(batch, target);
    }
    const elapsedMs = performance.now() - startMs;
    if (round >= WARM_UP_ROUNDS) times.push((elapsedMs * 1000) / packets);
    for (let turn = 0; received < packets; turn++) {
      if (turn > 1000) throw new BenchError('bench/no-work', `${scene.name}: ${packets - received} packets were lost`);
      await sleep(0);
    }
  }
  await Promise.all([sender, ...receivers].map((socket) => socket.close()));
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}

const rows: string[] = [];
for (const scene of scenes) {
  const portable = await measure(scene, { provider: 'portable' });
  const fast = await measure(scene, {});
  const row = `| ${scene.name} | ${portable.toFixed(2)} | ${fast.toFixed(2)} | ${(portable / fast).toFixed(1)} × |`;
  process.stdout.write(`${row}\n`);
  rows.push(row);
}

const probe = await open({});
const { provider } = probe;
await probe.close();
const report = `# Sending datagrams

- Date: ${new Date().toISOString()}
- Command: \`node bench/micro/datagram.bench.ts bench/results/datagram.md\`
- Machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Node ${process.version}; fastest provider: ${provider}
- Packets of ${PACKET_BYTES} bytes (short ones 400) over the loopback interface, which delivers inside the sender's call; median of ${ROUNDS} rounds

| what | portable (\`node:dgram\`), µs a packet | \`${provider}\`, µs a packet | ratio |
| --- | ---: | ---: | ---: |
${rows.join('\n')}
`;
const [path] = process.argv.slice(2);
if (path !== undefined) await writeFile(path, report);
