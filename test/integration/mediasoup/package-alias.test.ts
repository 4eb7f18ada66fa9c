/** What is published, under the name mediasoup: in ES modules, in CommonJS and for TypeScript. Uses what `npm run build` made. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../../src/mediasoup/version.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Names of the values that npm's own mediasoup 3.27.1 exports. */
const VALUES = (
  'createWorker errors extras getSupportedRtpCapabilities observer ortc parseScalabilityMode ' +
  'setLogEventListeners version workerBin'
).split(' ');

/** Every type that npm's own mediasoup 3.27.1 exports. */
const TYPES = `
  ActiveSpeakerObserver ActiveSpeakerObserverDominantSpeaker ActiveSpeakerObserverEvents
  ActiveSpeakerObserverObserver ActiveSpeakerObserverObserverEvents ActiveSpeakerObserverOptions AppData
  AudioLevelObserver AudioLevelObserverEvents AudioLevelObserverObserver AudioLevelObserverObserverEvents
  AudioLevelObserverOptions AudioLevelObserverVolume BaseConsumerDump BaseRtpStreamStats BaseTransportDump
  BaseTransportStats BitrateByLayer Consumer ConsumerDump ConsumerEvents ConsumerLayers ConsumerObserver
  ConsumerObserverEvents ConsumerOptions ConsumerScore ConsumerStat ConsumerTraceEventData ConsumerTraceEventType
  ConsumerType DataConsumer DataConsumerDump DataConsumerEvents DataConsumerObserver DataConsumerObserverEvents
  DataConsumerOptions DataConsumerStat DataConsumerType DataProducer DataProducerDump DataProducerEvents
  DataProducerObserver DataProducerObserverEvents DataProducerOptions DataProducerStat DataProducerType
  DirectTransport DirectTransportDump DirectTransportEvents DirectTransportObserver DirectTransportObserverEvents
  DirectTransportOptions DirectTransportStat DtlsFingerprint DtlsParameters DtlsRole DtlsState Either
  FingerprintAlgorithm IceCandidate IceCandidateTcpType IceCandidateType IceParameters IceRole IceState
  IceUserNameFragment IpPort LogEventListeners MediaKind NotFoundError Observer ObserverEvents PipeConsumerDump
  PipeConsumerOptions PipeToRouterOptions PipeToRouterResult PipeTransport PipeTransportDump PipeTransportEvents
  PipeTransportObserver PipeTransportObserverEvents PipeTransportOptions PipeTransportPair PipeTransportStat
  PlainTransport PlainTransportDump PlainTransportEvents PlainTransportObserver PlainTransportObserverEvents
  PlainTransportOptions PlainTransportStat Producer ProducerDump ProducerEvents ProducerObserver
  ProducerObserverEvents ProducerOptions ProducerScore ProducerStat ProducerTraceEventData ProducerTraceEventType
  ProducerType ProducerVideoOrientation RecvRtpHeaderExtensions Router RouterDump RouterEvents RouterObserver
  RouterObserverEvents RouterOptions RouterRtpCapabilities RouterRtpCodecCapability RtcpFeedback RtcpParameters
  RtpCapabilities RtpCodecCapability RtpCodecParameters RtpEncodingParameters RtpHeaderExtension
  RtpHeaderExtensionDirection RtpHeaderExtensionParameters RtpHeaderExtensionUri RtpListenerDump RtpObserver
  RtpObserverEvents RtpObserverObserver RtpObserverObserverEvents RtpObserverType RtpParameters RtpStreamDump
  RtpStreamParametersDump RtpStreamRecvStats RtpStreamSendStats RtxStreamDump RtxStreamParameters ScalabilityMode
  SctpListenerDump SctpNegotiatedCapabilities SctpParameters SctpState SctpStreamParameters SimpleConsumerDump
  SimulcastConsumerDump SrtpCryptoSuite SrtpParameters SvcConsumerDump Transport TransportEvents
  TransportListenInfo TransportListenIp TransportObserver TransportObserverEvents TransportPortRange
  TransportProtocol TransportSocketFlags TransportTraceEventData TransportTraceEventType TransportTuple
  TransportType UnsupportedError WebRtcServer WebRtcServerDump WebRtcServerEvents WebRtcServerListenInfo
  WebRtcServerObserver WebRtcServerObserverEvents WebRtcServerOptions WebRtcTransport WebRtcTransportDump
  WebRtcTransportEvents WebRtcTransportObserver WebRtcTransportObserverEvents WebRtcTransportOptions
  WebRtcTransportStat Worker WorkerClosedError WorkerDump WorkerEvents WorkerLogLevel WorkerLogTag WorkerObserver
  WorkerObserverEvents WorkerResourceUsage WorkerSettings WorkerUpdateableSettings
`;

