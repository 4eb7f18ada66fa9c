/** Many routers with transports of all kinds, made and closed, and what is left of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorker, setLogEventListeners } from '../../../src/mediasoup/index.ts';
import type { DirectTransport, Router, Transport, WebRtcServer, Worker } from '../../../src/mediasoup/types.ts';
import { type ProcessReport, REPORT_PREFIX, reportOfProcess } from './measured-worker.ts';

/** What is held at one moment. */
export interface Holding {
  readonly worker: ProcessReport;
  readonly control: ProcessReport;
  /** Open files and sockets of the worker. */
  readonly files: number;
  readonly residentBytes: number;
  /** Entities that can be asked, and those in the control process that are told something. */
  readonly handlers: readonly string[];
  readonly subscribedIds: readonly string[];
  /** Listeners of the worker, its observer and its server. */
  readonly listeners: number;
}

const PAGE_BYTES = 4096;
/** Routers that are there at a time. */
const TOGETHER = 4;
/** Longest time until sockets are closed and the worker is quiet, milliseconds. */
const SETTLE_MS = 10_000;

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const listenInfos = [listenInfo, { protocol: 'tcp', ip: '127.0.0.1' }] as const;
const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 } as const;
const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }];
const vp8 = { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 } as const;

/** Makes and closes routers in a worker process that can be measured. */
export class GrowthTrial {
  readonly worker: Worker;
  readonly #server: WebRtcServer;
  readonly #reports: ProcessReport[] = [];
  #made = 0;

  private constructor(worker: Worker, server: WebRtcServer) {
    this.worker = worker;
    this.#server = server;
  }

