/** Who is loud and who speaks, heard from what GStreamer sends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { Producer, Router, Worker } from '../../../src/mediasoup/types.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { PeerProcess } from '../../peers/peer-process.ts';
import { gstToneSender, type RtpTrack, type Tone } from '../../peers/rtp-programs.ts';

const LEVEL = { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 6 } as const;

let worker: Worker;

beforeAll(async () => {
  worker = await createWorker({ inProcess: true });
});

afterAll(() => worker.close());

function newRouter(): Promise<Router> {
  return worker.createRouter({
    mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A producer, and where it will be sent tones. */
async function newSpeaker(router: Router, ssrc: number): Promise<{ producer: Producer; readonly track: RtpTrack }> {
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    comedia: true,
  });
  const codec = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 };
  const rtpParameters = { codecs: [codec], headerExtensions: [LEVEL], encodings: [{ ssrc }] };
  const producer = await transport.produce({ kind: 'audio', rtpParameters });
  const { localPort: port } = transport.tuple;
  const track = { kind: 'audio', codec: 'opus', payloadType: 100, ssrc, localPort: 0, port, rtcpPort: port } as const;
  return { producer, track };
}

/** Has GStreamer send tones of all speakers at the same time. */
function speak(
  ...voices: readonly (readonly [{ readonly track: RtpTrack }, ...tones: readonly Tone[]])[]
): PeerProcess {
  return PeerProcess.start(gstToneSender(voices.map(([{ track }, ...tones]) => ({ track, tones }))));
}

/** Of a sine with that amplitude. */
function dBov(amplitude: number): number {
  return Math.round(20 * Math.log10(amplitude / Math.SQRT2));
}