/** Those of versions since 3.7 that it has no more. */
const OLD_TYPES = 'InvalidStateError NumSctpStreams SctpCapabilities';

/** What an application does first, and prints. */
const BODY = `
  const worker = await mediasoup.createWorker({ logLevel: 'error' });
  const router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 }] });
  const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
  const candidates = transport.iceCandidates.length;
  worker.close();
  const error = await worker.createRouter().catch((error) => error);
  const isClosed = error instanceof WorkerClosedError;
  console.log(JSON.stringify([mediasoup.version, candidates, isClosed, parseScalabilityMode('L3T2').spatialLayers]));
`;
const PRINTED = JSON.stringify([version, 1, true, 3]);

const PROGRAMS: Readonly<Record<string, string>> = {
  'namespace.mjs': `
    import * as mediasoup from 'mediasoup';
    import { parseScalabilityMode } from 'mediasoup';
    import { WorkerClosedError } from 'mediasoup/errors';
    ${BODY}`,
  'default.mjs': `
    import mediasoup from 'mediasoup';
    import { errors, parseScalabilityMode } from 'mediasoup';
    const { WorkerClosedError } = errors;
    ${BODY}`,
  'require.cjs': `
    const mediasoup = require('mediasoup');
    const { parseScalabilityMode } = mediasoup;
    const { InvalidStateError: WorkerClosedError } = require('mediasoup/node/lib/errors');
    void (async () => { ${BODY} })();`,
  'default-of-millrace.mjs': `
    import mediasoup, { parseScalabilityMode } from 'millrace/mediasoup';
    import { WorkerClosedError } from 'millrace/mediasoup/errors';
    ${BODY}`,
};

/** Compiled, not run: what applications of several years write. */
const TYPED = `
  import * as mediasoup from 'mediasoup';
  import { types, type createWorker } from 'mediasoup';
  import type { Consumer, Producer, RtpCapabilities } from 'mediasoup/types';
  import type { WebRtcTransportOptions, Worker, WorkerSettings } from 'mediasoup/types';
  import type { Router } from 'mediasoup/node/lib/Router';
  import type { DtlsParameters } from 'mediasoup/node/lib/types';
  import { EnhancedEventEmitter } from 'mediasoup/extras';
  import { WorkerClosedError } from 'mediasoup/errors';
  import * as ortc from 'mediasoup/ortc';

  export class Room extends EnhancedEventEmitter<{ closed: [reason: string] }> {
    constructor(readonly router: Router<{ name: string }>) { super(); }
    name(): string { return this.router.appData.name; }
    leave(): boolean { return this.safeEmit('closed', 'left'); }
  }
  export async function run(settings: WorkerSettings, make: typeof createWorker): Promise<types.Worker> {
    const worker: Worker = await make(settings);
    worker.on('died', (error: Error) => console.error(error));
    const options: WebRtcTransportOptions = { listenIps: [{ ip: '127.0.0.1', announcedIp: '1.2.3.4' }] };
    const transport: types.WebRtcTransport = await (await worker.createRouter()).createWebRtcTransport(options);
    await transport.connect({ dtlsParameters: {} as DtlsParameters });
    const error: WorkerClosedError = new mediasoup.errors.WorkerClosedError('over');
    if (error instanceof WorkerClosedError) return worker;
    return mediasoup.createWorker();
  }
  export const may = (producer: Producer, caps: RtpCapabilities): boolean => ortc.canConsume(producer.rtpParameters, caps);
  export const layersOf = (consumer: Consumer): types.ConsumerLayers | undefined => consumer.currentLayers;
  // @ts-expect-error Types are there, and strict.
  export const wrong: types.Worker = 'a worker';
`;

