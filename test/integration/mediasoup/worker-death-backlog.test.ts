import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { MAX_QUEUED_BYTES } from '../../../src/worker/channel/response-channel.ts';

const PAGE_BYTES = 4096;
const PAYLOAD_BYTES = 1200;
/** Twice what may wait. */
const PACKETS = Math.ceil((2 * MAX_QUEUED_BYTES) / PAYLOAD_BYTES);
/** The queue, its packets as objects, and what the sockets of a busy worker take besides. */
const ALLOWED_GROWTH_BYTES = 4 * MAX_QUEUED_BYTES;

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
}

function packet(index: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const fields = {
    marker: false,
    payloadType: 100,
    sequenceNumber: index & 0xffff,
    timestamp: index,
    ssrc: 1,
    payload,
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}

/** A process with a worker, whose packets it counts. It says where they are to go, and each second what has come. */
const CONTROL = `
  const { createWorker, setLogEventListeners } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/mediasoup/index.ts'))});
  const worker = await createWorker();
  const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
  const router = await worker.createRouter({ mediaCodecs: [{ ...opus, preferredPayloadType: 100 }] });
  const into = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, comedia: true });
  const rtpParameters = { codecs: [{ ...opus, payloadType: 100 }], encodings: [{ ssrc: 1 }] };
  const producer = await into.produce({ kind: 'audio', rtpParameters });
  const out = await router.createDirectTransport();
  const consumer = await out.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  let [packets, dropped] = [0, 0];
  setLogEventListeners({ onwarn: (_, log) => { if (log.includes('were dropped')) dropped++; } });
  consumer.on('rtp', () => packets++);
  const say = (what) => process.stdout.write(JSON.stringify(what) + '\\n');
  say({ pid: worker.pid, port: into.tuple.localPort });
  setInterval(async () => say({ packets, dropped, alive: (await worker.dump()).routerIds.length }), 200);
`;

describe('a control process that does not read', () => {
  it('costs its worker no more than the queue may hold, and goes on afterwards', { timeout: 60_000 }, async () => {
    const control = spawn(process.execPath, ['--input-type=module', '--eval', CONTROL], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const socket = createSocket('udp4');
    try {
      const lines = createInterface({ input: control.stdout })[Symbol.asyncIterator]();
      const say = async (): Promise<Record<string, number>> => JSON.parse(String((await lines.next()).value));
      const { pid, port } = await say();
      const send = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          socket.send(packet(i), port!, '127.0.0.1');
          if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      await send(2000);
      const before = residentBytes(pid!);
      control.kill('SIGSTOP');
      await send(PACKETS);
      const growthBytes = residentBytes(pid!) - before;
      control.kill('SIGCONT');
      // What waited is read now, and more.
      const { packets: atFirst } = await say();
      let heard = await say();
      await send(2000);
      while (heard['packets']! < atFirst! + 1000 || heard['dropped'] === 0) heard = await say();
      expect(heard['alive']).toBe(1);
      expect(growthBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    } finally {
      socket.close();
      control.kill('SIGKILL');
      await once(control, 'exit');
    }
  });
});
