/**
 * What a packet of 1,100 bytes costs on its way through the SFU, step by step, by both providers of each port, held
 * against the limits: `node bench/micro/packet-path.bench.ts [report.md]`. Medians of many short rounds, so that what else
 * the machine does seldom counts; sockets are those of the loopback interface, which delivers inside the sender's call.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import type { DatagramSocket, DatagramSocketOptions } from '../../src/io/datagram-socket.ts';
import { nodeSrtpCrypto } from '../../src/io/srtp-cipher.ts';
import { srtpProvider } from '../../src/io/srtp-crypto.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import type { SrtpCrypto } from '../../src/protocol/srtp/srtp-cipher.ts';
import { SRTP_PROFILES, type SrtpProfile } from '../../src/protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../src/protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/protocol/srtp/srtp-sender.ts';
import { BenchError } from '../load/errors.ts';

const PACKET_BYTES = 1100;
const ROOM_BYTES = 1300;
/** Packets of a round: what the receive buffers hold. */
const ROUND_PACKETS = 240;
const WARM_UP_ROUNDS = 100;
const ROUNDS = 500;
const RECEIVE_BUFFER_BYTES = 4_194_304;
const TRANSPORT_CC_ID = 5;

interface Limits {
  readonly portable?: number;
  readonly fast?: number;
}

interface Row extends Limits {
  readonly what: string;
  readonly portableUs: number;
  readonly fastUs: number;
}

function median(times: number[]): number {
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}

/** An RTP packet with the header extension browsers send. */
function rtpPacket(): Uint8Array {
  const packet = Uint8Array.from(randomBytes(PACKET_BYTES));
  packet.set([0x90, 96, 0, 1, 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0xbe, 0xde, 0, 3]);
  packet.set([0x22, 1, 2, 3, 0x30, 0x6d, (TRANSPORT_CC_ID << 4) | 1, 0, 7, 0, 0, 0], 16);
  return packet;
}

/** Medians of protecting and unprotecting one packet after the other, µs. */
function measureSrtp(profile: SrtpProfile, crypto: SrtpCrypto): readonly [protect: number, unprotect: number] {
  const keys = {
    profile: profile.name,
    masterKey: randomBytes(profile.keyBytes),
    masterSalt: randomBytes(profile.saltBytes),
  };
  const [sender, receiver] = [new SrtpSender(keys, crypto), new SrtpReceiver(keys, crypto)];
  const plain = rtpPacket();
  const packets = Array.from({ length: ROUND_PACKETS }, () => new Uint8Array(ROOM_BYTES));
  const ends = packets.map(() => 0);
  const protectTimes: number[] = [];
  const unprotectTimes: number[] = [];
  let sequenceNumber = 0;
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const packet of packets) {
      packet.set(plain);
      sequenceNumber = (sequenceNumber + 1) & 0xffff;
      packet[2] = sequenceNumber >>> 8;
      packet[3] = sequenceNumber;
    }
    let startMs = performance.now();
    for (let i = 0; i < ROUND_PACKETS; i++) ends[i] = sender.protectRtp(packets[i]!, 0, PACKET_BYTES);
    const protectMs = performance.now() - startMs;
    let opened = 0;
    startMs = performance.now();
    for (let i = 0; i < ROUND_PACKETS; i++) opened += receiver.unprotectRtp(packets[i]!, 0, ends[i]!);
    const unprotectMs = performance.now() - startMs;
    if (opened !== ROUND_PACKETS * PACKET_BYTES) throw new BenchError('bench/no-work', `${profile.name}: not opened`);
    if (round < WARM_UP_ROUNDS) continue;
    protectTimes.push((protectMs * 1000) / ROUND_PACKETS);
    unprotectTimes.push((unprotectMs * 1000) / ROUND_PACKETS);
  }
  return [median(protectTimes), median(unprotectTimes)];
}

