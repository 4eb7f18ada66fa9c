import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import type { Frame } from '../../../src/codec/frame.ts';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { writeKeyManagementAttribute, writeKeyManagementHeader } from '../../../src/protocol/mikey/key-management.ts';
import { mikeyMessageOf } from '../../../src/protocol/mikey/mikey-srtp.ts';
import { writeMikeyMessage } from '../../../src/protocol/mikey/mikey-writer.ts';
import { rtpMapAttributes } from '../../../src/protocol/sdp/rtp-maps.ts';
import type { SrtpKeys } from '../../../src/protocol/srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../../src/protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../../src/protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../../src/protocol/srtp/srtp-sender.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { RtpPublisher } from '../../rtp-publisher.ts';
import { testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { PCMU_TRACK } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { rtcpTypes, UdpPeer } from './udp-peer.ts';

const SDP = { 'Content-Type': 'application/sdp' };
const SSRC = 0x1000;
const COUNT = 50;

let directory: string;
let certificate: { readonly cert: string; readonly key: string };
let server: Millrace;
let url: string;
let lines: Record<string, unknown>[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-srtp-'));
  certificate = await makeSelfSignedCertificate(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  lines = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  server = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', rtsps: { listen: '127.0.0.1:0', ...certificate } }),
    log: pino({ level: 'info' }, { write }),
  });
  closers.push(() => server.close());
  url = `rtsps://127.0.0.1:${server.ports.rtsps[0]}/live/x`;
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function connect(secure = true): Promise<RtspPeer> {
  const port = (secure ? server.ports.rtsps : server.ports.rtsp)[0]!;
  const peer = await RtspPeer.connect(port, { secure });
  closers.push(() => peer.close());
  return peer;
}

function stream(): Stream {
  return server.hub.getOrCreate({ vhost: DEFAULT_VHOST, app: 'live', stream: 'x' });
}

function keysOf(profile: SrtpProfileName = 'AES_CM_128_HMAC_SHA1_80'): SrtpKeys {
  const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
  return { profile, masterKey: randomBytes(keyBytes), masterSalt: randomBytes(saltBytes) };
}

function mikey(keys: SrtpKeys, rolloverCounter = 0): Uint8Array {
  return writeMikeyMessage(
    mikeyMessageOf({
      keys,
      rolloverCounters: new Map([[SSRC, rolloverCounter]]),
      cryptoSessionBundleId: 1,
      random: randomBytes(16),
      unixTimeMs: Date.now(),
    }),
  );
}

const keyMgmt = (keys: SrtpKeys): string => `a=key-mgmt:${writeKeyManagementAttribute(mikey(keys))}`;

function crypto({ profile, masterKey, masterSalt }: SrtpKeys): string {
  return `a=crypto:1 ${profile} inline:${Buffer.concat([masterKey, masterSalt]).toString('base64')}|2^31`;
}

function sdpOf(publisher: RtpPublisher, lineOfKey: string | undefined, protocol = 'RTP/SAVP'): string {
  const [{ kind, mapping }] = publisher.descriptions as [(typeof publisher.descriptions)[0]];
  const media = [
    `m=${kind} 0 ${protocol} ${mapping.payloadType}`,
    ...rtpMapAttributes(mapping).map(({ name, value }) => `a=${name}:${value}`),
    'a=control:one',
    ...(lineOfKey === undefined ? [] : [lineOfKey]),
  ];
  return `${['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=x', 't=0 0', ...media].join('\r\n')}\r\n`;
}

/** Sounds of two seconds; with their numbers from 65,530 on they cross the wrap. */
const FRAMES: readonly Frame[] = Array.from({ length: COUNT }, (_, i) => ({
  track: PCMU_TRACK,
  dtsUs: i * 40_000,
  ptsUs: i * 40_000,
  isKeyFrame: true,
  payload: new Uint8Array(320).fill(i + 1),
}));

function protectedPacket(sender: SrtpSender, packet: Uint8Array, isRtcp = false): Uint8Array {
  const bytes = new Uint8Array(packet.length + 64);
  bytes.set(packet);
  const end = isRtcp ? sender.protectRtcp(bytes, 0, packet.length) : sender.protectRtp(bytes, 0, packet.length);
  return bytes.subarray(0, end);
}

interface Publishing {
  readonly peer: RtspPeer;
  readonly publisher: RtpPublisher;
  readonly udp: UdpPeer | undefined;
  readonly send: (packet: Uint8Array, isRtcp?: boolean) => void;
}

/** ANNOUNCE, SETUP and RECORD of one track. */
async function publish(
  lineOfKey: string | undefined,
  options: {
    readonly header?: string;
    readonly transport?: 'tcp' | 'udp';
    readonly profile?: string;
  } = {},
): Promise<Publishing> {
  const { header, transport = 'tcp', profile = 'RTP/SAVP' } = options;
  const peer = await connect();
  const publisher = new RtpPublisher([PCMU_TRACK]);
  const announced = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, lineOfKey, profile));
  expect(announced.statusCode).toBe(200);
  const udp = transport === 'udp' ? await UdpPeer.open() : undefined;
  closers.push(() => udp?.close());
  const ports = udp === undefined ? '/TCP;unicast;interleaved=0-1' : `;unicast;client_port=${udp.port}-${udp.port + 1}`;
  const set = await peer.request('SETUP', `${url}/one`, {
    Session: sessionOf(announced),
    Transport: `${profile}${ports};mode=record`,
    ...(header === undefined ? {} : { KeyMgmt: header }),
  });
  expect(set.statusCode).toBe(200);
  const answered = set.headers.get('Transport') ?? '';
  expect(answered.startsWith(`${profile}${udp === undefined ? '/TCP' : ''};`)).toBe(true);
  const serverPort = Number(/server_port=(\d+)/.exec(answered)?.[1]);
  expect((await peer.request('RECORD', url, { Session: sessionOf(announced) })).statusCode).toBe(200);
  return {
    peer,
    publisher,
    udp,
    send: (packet, isRtcp = false) => {
      if (udp !== undefined) {
        udp.sendRtp(isRtcp ? serverPort + 1 : serverPort, packet);
        return;
      }
      peer.send(Uint8Array.of(0x24, isRtcp ? 1 : 0, packet.length >> 8, packet.length & 0xff));
      peer.send(packet);
    },
  };
}

