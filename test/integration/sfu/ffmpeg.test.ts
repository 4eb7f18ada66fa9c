import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';

const run = promisify(execFile);

/** A port nobody has at the moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

it('ffmpeg sends VP8 and Opus to plain transports of a worker, and another ffmpeg records what it forwards', {
  timeout: 60_000,
}, async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'millrace-sfu-'));
  const worker = await createWorker();
  try {
    const router = await worker.createRouter({
      mediaCodecs: [
        { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
        { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
      ],
    });
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
    const media = [
      { kind: 'video', mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, ssrc: 1111 },
      { kind: 'audio', mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, ssrc: 2222 },
    ] as const;
    const sdp = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    const targets: string[] = [];
    const opened = [];
    for (const one of media) {
      const { kind, ssrc, ...codec } = one;
      const from = await router.createPlainTransport({ listenInfo, comedia: true, rtcpMux: false });
      const producer = await from.produce({ kind, rtpParameters: { codecs: [codec], encodings: [{ ssrc }] } });
      const rtcp = from.rtcpTuple!.localPort;
      targets.push(
        `[select=${kind === 'video' ? 'v' : 'a'}:f=rtp:ssrc=${ssrc}:payload_type=${codec.payloadType}]rtp://127.0.0.1:${from.tuple.localPort}?rtcpport=${rtcp}`,
      );
      const to = await router.createPlainTransport({ listenInfo, rtcpMux: false });
      let port = await freePort();
      port -= port % 2;
      await to.connect({ ip: '127.0.0.1', port, rtcpPort: port + 1 });
      const consumer = await to.consume({
        producerId: producer.id,
        rtpCapabilities: router.rtpCapabilities,
        paused: true,
      });
      const { payloadType } = consumer.rtpParameters.codecs[0]!;
      const name = kind === 'video' ? 'VP8/90000' : 'opus/48000/2';
      sdp.push(`m=${kind} ${port} RTP/AVP ${payloadType}`, `a=rtpmap:${payloadType} ${name}`);
      opened.push({ producer, consumer, from, to });
    }
    const description = path.join(directory, 'in.sdp');
    await writeFile(description, `${sdp.join('\r\n')}\r\n`);
    const file = path.join(directory, 'out.mkv');
    const input = '-f lavfi -i testsrc=size=320x240:rate=25 -f lavfi -i sine=frequency=440 -map 0:v -map 1:a -t 30';
    const codecs = '-c:v libvpx -deadline realtime -g 25 -b:v 300k -c:a libopus -f tee';
    const sender = spawn('ffmpeg', [
      ...`-nostdin -loglevel error -re ${input} ${codecs}`.split(' '),
      targets.join('|'),
    ]);
    try {
      const options = '-nostdin -loglevel error -y -protocol_whitelist file,udp,rtp';
      const receiving = run('ffmpeg', [...options.split(' '), '-i', description, '-t', '4', '-c', 'copy', file]);
      for (const { consumer } of opened) await consumer.resume();
      await receiving;
    } finally {
      sender.kill();
    }
    const probe = [
      '-v',
      'error',
      '-count_frames',
      '-show_entries',
      'stream=codec_name,nb_read_frames',
      '-of',
      'csv=p=0',
      file,
    ];
    const { stdout } = await run('ffprobe', probe);
    const frames = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(',')),
    );
    // How many depends on how long the recorder takes to begin, and on when the first key frame comes.
    expect(Number(frames['vp8'])).toBeGreaterThan(25);
    expect(Number(frames['opus'])).toBeGreaterThan(50);
    for (const { producer, consumer, from } of opened) {
      expect(from.tuple.remotePort).toBeGreaterThan(0);
      const [stat] = await producer.getStats();
      expect(stat).toMatchObject({ type: 'inbound-rtp', packetsLost: 0, score: 10 });
      expect((await consumer.dump()).type).toBe('simple');
    }
  } finally {
    worker.close();
    await rm(directory, { recursive: true });
  }
});
