import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { parseKeyManagementHeader, writeKeyManagementAttribute } from '../../../src/protocol/mikey/key-management.ts';
import { parseMikeyMessage } from '../../../src/protocol/mikey/mikey-reader.ts';
import { mikeyMessageOf, srtpOf } from '../../../src/protocol/mikey/mikey-srtp.ts';
import { writeMikeyMessage } from '../../../src/protocol/mikey/mikey-writer.ts';
import type { SrtpKeys } from '../../../src/protocol/srtp/key-derivation.ts';
import { SrtpReceiver } from '../../../src/protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../../src/protocol/srtp/srtp-sender.ts';
import { FilePublisher } from '../../../src/server/file-source/file-publisher.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { LocalServer, testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { CLIP } from '../short-clip.ts';
import { expectCopy, framesOf } from './copied-frames.ts';
import { rtcpTypes } from './udp-peer.ts';

const ORIGIN = { vhost: DEFAULT_VHOST, app: 'live', stream: 'x' };
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'cam' };
const SLOW_MS = 20_000;
const SSRC = 0x1234_5678;

let directory: string;
let certificate: { readonly cert: string; readonly key: string };
let lines: Record<string, unknown>[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-srtp-'));
  certificate = await makeSelfSignedCertificate(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that pulls `url` as `copy/cam`. */
async function startPull(url: string, transport: 'tcp' | 'udp' | 'auto'): Promise<Millrace> {
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const sources = [{ name: 'copy/cam', url, transport, insecure: true }];
  const server = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', sources }),
    log: pino({ level: 'debug' }, { write }),
  });
  closers.push(() => server.close());
  return server;
}

describe('a stream pulled as SRTP', () => {
  it.each(['tcp', 'udp'] as const)('has the frames of its origin, by %s', { timeout: SLOW_MS }, async (transport) => {
    const origin = await LocalServer.start({ latency: 'realtime', rtsps: { listen: '127.0.0.1:0', ...certificate } });
    closers.push(() => origin.close());
    const { hub } = origin.millrace;
    const publisher = new FilePublisher({ hub, log: pino({ level: 'silent' }), name: ORIGIN, path: CLIP });
    closers.push(() => publisher.close());
    const server = await startPull(`rtsps://127.0.0.1:${origin.millrace.ports.rtsps[0]}/live/x?srtp`, transport);
    const copy = (): Stream | undefined => server.hub.get(COPY);
    await expectCopy(copy, () => hub.get(ORIGIN));
  });
});

/** A server that describes one sound as SRTP, and sends what a test gives it. */
class ScriptedOrigin {
  readonly requests: string[] = [];
  /** On the RTCP channel, as they came. */
  readonly reports: Buffer[] = [];
  port = 0;
  #socket: Socket | undefined;