  static async start(): Promise<GrowthTrial> {
    const worker = await createWorker({ workerBin: join(import.meta.dirname, 'measured-worker.ts') });
    const server = await worker.createWebRtcServer({ listenInfos: [...listenInfos] });
    const trial = new GrowthTrial(worker, server);
    setLogEventListeners({ ondebug: (_, log) => trial.#log(log) });
    return trial;
  }

  close(): void {
    setLogEventListeners();
    this.worker.close();
  }

  /** So many routers with ten transports each, some at a time. */
  async run(count: number): Promise<void> {
    const endAt = this.#made + count;
    const next = async (): Promise<void> => {
      while (this.#made < endAt) await this.#one(this.#made++);
    };
    await Promise.all(Array.from({ length: TOGETHER }, next));
  }

  /** What is held now that nothing is under way. @param files that are to be open, at last */
  async holding(files?: number): Promise<Holding> {
    const { pid } = this.worker;
    const endMs = performance.now() + SETTLE_MS;
    const fileCount = (): number => readdirSync(`/proc/${pid}/fd`).length;
    while (files !== undefined && fileCount() > files && performance.now() < endMs) await pause(20);
    const dump = await this.worker.dump();
    process.kill(pid, 'SIGUSR2');
    while (this.#reports.length === 0) {
      if (performance.now() > endMs) throw new RangeError('the worker does not report');
      await pause(20);
    }
    const emitters = [this.worker, this.worker.observer, this.#server, this.#server.observer];
    return {
      worker: this.#reports.pop()!,
      control: await reportOfProcess(0),
      files: fileCount(),
      residentBytes: Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES,
      handlers: dump.channelMessageHandlers.channelRequestHandlers,
      subscribedIds: this.worker.channelForTesting.subscribedIds,
      listeners: emitters.reduce(
        (sum, emitter) =>
          sum + emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(String(name)), 0),
        0,
      ),
    };
  }

  #log(line: string): void {
    const at = line.indexOf(REPORT_PREFIX);
    if (at >= 0) this.#reports.push(JSON.parse(line.slice(at + REPORT_PREFIX.length)) as ProcessReport);
  }

  /** One more router, with all that is on it, that stays. */
  async open(): Promise<Router> {
    return (await this.#create(this.#made++)).router;
  }

  async #create(index: number): Promise<{ readonly router: Router; readonly transports: readonly Transport[] }> {
    const router = await this.worker.createRouter({ mediaCodecs: [opus, vp8] });
    const transports = await this.#transports(router);
    await this.#fill(router, transports, index);
    return { router, transports };
  }

  async #one(index: number): Promise<void> {
    const { router, transports } = await this.#create(index);
    // By its router, one by one, or from the inside out.
    if (index % 3 === 0) {
      router.close();
      return;
    }
    if (index % 3 === 1)
      for (const { producersForTesting } of transports) {
        for (const producer of producersForTesting.values()) producer.close();
      }
    for (const transport of transports) transport.close();
    router.close();
  }

  /** Ten of them, with eight sockets of their own. */
  async #transports(router: Router): Promise<Transport[]> {
    const onServer = { webRtcServer: this.#server, enableSctp: true };
    return Promise.all([
      router.createDirectTransport(),
      router.createDirectTransport(),
      router.createWebRtcTransport({ listenInfos: [...listenInfos], enableSctp: true, enableTcp: true }),
      router.createWebRtcTransport({ listenInfos: [listenInfo] }),
      router.createWebRtcTransport(onServer),
      router.createWebRtcTransport(onServer),
      router.createPlainTransport({ listenInfo, comedia: true, enableSctp: true, enableSrtp: true }),
      router.createPlainTransport({ listenInfo, rtcpMux: false }),
      router.createPipeTransport({ listenInfo, enableRtx: true, enableSrtp: true, enableSctp: true }),
      router.createPipeTransport({ listenInfo }),
    ]);
  }

  /** Producers and consumers of all kinds, and a few packets through them. */
  async #fill(router: Router, transports: readonly Transport[], index: number): Promise<void> {
    const [direct, other, ...rest] = transports as [DirectTransport, DirectTransport, ...Transport[]];
    const { rtpCapabilities } = router;
    const ssrc = 1000 + (index % 1000) * 10;
    const audio = await direct.produce({
      kind: 'audio',
      rtpParameters: { mid: 'a', codecs: [{ ...opus, payloadType: 100 }], encodings: [{ ssrc }] },
    });
    const codecs = [
      { ...vp8, payloadType: 96, rtcpFeedback: feedback },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
    ];
    const encodings = [1, 2].map((i) => ({ ssrc: ssrc + i, rtx: { ssrc: ssrc + 5 + i } }));
    const video = await direct.produce({ kind: 'video', rtpParameters: { mid: 'v', codecs, encodings } });
    const data = await direct.produceData();
    await rest[2]!.produce({ kind: 'video', rtpParameters: { mid: 'v', codecs, encodings } });
    await rest[2]!.produceData({ sctpStreamParameters: { streamId: 3 } });
    const observers = await Promise.all([router.createAudioLevelObserver(), router.createActiveSpeakerObserver()]);
    await Promise.all(observers.map((observer) => observer.addProducer({ producerId: audio.id })));
    await Promise.all([
      ...[other, ...rest].flatMap((transport) =>
        [audio, video].map(({ id: producerId }) => transport.consume({ producerId, rtpCapabilities })),
      ),
      other.consumeData({ dataProducerId: data.id }),
      rest[0]!.consumeData({ dataProducerId: data.id, ordered: true }),
      rest[4]!.consumeData({ dataProducerId: data.id, ordered: true }),
    ]);
    for (let i = 0; i < 8; i++) {
      audio.send(packet(100, ssrc, i));
      video.send(packet(96, ssrc + 1, i));
      data.send('hello');
    }
    await Promise.all([...transports, video, audio].map((one) => one.getStats()));
  }
}

/** Of VP8 it is a key frame; of Opus anything. */
function packet(payloadType: number, ssrc: number, index: number): Buffer {
  const bytes = Buffer.alloc(300, index);
  bytes.set([0x80, 0x80 | payloadType, 0, index]);
  bytes.writeUInt32BE(index * 960, 4);
  bytes.writeUInt32BE(ssrc, 8);
  bytes.set([0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01], 12);
  return bytes;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