interface Scene extends Limits {
  readonly what: string;
  readonly targets: number;
  /** The targets are addresses of one socket: what sockets that were asleep cost their machine is left out. */
  readonly isOneReceiver?: boolean;
  /** Length of the packet of this index. */
  readonly sizeOf: (index: number) => number;
}

const equal = (): number => PACKET_BYTES;
/** Every packet longer than the one before, so that none can be joined; as long in the mean. */
const growing = (index: number): number => PACKET_BYTES - ROUND_PACKETS / 2 + index;

const scenes: readonly Scene[] = [
  { what: 'send, 1 target, 240 packets of one size (GSO)', targets: 1, sizeOf: equal, fast: 1 },
  { what: 'send, 12 targets in turn, 20 packets of one size each (GSO)', targets: 12, sizeOf: equal, fast: 1 },
  { what: 'send, 48 targets in turn, 5 packets of one size each (GSO)', targets: 48, sizeOf: equal },
  { what: 'send, 1 target, 240 packets of growing size (no GSO)', targets: 1, sizeOf: growing, fast: 2.5 },
  { what: 'send, 240 targets, 1 packet each (no GSO)', targets: 240, isOneReceiver: true, sizeOf: equal, fast: 2.5 },
  { what: 'send, 240 targets, 1 packet each, 240 sockets here to wake', targets: 240, sizeOf: equal },
];

function open(options: Partial<DatagramSocketOptions>): Promise<DatagramSocket> {
  return UdpSocket.open({ address: { host: '127.0.0.1', port: 0 }, ...options });
}

/**
 * Median of writing packets into the queue and sending them, and of receiving them (all by one socket), µs a packet.
 * Receiving begins when the event loop gets its turn and ends with the last packet.
 */
async function measureSockets(
  scene: Scene,
  options: Partial<DatagramSocketOptions>,
): Promise<readonly [send: number, receive: number]> {
  const sender = await open({
    ...options,
    sendQueueBytes: RECEIVE_BUFFER_BYTES,
    sendBufferBytes: RECEIVE_BUFFER_BYTES,
  });
  const receivers = await Promise.all(
    Array.from({ length: scene.isOneReceiver ? 1 : scene.targets }, () =>
      open({ ...options, address: { host: '0.0.0.0', port: 0 }, receiveBufferBytes: RECEIVE_BUFFER_BYTES }),
    ),
  );
  let received = 0;
  let lastMs = 0;
  let onAll: () => void = () => undefined;
  for (const receiver of receivers) {
    receiver.onPacket = () => {
      received++;
      if (received < ROUND_PACKETS) return;
      lastMs = performance.now();
      onAll();
    };
  }
  const targets = Array.from({ length: scene.targets }, (_, i) =>
    scene.isOneReceiver
      ? sender.target(`127.0.0.${i + 1}`, receivers[0]!.port)
      : sender.target('127.0.0.1', receivers[i]!.port),
  );
  const queue = sender.packetQueue();
  const packets = Array.from({ length: ROUND_PACKETS }, (_, i) => Uint8Array.from(randomBytes(scene.sizeOf(i))));
  const sendTimes: number[] = [];
  const receiveTimes: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    received = 0;
    const all = new Promise<void>((resolve) => {
      onAll = resolve;
    });
    const startMs = performance.now();
    for (let i = 0; i < ROUND_PACKETS; i++) {
      const bytes = packets[i]!;
      const at = queue.reserve(bytes.length);
      queue.bytes.set(bytes, at);
      queue.put(bytes.length, targets[i % targets.length]!);
    }
    queue.flush();
    const sentMs = performance.now();
    await all;
    if (round < WARM_UP_ROUNDS) continue;
    sendTimes.push(((sentMs - startMs) * 1000) / ROUND_PACKETS);
    receiveTimes.push(((lastMs - sentMs) * 1000) / ROUND_PACKETS);
  }
  await Promise.all([sender, ...receivers].map((socket) => socket.close()));
  return [median(sendTimes), median(receiveTimes)];
}