  static async start(media: string): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin();
    const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n${media}\r\na=control:a\r\n`;
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      let bytes = Buffer.alloc(0);
      socket.on('data', (more: Buffer) => {
        bytes = Buffer.concat([bytes, more]);
        for (;;) {
          if (bytes[0] === 0x24) {
            const end = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt16BE(2);
            if (bytes.length < end) return;
            if (bytes[1] === 1) origin.reports.push(bytes.subarray(4, end));
            bytes = bytes.subarray(end);
            continue;
          }
          const end = bytes.indexOf('\r\n\r\n');
          if (end < 0) return;
          const request = bytes.toString('latin1', 0, end);
          bytes = bytes.subarray(end + 4);
          origin.requests.push(request);
          const sequence = /^CSeq: *(\d+)/im.exec(request)![1];
          const body = request.startsWith('DESCRIBE') ? sdp : '';
          const transport = /^Transport: .*$/im.exec(request)?.[0];
          const more = transport === undefined ? '' : `${transport}\r\n`;
          socket.write(
            `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\nSession: 12345678\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`,
          );
          if (request.startsWith('PLAY')) origin.#socket = socket;
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    origin.port = (server.address() as AddressInfo).port;
    return origin;
  }

  get isPlaying(): boolean {
    return this.#socket !== undefined;
  }

  send(packet: Uint8Array): void {
    this.#socket!.write(Uint8Array.of(0x24, 0, packet.length >> 8, packet.length & 0xff));
    this.#socket!.write(packet);
  }

  header(method: string, name: string): string | undefined {
    const request = this.requests.find((text) => text.startsWith(method));
    return request === undefined ? undefined : new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1];
  }
}

const KEYS: SrtpKeys = {
  profile: 'AES_CM_128_HMAC_SHA1_80',
  masterKey: randomBytes(16),
  masterSalt: randomBytes(14),
};

function mikeyLine(keys: SrtpKeys): string {
  const message = mikeyMessageOf({
    keys,
    rolloverCounters: new Map([[SSRC, 0]]),
    cryptoSessionBundleId: 1,
    random: randomBytes(16),
    unixTimeMs: Date.now(),
  });
  return `a=key-mgmt:${writeKeyManagementAttribute(writeMikeyMessage(message))}`;
}

/** PCMU; the numbers cross the wrap. */
function packetOf(sender: SrtpSender | undefined, i: number): Uint8Array {
  const packet = Buffer.alloc(12 + 320 + 64, i + 1);
  packet.writeUInt16BE(0x8000);
  packet.writeUInt16BE((65_530 + i) & 0xffff, 2);
  packet.writeUInt32BE(i * 320, 4);
  packet.writeUInt32BE(SSRC, 8);
  const end = sender === undefined ? 332 : sender.protectRtp(packet, 0, 332);
  return packet.subarray(0, end);
}

const payloads = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => Buffer.alloc(320, i + 1).toString('base64'));

describe('a source that tells its key', () => {
  it.each([
    ['by MIKEY', 'RTP/SAVP', mikeyLine(KEYS)],
    ['by MIKEY for RTP/SAVPF', 'RTP/SAVPF', mikeyLine(KEYS)],
    [
      'by a crypto attribute',
      'RTP/SAVP',
      `a=crypto:1 ${KEYS.profile} inline:${Buffer.concat([KEYS.masterKey, KEYS.masterSalt]).toString('base64')}`,
    ],
  ])('%s is taken over the wrap of the numbers, and told the key of our reports', async (_, profile, line) => {
    const origin = await ScriptedOrigin.start(`m=audio 0 ${profile} 0\r\n${line}`);
    const server = await startPull(`rtsp://127.0.0.1:${origin.port}/x`, 'tcp');
    await until('it plays', () => origin.isPlaying);
    const sender = new SrtpSender(KEYS, nodeSrtpCrypto);
    for (let i = 0; i < 20; i++) origin.send(packetOf(sender, i));
    await until('every frame came', () => framesOf(server.hub.get(COPY), 'audio').length === 20);
    expect(framesOf(server.hub.get(COPY), 'audio')).toEqual(payloads(20));
    expect(origin.header('SETUP', 'Transport')).toBe(`${profile}/TCP;unicast;interleaved=0-1`);
    const [entry] = parseKeyManagementHeader(origin.header('SETUP', 'KeyMgmt')!);
    const told = srtpOf(parseMikeyMessage(entry!.message) as Exclude<ReturnType<typeof parseMikeyMessage>, Error>);
    if (told instanceof Error) throw told;
    await until('a report came', () => origin.reports.length > 0);
    const report = Buffer.from(origin.reports[0]!);
    const end = new SrtpReceiver(told.keys, nodeSrtpCrypto).unprotectRtcp(report, 0, report.length);
    expect(rtcpTypes(report.subarray(0, end))).toEqual([201, 202]);
    expect([...told.rolloverCounters.keys()]).toEqual([report.readUInt32BE(4)]);
  });

  it('is live with the first packet that has this key', async () => {
    const origin = await ScriptedOrigin.start(`m=audio 0 RTP/SAVP 0\r\n${mikeyLine(KEYS)}`);
    const server = await startPull(`rtsp://127.0.0.1:${origin.port}/x`, 'tcp');
    await until('it plays', () => origin.isPlaying);
    const other = new SrtpSender({ ...KEYS, masterKey: randomBytes(16) }, nodeSrtpCrypto);
    const sender = new SrtpSender(KEYS, nodeSrtpCrypto);
    for (let i = 0; i < 5; i++) origin.send(packetOf(other, i));
    for (let i = 0; i < 5; i++) origin.send(packetOf(undefined, i));
    const packets = Array.from({ length: 20 }, (_, i) => packetOf(sender, i));
    for (const packet of packets) origin.send(packet);
    for (const packet of packets) origin.send(packet);
    await until('every frame came', () => framesOf(server.hub.get(COPY), 'audio').length >= 20);
    expect(framesOf(server.hub.get(COPY), 'audio')).toEqual(payloads(20));
  });

  it('that can not be used has no track', async () => {
    const origin = await ScriptedOrigin.start('m=audio 0 RTP/SAVP 0\r\na=key-mgmt:mikey AAAA');
    await startPull(`rtsp://127.0.0.1:${origin.port}/x`, 'tcp');
    await until('given up', () => lines.some(({ code }) => code === 'pull/no-tracks'));
  });
});