function sendAll({ publisher, send }: Publishing, sender: SrtpSender): void {
  for (const frame of FRAMES) {
    for (const { bytes } of publisher.packetsOf(frame)) send(protectedPacket(sender, bytes));
  }
}

const received = (): number => stream().stats.of(PCMU_TRACK).frames;

/** What the log says of dropped packets, after the publisher left. */
async function droppedAfter({ peer }: Publishing): Promise<unknown> {
  peer.close();
  await until('the publication ended', () => lines.some(({ msg }) => msg === 'publication ended'));
  return lines.find(({ msg }) => msg === 'publication ended')!['srtp'];
}

const NONE = { malformed: 0, replayed: 0, unauthentic: 0, overLimit: 0 };

describe('a stream published as SRTP', () => {
  const keys = keysOf();
  const gcm = keysOf('AEAD_AES_256_GCM');
  const short = keysOf('AES_CM_128_HMAC_SHA1_32');
  const named: SrtpKeys = { ...keysOf(), masterKeyIdentifier: Uint8Array.of(0, 0, 0, 9) };

  it.each([
    ['a MIKEY message in the description', keys, keyMgmt(keys), {}],
    [
      'a MIKEY message in SETUP',
      keys,
      undefined,
      { header: writeKeyManagementHeader({ uri: 'x', message: mikey(keys) }) },
    ],
    [
      'another MIKEY message in SETUP than in the description',
      keys,
      keyMgmt(keysOf()),
      { header: writeKeyManagementHeader({ uri: undefined, message: mikey(keys) }) },
    ],
    ['MIKEY, AES-GCM and UDP', gcm, keyMgmt(gcm), { transport: 'udp' }],
    ['a key with an identifier', named, keyMgmt(named), {}],
    ['a crypto attribute', short, crypto(short), {}],
    ['a crypto attribute and UDP', keys, crypto(keys), { transport: 'udp' }],
    ['RTP/SAVPF', keys, keyMgmt(keys), { profile: 'RTP/SAVPF' }],
    ['RTP/SAVPF and UDP', keys, keyMgmt(keys), { profile: 'RTP/SAVPF', transport: 'udp' }],
  ] as const)('with %s is taken whole, over the wrap of the numbers', async (_, key, line, how) => {
    const publishing = await publish(line, how);
    sendAll(publishing, new SrtpSender(key, nodeSrtpCrypto));
    await until('every frame came', () => received() === COUNT);
    const { log } = stream();
    const payloads = Array.from({ length: COUNT }, (_unused, i) => log.at(log.first + i)?.payload);
    expect(payloads).toEqual(FRAMES.map(({ payload }) => payload));
    expect(await droppedAfter(publishing)).toEqual(NONE);
  });

  it.each(['tcp', 'udp'] as const)('gets protected reports, over %s', async (transport) => {
    const publishing = await publish(keyMgmt(keys), { transport });
    sendAll(publishing, new SrtpSender(keys, nodeSrtpCrypto));
    const reports = (): readonly Uint8Array[] => publishing.udp?.rtcp ?? publishing.peer.on(1);
    await publishing.peer.until(() => reports().length > 0, 'a report came');
    const report = reports()[0]!.slice();
    const end = new SrtpReceiver(keys, nodeSrtpCrypto).unprotectRtcp(report, 0, report.length);
    expect(rtcpTypes(report.subarray(0, end))).toEqual([201, 202]);
  });

  it('is told its times by protected sender reports', async () => {
    const publishing = await publish(keyMgmt(keys));
    const sender = new SrtpSender(keys, nodeSrtpCrypto);
    publishing.send(protectedPacket(sender, publishing.publisher.reportOf(0, 0).bytes, true), true);
    sendAll(publishing, sender);
    publishing.send(publishing.publisher.reportOf(0, 0).bytes, true);
    await until('every frame came', () => received() === COUNT);
    expect(await droppedAfter(publishing)).toMatchObject({ unauthentic: 1 });
  });

  it('may have wrapped before it was announced', async () => {
    const publishing = await publish(`a=key-mgmt:${writeKeyManagementAttribute(mikey(keys, 0))}`);
    const sender = new SrtpSender(keys, nodeSrtpCrypto);
    // The first that arrives is behind the wrap the receiver does not know of.
    for (const frame of FRAMES) {
      for (const { bytes } of publishing.publisher.packetsOf(frame)) {
        const packet = protectedPacket(sender, bytes);
        if (packet[2] === 0) publishing.send(packet);
      }
    }
    await until('the frames behind the wrap came', () => received() === COUNT - 6);
    expect(await droppedAfter(publishing)).toEqual(NONE);
  });
});

