import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { DatagramSocket, DatagramTarget } from '../../src/io/datagram-socket.ts';
import { nodeSrtpCrypto } from '../../src/io/srtp-cipher.ts';
import { openUdpPortPair, type UdpPortPair } from '../../src/io/udp-port-pair.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import type { SrtpKeys } from '../../src/protocol/srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../src/protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/protocol/srtp/srtp-sender.ts';
import { freePort } from '../peers/free-ports.ts';
import { PeerProcess, words } from '../peers/peer-process.ts';

const SSRC = 0x1234_5678;
/** Crosses the wrap of the sequence number. */
const FIRST_SEQUENCE_NUMBER = 65_500;
const PACKETS = 80;
/** Between packets: GStreamer takes each as its own buffer, and none is lost. */
const PACE_MS = 2;

/** The names GStreamer has for a profile. */
const GSTREAMER_NAMES: Readonly<Record<SrtpProfileName, { cipher: string; auth: string; rtcpAuth: string }>> = {
  AES_CM_128_HMAC_SHA1_80: { cipher: 'aes-128-icm', auth: 'hmac-sha1-80', rtcpAuth: 'hmac-sha1-80' },
  AES_CM_128_HMAC_SHA1_32: { cipher: 'aes-128-icm', auth: 'hmac-sha1-32', rtcpAuth: 'hmac-sha1-80' },
  AEAD_AES_128_GCM: { cipher: 'aes-128-gcm', auth: 'null', rtcpAuth: 'null' },
  AEAD_AES_256_GCM: { cipher: 'aes-256-gcm', auth: 'null', rtcpAuth: 'null' },
};
const profiles = Object.keys(SRTP_PROFILES) as readonly SrtpProfileName[];

const sockets: DatagramSocket[] = [];
const pairs: UdpPortPair[] = [];
const peers: PeerProcess[] = [];

afterEach(async () => {
  for (const peer of peers) peer.kill('SIGKILL');
  await Promise.all(peers.splice(0).map((peer) => peer.exit));
  await Promise.all([...sockets.splice(0), ...pairs.splice(0)].map((socket) => socket.close()));
});

async function open(): Promise<DatagramSocket> {
  const socket = await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } });
  sockets.push(socket);
  return socket;
}

/** An even port whose neighbour is free as well, opened. */
async function openPair(): Promise<UdpPortPair> {
  for (let port = 24_000; port < 32_000; port += 2) {
    try {
      const pair = await openUdpPortPair(port, { host: '127.0.0.1' });
      pairs.push(pair);
      return pair;
    } catch {
      // Taken: the next one.
    }
  }
  throw new RangeError('no free ports');
}

function keysOf(profile: SrtpProfileName): SrtpKeys {
  const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
  return { profile, masterKey: randomBytes(keyBytes), masterSalt: randomBytes(saltBytes) };
}

function keyText({ masterKey, masterSalt }: SrtpKeys): string {
  return Buffer.concat([masterKey, masterSalt]).toString('hex');
}

function rtpPacket(i: number): Buffer {
  const packet = Buffer.concat([Buffer.alloc(12), randomBytes((i * 37) % 1200)]);
  packet.writeUInt16BE(0x8060);
  packet.writeUInt16BE((FIRST_SEQUENCE_NUMBER + i) & 0xffff, 2);
  packet.writeUInt32BE(i * 90, 4);
  packet.writeUInt32BE(SSRC, 8);
  return packet;
}

/** A sender report. */
function rtcpPacket(i: number): Buffer {
  const packet = randomBytes(28);
  packet.writeUInt32BE(0x80c8_0006);
  packet.writeUInt32BE(SSRC, 4);
  packet.writeUInt32BE(i, 24);
  return packet;
}