describe('the package millrace-mediasoup as mediasoup', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-alias-'));
    const modules = join(folder, 'node_modules');
    await mkdir(modules);
    for (const [name, source] of [
      ['millrace', root],
      ['mediasoup', join(root, 'packages/mediasoup')],
    ] as const) {
      // As npm unpacks what it has packed, without asking a registry for anything.
      const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
      const { stdout } = await run('npm', args, { cwd: source });
      const filename = /"filename": "([^"]+)"/.exec(stdout)![1]!;
      await mkdir(join(modules, name));
      await run('tar', ['xzf', join(folder, filename), '-C', join(modules, name), '--strip-components=1']);
    }
    await mkdir(join(modules, '@types'));
    const { dependencies } = await manifestOf(root);
    for (const name of [...Object.keys(dependencies), '@types/node']) {
      await symlink(join(root, 'node_modules', name), join(modules, name));
    }
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.keys(PROGRAMS))('runs %s', async (name) => {
    await writeFile(join(folder, name), PROGRAMS[name]!);
    const { stdout, stderr } = await run(process.execPath, [join(folder, name)]);
    expect({ printed: stdout.trim(), stderr }).toEqual({ printed: PRINTED, stderr: '' });
  });

  it('has the names mediasoup has, for import and for require', async () => {
    const program = `
      import * as imported from 'mediasoup';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('mediasoup');
      const names = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports');
      console.log(JSON.stringify([names.sort(), Object.keys(required).sort(), imported.default === required]));`;
    await writeFile(join(folder, 'names.mjs'), program);
    const { stdout } = await run(process.execPath, [join(folder, 'names.mjs')]);
    expect(JSON.parse(stdout)).toEqual([VALUES, VALUES, true]);
  });

  it.each([
    ['nodenext', ['mts', 'cts']],
    ['node18', ['mts', 'cts']],
    ['preserve', ['ts']],
  ] as const)('is compiled by TypeScript with module %s', async (module, extensions) => {
    const files: string[] = [];
    for (const extension of extensions) {
      for (const [name, text] of [
        ['typed', TYPED],
        [
          'all-types',
          `import type { ${`${TYPES} ${OLD_TYPES}`.trim().replaceAll(/\s+/g, ', ')} } from 'mediasoup/types';`,
        ],
      ] as const) {
        files.push(join(folder, `${name}-${module}.${extension}`));
        await writeFile(files.at(-1)!, text);
      }
    }
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', module, '--types', 'node'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compile = run(process.execPath, [tsc, ...options, '--target', 'es2023', ...files], { cwd: folder });
    const { stdout } = await compile.catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  it('says the version of the API, and takes the Millrace beside it', async () => {
    const alias = await manifestOf(join(root, 'packages/mediasoup'));
    const millrace = await manifestOf(root);
    expect(alias.version).toBe(version);
    const [major, minor] = millrace.version.split('.');
    expect(alias.dependencies).toEqual({ millrace: `^${major}.${minor}.0` });
  });

  it('has each file of JavaScript with its types', async () => {
    const files = await readdir(join(root, 'packages/mediasoup/node/lib'));
    const names = (ending: string): string[] =>
      files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
    expect(names('.d.ts').sort()).toEqual(names('.js').sort());
  });
});
