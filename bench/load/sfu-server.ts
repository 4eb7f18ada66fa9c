/** The measured side of the SFU benchmark: an application of the API, and the worker it starts. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { sleep } from './clock.ts';
import { BenchError } from './errors.ts';
import {
  ABS_SEND_TIME_EXTENSION_ID,
  countersOfProcess,
  MID_EXTENSION_ID,
  type PersonDescription,
  RTX_PAYLOAD_TYPE,
  type SfuServerCommand,
  type SfuSettings,
  ssrcOf,
  VP8_PAYLOAD_TYPE,
} from './sfu-protocol.ts';
import { answerCommands } from './webrtc-protocol.ts';

/** Either library: the one is a drop-in replacement of the other. */
type Library = typeof import('../../src/mediasoup/index.ts');
type Worker = Awaited<ReturnType<Library['createWorker']>>;
type Router = Awaited<ReturnType<Worker['createRouter']>>;
type Transport = Awaited<ReturnType<Router['createWebRtcTransport']>>;
type WebRtcServer = Awaited<ReturnType<Worker['createWebRtcServer']>>;
type RtpCapabilities = Router['rtpCapabilities'];
type RtpParameters = Parameters<Transport['produce']>[0]['rtpParameters'];

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
const REPAIRS = [
  { type: 'nack', parameter: '' },
  { type: 'nack', parameter: 'pli' },
];

const settings = JSON.parse(process.argv[2] ?? '{}') as SfuSettings;
let started: Promise<{ readonly worker: Worker; readonly version: string }> | undefined;

async function start(): Promise<{ readonly worker: Worker; readonly version: string }> {
  const { library, version } = await loadLibrary();
  const worker = await library.createWorker({ logLevel: 'error' }).catch((cause: Error) => {
    throw new BenchError('bench/server-start', `the worker did not start: ${cause.message}`, { cause });
  });
  worker.on('died', (error) => {
    process.stderr.write(`bench: the worker died: ${error.message}\n`);
    process.exit(1);
  });
  process.on('SIGTERM', () => {
    worker.close();
    process.exit(0);
  });
  return { worker, version };
}

/** @throws BenchError `bench/missing-program` saying what the native worker wants */
async function loadLibrary(): Promise<{ readonly library: Library; readonly version: string }> {
  if (settings.engine !== 'native') {
    const own = await import('../../src/mediasoup/index.ts');
    return { library: own, version: `millrace as mediasoup ${own.version}` };
  }
  const { MEDIASOUP_WORKER_BIN: bin, MEDIASOUP_PACKAGE: folder } = process.env;
  if (bin === undefined || !existsSync(bin)) {
    throw new BenchError('bench/missing-program', 'MEDIASOUP_WORKER_BIN has to name a mediasoup worker that is there');
  }
  const root =
    folder === undefined ? fileURLToPath(new URL('../../node_modules/mediasoup', import.meta.url)) : resolve(folder);
  const manifest = join(root, 'package.json');
  if (!existsSync(manifest)) {
    throw new BenchError(
      'bench/missing-program',
      `MEDIASOUP_PACKAGE has to name the folder of the npm package mediasoup that belongs to the worker (npm install --ignore-scripts mediasoup): no ${manifest}`,
    );
  }
  const { main = 'index.js', version: found } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, string>;
  const native = (await import(pathToFileURL(join(root, main)).href)) as Library;
  return { library: native, version: `mediasoup ${found}, worker ${bin}` };
}

/** What a viewer takes: VP8 with repairs. Without feedback on bandwidth, which the load does not send. */
function viewerCapabilities({ rtpCapabilities }: Router): RtpCapabilities {
  const { codecs = [], headerExtensions = [] } = rtpCapabilities;
  return {
    codecs: codecs.map((codec) => {
      const feedback = codec.rtcpFeedback ?? [];
      return { ...codec, rtcpFeedback: feedback.filter(({ type }) => type === 'nack' || type === 'ccm') };
    }),
    headerExtensions: headerExtensions.filter(({ uri }) => uri === MID || uri === ABS_SEND_TIME),
  };
}

function senderParameters(person: number): RtpParameters {
  const ssrc = ssrcOf(person);
  return {
    mid: '0',
    codecs: [
      { mimeType: 'video/VP8', payloadType: VP8_PAYLOAD_TYPE, clockRate: 90_000, rtcpFeedback: REPAIRS },
      {
        mimeType: 'video/rtx',
        payloadType: RTX_PAYLOAD_TYPE,
        clockRate: 90_000,
        parameters: { apt: VP8_PAYLOAD_TYPE },
      },
    ],
    headerExtensions: [
      { uri: MID, id: MID_EXTENSION_ID },
      { uri: ABS_SEND_TIME, id: ABS_SEND_TIME_EXTENSION_ID },
    ],
    encodings: [{ ssrc, rtx: { ssrc: ssrc + 1 } }],
    rtcp: { cname: `person-${person}` },
  };
}

async function describe(transport: Transport, fingerprint: string): Promise<PersonDescription> {
  await transport.connect({
    dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] },
  });
  const { iceParameters, iceCandidates, dtlsParameters } = transport;
  const own = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  return {
    iceParameters,
    candidates: iceCandidates.map(({ foundation, priority, ip, port }) => {
      return { foundation, component: 1, transport: 'udp', priority, address: ip, port, type: 'host' };
    }),
    fingerprint: own!.value,
  };
}

/** One room: a transport for each, some of whom produce, and everybody else consumes that. */
async function openRoom(
  { worker, server, room }: { readonly worker: Worker; readonly server: WebRtcServer; readonly room: number },
  fingerprint: string,
): Promise<PersonDescription[]> {
  const router = await worker.createRouter({
    mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
  });
  const capabilities = viewerCapabilities(router);
  const transports: Transport[] = [];
  for (let i = 0; i < settings.people; i++)
    transports.push(await router.createWebRtcTransport({ webRtcServer: server }));
  for (let sender = 0; sender < settings.senders; sender++) {
    const rtpParameters = senderParameters(room * settings.people + sender);
    const producer = await transports[sender]!.produce({ kind: 'video', rtpParameters });
    for (const [index, transport] of transports.entries()) {
      if (index !== sender) await transport.consume({ producerId: producer.id, rtpCapabilities: capabilities });
    }
  }
  const people: PersonDescription[] = [];
  for (const transport of transports) people.push(await describe(transport, fingerprint));
  return people;
}

async function open(worker: Worker, fingerprint: string): Promise<PersonDescription[]> {
  const server = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
  const people: PersonDescription[] = [];
  for (let room = 0; room < settings.rooms; room++)
    people.push(...(await openRoom({ worker, server, room }, fingerprint)));
  return people;
}

answerCommands<SfuServerCommand>(async (command) => {
  started ??= start();
  const { worker, version } = await started;
  if (command.type === 'open') return open(worker, command.fingerprint);
  if (command.type === 'version') return version;
  if (command.type === 'count') return countersOfProcess(worker.pid);
  // `sfu-profiled-worker.ts` hears it.
  process.kill(worker.pid, 'SIGUSR2');
  await sleep(1000);
  return undefined;
});