describe('what is dropped and counted of SRTP', () => {
  const keys = keysOf();

  it.each(['tcp', 'udp'] as const)('are packets with another key, over %s', async (transport) => {
    const publishing = await publish(keyMgmt(keys), { transport });
    sendAll(publishing, new SrtpSender(keysOf(), nodeSrtpCrypto));
    sendAll({ ...publishing, publisher: new RtpPublisher([PCMU_TRACK]) }, new SrtpSender(keys, nodeSrtpCrypto));
    await until('every frame came', () => received() === COUNT);
    expect(await droppedAfter(publishing)).toEqual({ ...NONE, unauthentic: COUNT });
  });

  it.each(['tcp', 'udp'] as const)('are packets in clear, over %s', async (transport) => {
    const publishing = await publish(keyMgmt(keys), { transport });
    for (const frame of FRAMES) {
      for (const { bytes } of new RtpPublisher([PCMU_TRACK]).packetsOf(frame)) publishing.send(bytes);
    }
    sendAll(publishing, new SrtpSender(keys, nodeSrtpCrypto));
    await until('every frame came', () => received() === COUNT);
    expect(await droppedAfter(publishing)).toEqual({ ...NONE, unauthentic: COUNT });
  });

  it('are packets that came before', async () => {
    const publishing = await publish(keyMgmt(keys));
    const sender = new SrtpSender(keys, nodeSrtpCrypto);
    for (const frame of FRAMES) {
      for (const { bytes } of publishing.publisher.packetsOf(frame)) {
        const packet = protectedPacket(sender, bytes);
        publishing.send(packet);
        publishing.send(packet);
      }
    }
    await until('every frame came', () => received() === COUNT);
    expect(await droppedAfter(publishing)).toEqual({ ...NONE, replayed: COUNT });
  });

  it('are packets one bit of which was changed', async () => {
    const publishing = await publish(keyMgmt(keys));
    const sender = new SrtpSender(keys, nodeSrtpCrypto);
    for (const [i, frame] of FRAMES.entries()) {
      for (const { bytes } of publishing.publisher.packetsOf(frame)) {
        const packet = protectedPacket(sender, bytes);
        if (i === 10) packet[40]! ^= 1;
        publishing.send(packet);
      }
    }
    await until('the other frames came', () => received() === COUNT - 1);
    expect(await droppedAfter(publishing)).toEqual({ ...NONE, unauthentic: 1 });
  });
});

