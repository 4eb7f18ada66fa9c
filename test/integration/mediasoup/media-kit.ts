/** A worker with its media in this process, and packets for it: what depends on no kind of worker is tested here. */
import { afterEach } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type {
  Producer,
  ProducerOptions,
  Router,
  RouterRtpCodecCapability,
  Worker,
} from '../../../src/mediasoup/types.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';

export const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };

export const codecs: readonly RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];

export const AUDIO_SSRC = 1111;
export const AUDIO_PAYLOAD_TYPE = 111;

export const audio: ProducerOptions = {
  kind: 'audio',
  rtpParameters: {
    mid: 'a',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: AUDIO_PAYLOAD_TYPE,
        clockRate: 48000,
        channels: 2,
        parameters: { useinbandfec: 1, usedtx: 1 },
      },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 }],
    encodings: [{ ssrc: AUDIO_SSRC }],
    rtcp: { cname: 'me' },
    msid: 's t',
  },
};

/** VP8 in two sizes, with RTX. */
export const simulcast: ProducerOptions = {
  kind: 'video',
  rtpParameters: {
    mid: 'v',
    codecs: [
      {
        mimeType: 'video/vp8',
        payloadType: 112,
        clockRate: 90000,
        rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'goog-remb' }],
      },
      { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
    ],
    headerExtensions: [{ uri: 'urn:3gpp:video-orientation', id: 13 }],
    encodings: [
      { ssrc: 21, rtx: { ssrc: 22 }, scalabilityMode: 'L1T3' },
      { ssrc: 23, rtx: { ssrc: 24 }, scalabilityMode: 'L1T3' },
    ],
    rtcp: { cname: 'me' },
  },
};

const workers: Worker[] = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.close();
});

/** Closed after the test. */
export async function startWorker(): Promise<Worker> {
  const worker = await createWorker({ inProcess: true });
  workers.push(worker);
  return worker;
}

/** A router of a worker of its own. */
export async function startRouter(): Promise<Router> {
  return (await startWorker()).createRouter({ mediaCodecs: [...codecs] });
}

/** Sends packets of audio to a producer of a direct transport, 20 ms of sound each; with levels in dBov from 0 to −127. */
export function sendAudio(producer: Producer, count: number, first = 0, level?: number): void {
  for (let i = first; i < first + count; i++) {
    const packet = {
      payloadType: AUDIO_PAYLOAD_TYPE,
      sequenceNumber: i & 0xffff,
      timestamp: 960 * i,
      ssrc: producer.rtpParameters.encodings![0]!.ssrc!,
      marker: false,
      payload: new Uint8Array(50).fill(7),
      ...(level === undefined
        ? {}
        : { extensionProfile: 0xbede, extension: Uint8Array.of(0x10, 0x80 | (-level & 0x7f), 0, 0) }),
    };
    const bytes = Buffer.alloc(rtpPacketSize(packet));
    writeRtpPacket(packet, bytes);
    producer.send(bytes);
  }
}

/** Names of the fields, in order of the alphabet. */
export function fieldsOf(value: object): string[] {
  return Object.keys(value).sort();
}

/** The words of a text, to list names by. */
export function names(text: string): string[] {
  return text.split(' ');
}
