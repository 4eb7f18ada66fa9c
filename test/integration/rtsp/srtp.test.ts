import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import { parseMikeyMessage } from '../../../src/protocol/mikey/mikey-reader.ts';
import { srtpOf } from '../../../src/protocol/mikey/mikey-srtp.ts';
import { keyManagementsOf } from '../../../src/protocol/sdp/security-attributes.ts';
import { parseSessionDescription } from '../../../src/protocol/sdp/session-description-parser.ts';
import { SrtpReceiver } from '../../../src/protocol/srtp/srtp-receiver.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { rtcpTypes } from './udp-peer.ts';

const SAVP = { Transport: 'RTP/SAVP/TCP;unicast;interleaved=0-1' };

let directory: string;
let certificate: { readonly cert: string; readonly key: string };
let server: LocalServer;
let stream: LiveStream;
let url: string;
const peers: RtspPeer[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-srtp-'));
  certificate = await makeSelfSignedCertificate(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'realtime', rtsps: { listen: '127.0.0.1:0', ...certificate } });
  url = `rtsps://127.0.0.1:${server.millrace.ports.rtsps[0]}/live/x`;
  stream = new LiveStream(server, 'live/x');
  stream.push(30);
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await server.close();
});

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.millrace.ports.rtsps[0]!, { secure: true });
  peers.push(peer);
  return peer;
}

/** What a client learns of track 1: how to decrypt it. */
async function receiver(peer: RtspPeer): Promise<SrtpReceiver> {
  const described = await peer.request('DESCRIBE', `${url}?srtp`);
  const description = parseSessionDescription(described.body)!;
  expect(description.media.map(({ protocol }) => protocol)).toEqual(['RTP/SAVP', 'RTP/SAVP']);
  const message = parseMikeyMessage(keyManagementsOf(description.media[0]!)[0]!.data);
  if (message instanceof Error) throw message;
  const srtp = srtpOf(message);
  if (srtp instanceof Error) throw srtp;
  return new SrtpReceiver(srtp.keys, nodeSrtpCrypto, srtp);
}

describe('SRTP', () => {
  it('is sent to all who ask for it as the same packets, which the key of the description opens', async () => {
    const [first, second] = [await connect(), await connect()];
    const receivers = [await receiver(first), await receiver(second)];
    for (const peer of [first, second]) {
      const setUp = await peer.request('SETUP', `${url}/track1?srtp`, SAVP);
      expect(setUp.headers.get('Transport')).toMatch(/^RTP\/SAVP\/TCP;unicast;interleaved=0-1;ssrc=/);
      await peer.request('PLAY', `${url}/?srtp`, { Session: sessionOf(setUp) });
    }
    stream.push(5);
    for (const peer of [first, second]) await peer.until(() => peer.on(0).length === 10, 'packets came');
    expect(second.on(0)).toEqual(first.on(0));
    for (const [i, peer] of [first, second].entries()) {
      for (const [n, packet] of peer.on(0).entries()) {
        const end = receivers[i]!.unprotectRtp(packet, 0, packet.length);
        expect(end).toBe(packet.length - 10);
        expect(packet[12]! & 0x1f).toBe(n === 0 ? 5 : 1);
        expect(packet.subarray(20, end).every((byte) => byte === packet[20])).toBe(true);
      }
    }
    stream.end();
    await first.until(() => first.on(1).length === 2, 'a report and a BYE came');
    const types = first
      .on(1)
      .map((packet) => rtcpTypes(packet.subarray(0, receivers[0]!.unprotectRtcp(packet, 0, packet.length))));
    expect(types).toEqual([
      [200, 202],
      [201, 202, 203],
    ]);
    expect(receivers.map(({ dropped }) => dropped.unauthentic)).toEqual([0, 0]);
  });

  it('and packets in clear are not mixed up', async () => {
    const peer = await connect();
    const plain = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
    expect((await peer.request('SETUP', `${url}/track1?srtp`, plain)).statusCode).toBe(461);
    expect((await peer.request('SETUP', `${url}/track1`, SAVP)).statusCode).toBe(461);
    expect((await peer.request('SETUP', `${url}/track1`, plain)).statusCode).toBe(200);
  });

  it('has no key for who could be listened to', async () => {
    const peer = await RtspPeer.connect(server.rtspPort);
    peers.push(peer);
    const target = `rtsp://127.0.0.1:${server.rtspPort}/live/x?srtp`;
    expect((await peer.request('DESCRIBE', target)).statusCode).toBe(403);
    expect((await peer.request('SETUP', target, SAVP)).statusCode).toBe(403);
  });
});