/** Median of what an SFU does to a header for each of its viewers, µs. */
function measureRewrite(): number {
  const packets = Array.from({ length: ROUND_PACKETS }, rtpPacket);
  const view = new RtpPacketView();
  const times: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    let written = 0;
    const startMs = performance.now();
    for (const packet of packets) {
      if (!view.look(packet)) continue;
      view.ssrc = view.ssrc ^ 0x55;
      view.sequenceNumber = view.sequenceNumber + 1;
      view.timestamp = view.timestamp + 3000;
      view.payloadType = 101;
      if (view.writeElement(TRANSPORT_CC_ID, round, 2)) written++;
    }
    const elapsedMs = performance.now() - startMs;
    if (written < ROUND_PACKETS) throw new BenchError('bench/no-work', 'not every header was rewritten');
    if (round >= WARM_UP_ROUNDS) times.push((elapsedMs * 1000) / ROUND_PACKETS);
  }
  return median(times);
}

const rows: Row[] = [];
let isWithinLimits = true;

function cell(us: number, limitUs: number | undefined): string {
  if (limitUs === undefined) return us.toFixed(2);
  if (us > limitUs) isWithinLimits = false;
  return `${us.toFixed(2)} (≤ ${limitUs}: ${us <= limitUs ? 'pass' : 'FAIL'})`;
}

function line(row: Row): string {
  return `| ${row.what} | ${cell(row.portableUs, row.portable)} | ${cell(row.fastUs, row.fast)} |`;
}

function add(row: Row): void {
  rows.push(row);
  process.stdout.write(`${line(row)}\n`);
}

const startLoad = loadavg()[0]!;
for (const profile of Object.values(SRTP_PROFILES)) {
  const portable = measureSrtp(profile, nodeSrtpCrypto);
  const fast = measureSrtp(profile, srtpProvider().crypto);
  const isAesCm = profile.transform === 'aes-cm';
  add({
    what: `protect ${profile.name}`,
    portableUs: portable[0],
    fastUs: fast[0],
    fast: 1.5,
    ...(isAesCm && { portable: 4 }),
  });
  add({ what: `unprotect ${profile.name}`, portableUs: portable[1], fastUs: fast[1] });
}
for (const scene of scenes) {
  const portable = await measureSockets(scene, { provider: 'portable' });
  const fast = await measureSockets(scene, {});
  add({ ...scene, portableUs: portable[0], fastUs: fast[0] });
  if (scene.isOneReceiver) continue;
  const what = `receive what that sent, on ${scene.targets === 1 ? 'one socket' : `${scene.targets} sockets`}`;
  add({ what, portableUs: portable[1], fastUs: fast[1], ...(scene.targets === 1 && { fast: 2.6 }) });
}
const rewriteUs = measureRewrite();
add({
  what: 'parse and rewrite a header with extensions',
  portableUs: rewriteUs,
  fastUs: rewriteUs,
  portable: 0.3,
  fast: 0.3,
});

const probe = await open({});
const { provider } = probe;
await probe.close();
const report = `# The packet path

- Date: ${new Date().toISOString()}
- Command: \`node bench/micro/packet-path.bench.ts bench/results/packet-path.md\`
- Machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Node ${process.version}; fast providers: ${provider}, ${srtpProvider().name}
- Other work on the machine: load average ${startLoad.toFixed(1)} at the beginning, ${loadavg()[0]!.toFixed(1)} at the end (this benchmark alone is 1)
- Packets of ${PACKET_BYTES} bytes; µs a packet; median of ${ROUNDS} rounds of ${ROUND_PACKETS} packets
- Sockets of the loopback interface: sending includes delivery into the receiver's socket, and the copy into the queue

| what | portable (\`node:dgram\`, \`node:crypto\`) | fast (\`node:ffi\`) |
| --- | ---: | ---: |
${rows.map(line).join('\n')}

Limits: ${isWithinLimits ? 'all kept' : 'not all kept'}.
`;
const [path] = process.argv.slice(2);
if (path !== undefined) await writeFile(path, report);
if (!isWithinLimits) process.exitCode = 1;