/** Sends each packet until one answer came, then the rest; gives what came, in order. */
async function exchange(
  packets: readonly Uint8Array[],
  send: DatagramSocket,
  to: DatagramTarget,
  receive: DatagramSocket,
): Promise<readonly Buffer[]> {
  const received: Buffer[] = [];
  receive.onMessage = (bytes) => received.push(Buffer.from(bytes));
  // Nothing says when a pipeline has its port open; what was sent before is lost, so the first packet tells.
  while (received.length === 0) {
    send.send(packets[0]!, to);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const packet of packets.slice(1)) {
    send.send(packet, to);
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  while (received.length < packets.length) await new Promise((resolve) => setTimeout(resolve, 20));
  return received;
}

describe.each(profiles)('SRTP %s', (profile) => {
  const { cipher, auth, rtcpAuth } = GSTREAMER_NAMES[profile];

  it.each(['rtp', 'rtcp'] as const)('opens what GStreamer’s srtpenc makes of %s', async (kind) => {
    const keys = keysOf(profile);
    const [plain, sealed, gstreamerPort] = [await open(), await open(), await freePort()];
    peers.push(
      PeerProcess.start({
        program: 'gst-launch-1.0',
        args: words(
          `-q udpsrc address=127.0.0.1 port=${gstreamerPort} caps=application/x-${kind} ! e.${kind}_sink_0 ` +
            `srtpenc name=e key=${keyText(keys)} rtp-cipher=${cipher} rtp-auth=${auth} rtcp-cipher=${cipher} ` +
            `rtcp-auth=${rtcpAuth} allow-repeat-tx=true e.${kind}_src_0 ! ` +
            `udpsink host=127.0.0.1 port=${sealed.port} sync=false async=false`,
        ),
        timeoutMs: 60_000,
      }),
    );
    const packets = Array.from({ length: PACKETS }, (_, i) => (kind === 'rtp' ? rtpPacket(i) : rtcpPacket(i)));
    const answers = await exchange(packets, plain, plain.target('127.0.0.1', gstreamerPort), sealed);
    const receiver = new SrtpReceiver(keys, nodeSrtpCrypto);
    const opened = answers.map((packet) => {
      const end =
        kind === 'rtp'
          ? receiver.unprotectRtp(packet, 0, packet.length)
          : receiver.unprotectRtcp(packet, 0, packet.length);
      return packet.subarray(0, end).toString('hex');
    });
    // The first packet may have been sent more than once.
    expect(opened.slice(1 - PACKETS)).toEqual(packets.slice(1).map((packet) => packet.toString('hex')));
    expect(receiver.dropped).toMatchObject({ malformed: 0, unauthentic: 0, overLimit: 0 });
  });

  it.each(['rtp', 'rtcp'] as const)('makes of %s what GStreamer’s srtpdec opens', async (kind) => {
    const keys = keysOf(profile);
    const [sealed, plain, gstreamerPort] = [await open(), await open(), await freePort()];
    const caps =
      `application/x-s${kind},ssrc=(uint)${SSRC},srtp-key=(buffer)${keyText(keys)},srtp-cipher=(string)${cipher},` +
      `srtp-auth=(string)${auth},srtcp-cipher=(string)${cipher},srtcp-auth=(string)${rtcpAuth},roc=(uint)0`;
    peers.push(
      PeerProcess.start({
        program: 'gst-launch-1.0',
        args: words(
          `-q udpsrc address=127.0.0.1 port=${gstreamerPort} caps=${caps} ! d.${kind}_sink srtpdec name=d ` +
            `d.${kind}_src ! udpsink host=127.0.0.1 port=${plain.port} sync=false async=false`,
        ),
        timeoutMs: 60_000,
      }),
    );
    const sender = new SrtpSender(keys, nodeSrtpCrypto);
    const packets = Array.from({ length: PACKETS }, (_, i) => (kind === 'rtp' ? rtpPacket(i) : rtcpPacket(i)));
    const protectedPackets = packets.map((packet) => {
      const bytes = Buffer.concat([packet, Buffer.alloc(64)]);
      const end =
        kind === 'rtp' ? sender.protectRtp(bytes, 0, packet.length) : sender.protectRtcp(bytes, 0, packet.length);
      return bytes.subarray(0, end);
    });
    const answers = await exchange(protectedPackets, sealed, sealed.target('127.0.0.1', gstreamerPort), plain);
    expect(answers.map((packet) => packet.toString('hex'))).toEqual(packets.map((packet) => packet.toString('hex')));
  });
});

describe('SRTP', () => {
  it.each([
    ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_80', {}],
    // By this name ffmpeg has the short tag for SRTCP too.
    ['AES_CM_128_HMAC_SHA1_32', 'AES_CM_128_HMAC_SHA1_32', { rtcpTagBytes: 4 }],
    ['SRTP_AES128_CM_HMAC_SHA1_32', 'AES_CM_128_HMAC_SHA1_32', {}],
  ] as const)('opens what ffmpeg sends with %s, reports included', async (suite, profile, tags) => {
    const keys = { ...keysOf(profile), ...tags };
    const pair = await openPair();
    const receiver = new SrtpReceiver(keys, nodeSrtpCrypto);
    const payloadTypes = new Set<number>();
    let reports = 0;
    const heard = new Promise<void>((resolve) => {
      let packets = 0;
      pair.rtp.onMessage = (bytes) => {
        if (receiver.unprotectRtp(bytes, 0, bytes.length) === 0) return;
        payloadTypes.add(bytes[1]! & 0x7f);
        packets++;
        if (packets >= 100 && reports > 0) resolve();
      };
    });
    pair.rtcp.onMessage = (bytes) => {
      if (receiver.unprotectRtcp(bytes, 0, bytes.length) > 0 && bytes[1] === 200) reports++;
    };
    const params = Buffer.concat([keys.masterKey, keys.masterSalt]).toString('base64');
    peers.push(
      PeerProcess.start({
        program: 'ffmpeg',
        args: words(
          `-hide_banner -nostdin -v error -re -f lavfi -i sine=d=20 -c:a pcm_mulaw -ar 8000 -f rtp ` +
            `-srtp_out_suite ${suite} -srtp_out_params ${params} srtp://127.0.0.1:${pair.rtp.port}`,
        ),
        timeoutMs: 60_000,
      }),
    );
    await heard;
    expect([...payloadTypes]).toEqual([0]);
    expect(receiver.dropped).toEqual({ malformed: 0, replayed: 0, unauthentic: 0, overLimit: 0 });
  });
});