describe.concurrent('an observer tells', () => {
  it('volumes of those above the threshold, the loudest first, and silence once at the end', async () => {
    const router = await newRouter();
    const observer = await router.createAudioLevelObserver({ interval: 250, threshold: -60, maxEntries: 2 });
    const speakers = await Promise.all([1, 2, 3, 4].map((ssrc) => newSpeaker(router, ssrc)));
    const amplitudes = [0.05, 0.5, 0.000_05, 0.2];
    for (const { producer } of speakers) await observer.addProducer({ producerId: producer.id });
    const heard: { producer: Producer; volume: number }[][] = [];
    let silences = 0;
    observer.on('volumes', (volumes) => heard.push(volumes));
    observer.on('silence', () => silences++);
    // Nobody was heard yet: no silence is told of that.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([heard.length, silences]).toEqual([0, 0]);
    // The one that is too quiet goes on longest.
    const seconds = [2, 1, 2.8, 2];
    await speak(
      ...speakers.map((one, i) => [one, { amplitude: amplitudes[i]!, seconds: seconds[i]! }] as const),
    ).succeeded();
    await until(() => silences > 0);
    const orders = heard.map((volumes) =>
      volumes.map(({ producer }) => speakers.findIndex((one) => one.producer === producer)),
    );
    expect(orders.every((order) => order.length <= 2 && !order.includes(2))).toBe(true);
    // The loudest two, and when one of them is silent the next.
    expect(orders).toContainEqual([1, 3]);
    expect(orders).toContainEqual([3, 0]);
    for (const volumes of heard) {
      for (const { producer, volume } of volumes) {
        const wanted = dBov(amplitudes[speakers.findIndex((one) => one.producer === producer)]!);
        expect(Math.abs(volume - wanted), `${volume} instead of ${wanted}`).toBeLessThanOrEqual(2);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(silences).toBe(1);
  });

  it('the dominant speaker changes with who speaks, not with who coughs', async () => {
    const router = await newRouter();
    const observer = await router.createActiveSpeakerObserver({ interval: 100 });
    const [anna, bert, carl] = await Promise.all([newSpeaker(router, 1), newSpeaker(router, 2), newSpeaker(router, 3)]);
    const names = new Map([anna, bert, carl].map(({ producer }, i) => [producer.id, 'ABC'[i]]));
    for (const { producer } of [anna, bert, carl]) await observer.addProducer({ producerId: producer.id });
    const dominant: (string | undefined)[] = [];
    observer.on('dominantspeaker', ({ producer }) => dominant.push(names.get(producer.id)));
    const quiet = 0.000_3;
    await speak(
      [
        anna,
        { amplitude: 0.3, seconds: 1 },
        { amplitude: quiet, seconds: 0.4 },
        { amplitude: 0.3, seconds: 0.8 },
        { amplitude: quiet, seconds: 2 },
      ],
      [bert, { amplitude: quiet, seconds: 2.2 }, { amplitude: 0.3, seconds: 2 }],
      // In a pause of Anna's.
      [
        carl,
        { amplitude: quiet, seconds: 1.1 },
        { amplitude: 0.6, seconds: 0.25 },
        { amplitude: quiet, seconds: 2.85 },
      ],
    ).succeeded();
    // At first it is any of them.
    const changes = dominant[0] === 'A' ? dominant : dominant.slice(1);
    expect(changes).toEqual(['A', 'B']);
    // Who is gone is dominant no more: another becomes it.
    bert.producer.close();
    await until(() => dominant.length > 2 && dominant.at(-1) !== 'B');
  });

  it('what is paused is not heard, and what is taken out of it neither', async () => {
    const router = await newRouter();
    const observer = await router.createAudioLevelObserver({ interval: 250, maxEntries: 4 });
    const [one, other] = await Promise.all([newSpeaker(router, 1), newSpeaker(router, 2)]);
    for (const { producer } of [one, other]) await observer.addProducer({ producerId: producer.id });
    expect((await router.dump()).mapProducerIdObserverIds).toEqual([
      { key: one.producer.id, values: [observer.id] },
      { key: other.producer.id, values: [observer.id] },
    ]);
    let heard: readonly (readonly string[])[] = [];
    let silences = 0;
    observer.on('volumes', (volumes) => {
      heard = [...heard, volumes.map(({ producer }) => (producer === one.producer ? 'one' : 'other')).toSorted()];
    });
    observer.on('silence', () => silences++);
    const tone = { amplitude: 0.3, seconds: 6 };
    const program = speak([one, tone], [other, tone]);
    const next = async (wanted: string): Promise<void> => {
      heard = [];
      await until(() => heard.some((names) => names.join() === wanted));
      // And it stays so.
      const { length } = heard;
      await until(() => heard.length > length);
      expect(heard.at(-1)!.join()).toBe(wanted);
    };
    await next('one,other');
    await one.producer.pause();
    await next('other');
    await one.producer.resume();
    await next('one,other');
    await observer.removeProducer({ producerId: other.producer.id });
    await next('one');
    await observer.pause();
    await until(() => silences === 1);
    heard = [];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(heard).toEqual([]);
    await observer.resume();
    await next('one');
    await program.stop();
  });

  it('the level alone, whether or not the header says that it is a voice', async () => {
    const router = await newRouter();
    const transport = await router.createDirectTransport();
    const codec = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 };
    const rtpParameters = { codecs: [codec], headerExtensions: [LEVEL], encodings: [{ ssrc: 9 }] };
    const producer = await transport.produce({ kind: 'audio', rtpParameters });
    const observer = await router.createAudioLevelObserver({ interval: 250, threshold: -40 });
    await observer.addProducer({ producerId: producer.id });
    const heard: number[] = [];
    observer.on('volumes', (volumes) => heard.push(...volumes.map(({ volume }) => volume)));
    for (let i = 0; heard.length < 2; i++) {
      const fields = { marker: false, payloadType: 100, sequenceNumber: i, timestamp: i * 960, ssrc: 9 };
      const voice = i % 2 === 0 ? 0x80 : 0;
      const elements = writeExtensionElements([{ id: LEVEL.id, data: Uint8Array.of(voice | 20) }]);
      const packet = { ...fields, payload: new Uint8Array(40), ...elements };
      const bytes = Buffer.alloc(rtpPacketSize(packet));
      writeRtpPacket(packet, bytes);
      producer.send(bytes);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(heard).toEqual([-20, -20]);
  });
});