describe('SRTP that is refused', () => {
  const keys = keysOf();
  const publisher = new RtpPublisher([PCMU_TRACK]);
  const tcp = { Transport: 'RTP/SAVP/TCP;unicast;interleaved=0-1;mode=record' };

  it('is a key that anybody could have read', async () => {
    const peer = await connect(false);
    const target = url.replace(/rtsps:\/\/[^/]+/, `rtsp://127.0.0.1:${server.ports.rtsp[0]}`);
    expect((await peer.request('ANNOUNCE', target, SDP, sdpOf(publisher, keyMgmt(keys)))).statusCode).toBe(403);
    expect((await peer.request('ANNOUNCE', target, SDP, sdpOf(publisher, undefined))).statusCode).toBe(403);
  });

  it.each([
    ['a track without a key', undefined, {}],
    ['a key that is none', 'a=key-mgmt:mikey AAAA', {}],
    ['a suite that is not supported', crypto(keys).replace('AES_CM_128', 'F8_128'), {}],
    ['a header with no key in it', keyMgmt(keys), { KeyMgmt: 'prot=mikey; uri=""; data="AAAA"' }],
  ])('is %s', async (_, line, header) => {
    const peer = await connect();
    const announced = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, line));
    const session = { Session: sessionOf(announced) };
    const answered = await peer.request('SETUP', `${url}/one`, { ...session, ...tcp, ...header });
    expect(answered.statusCode).toBe(466);
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(455);
  });

  it('is a transport in clear for it, and SRTP for what was announced in clear', async () => {
    const peer = await connect();
    const plain = { Transport: tcp.Transport.replace('SAVP', 'AVP') };
    const first = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, keyMgmt(keys)));
    const one = { Session: sessionOf(first) };
    expect((await peer.request('SETUP', `${url}/one`, { ...one, ...plain })).statusCode).toBe(461);
    const second = await peer.request('ANNOUNCE', url, SDP, sdpOf(publisher, undefined, 'RTP/AVP'));
    const two = { Session: sessionOf(second) };
    expect((await peer.request('SETUP', `${url}/one`, { ...two, ...tcp })).statusCode).toBe(461);
  });
});
