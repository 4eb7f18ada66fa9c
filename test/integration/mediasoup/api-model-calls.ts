/** Calls to the API, right and wrong ones, each with what it changes in the model. */
import { NotFoundError, UnsupportedError } from '../../../src/mediasoup/errors.ts';
import type * as types from '../../../src/mediasoup/types.ts';
import type { Random } from '../../fuzz/mutator.ts';
import type { ApiModel, ModelNode } from './api-model-state.ts';

/** A call that has been made. */
export interface Call {
  readonly name: string;
  /** What it is about: with one of them closed it may be refused. */
  readonly about: readonly (ModelNode | undefined)[];
  readonly outcome: Promise<unknown>;
  /** Classes of errors one of which it must end with. */
  readonly refusals?: readonly (new (
    message?: string,
  ) => Error)[];
  /** Works on what is closed, too. */
  readonly isHarmless?: boolean;
}

/** What calls need. */
export interface CallContext {
  readonly model: ApiModel;
  readonly random: Random;
  /** Pipe transports made by name, not by `pipeToRouter`. */
  readonly ownPipes: Set<object>;
  /** Producers on their way to a worker under their own ids. */
  readonly reserved: Set<string>;
  /** For SSRCs, MIDs and streams, which are nobody else's. */
  next(): number;
}

type MakeCall = (context: CallContext) => Call | undefined;

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;

/** What routers of the test offer. */
export const mediaCodecs: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90_000 },
];

/** Most of each kind that are open at a time. */
const LIMITS = {
  server: 3,
  router: 6,
  transport: 24,
  producer: 24,
  consumer: 40,
  dataProducer: 16,
  dataConsumer: 24,
  observer: 8,
} as const;

function isFull({ model }: CallContext, kind: keyof typeof LIMITS): boolean {
  return model.all(kind).length >= LIMITS[kind];
}

const createRouter: MakeCall = (context) => {
  const worker = context.model.pick('worker', context.random);
  if (worker === undefined || isFull(context, 'router')) return undefined;
  return { name: 'createRouter', about: [worker], outcome: worker.real.createRouter({ mediaCodecs }) };
};

const createServer: MakeCall = (context) => {
  const worker = context.model.pick('worker', context.random);
  if (worker === undefined || isFull(context, 'server')) return undefined;
  const listenInfos = [listenInfo, { ...listenInfo, protocol: 'tcp' as const }];
  const outcome = worker.real.createWebRtcServer({ listenInfos });
  return { name: 'createWebRtcServer', about: [worker], outcome };
};

const createTransport: MakeCall = (context) => {
  const { model, random, ownPipes } = context;
  const router = model.pick('router', random);
  if (router === undefined || isFull(context, 'transport')) return undefined;
  const about = [router];
  switch (random.below(8)) {
    case 0:
      return {
        name: 'createPlainTransport',
        about,
        outcome: router.real.createPlainTransport({
          listenInfo,
          rtcpMux: random.below(2) === 0,
          comedia: random.below(2) === 0,
          enableSctp: true,
          enableSrtp: random.below(2) === 0,
        }),
      };
    case 1: {
      const made = router.real.createPipeTransport({ listenInfo, enableRtx: true, enableSctp: true });
      return { name: 'createPipeTransport', about, outcome: made.then((transport) => ownPipes.add(transport)) };
    }
    case 2:
      return {
        name: 'createWebRtcTransport',
        about,
        outcome: router.real.createWebRtcTransport({ listenInfos: [listenInfo], enableSctp: true }),
      };
    case 3:
    case 4: {
      const servers = model.all('server').filter(({ worker }) => worker === router.worker);
      if (servers.length === 0) return undefined;
      const server = random.pick(servers);
      const outcome = router.real.createWebRtcTransport({ webRtcServer: server.real, enableSctp: true });
      return { name: 'createWebRtcTransport on a server', about: [router, server], outcome };
    }
    default:
      return { name: 'createDirectTransport', about, outcome: router.real.createDirectTransport() };
  }
};

function senderOf(kind: 'audio' | 'video', number: number, random: Random): types.RtpParameters {
  const mid = `m${number}`;
  const ssrc = 100_000 + number * 10;
  const rtcp = { cname: `c${number}` };
  if (kind === 'audio') {
    const opus = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 };
    const level = { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' as const, id: 10 };
    return { mid, codecs: [opus], headerExtensions: [level], encodings: [{ ssrc }], rtcp };
  }
  const isVp9 = random.below(3) === 0;
  const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }];
  const codecs = [
    { mimeType: isVp9 ? 'video/VP9' : 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback: feedback },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
  ];
  const simulcast = [0, 1, 2].map((i) => ({ ssrc: ssrc + i, rtx: { ssrc: ssrc + 5 + i }, scalabilityMode: 'L1T3' }));
  const single = [{ ssrc, rtx: { ssrc: ssrc + 5 }, ...(isVp9 ? { scalabilityMode: 'L3T3' } : {}) }];
  return { mid, codecs, encodings: !isVp9 && random.below(2) === 0 ? simulcast : single, rtcp };
}

const produce: MakeCall = (context) => {
  const { model, random } = context;
  const transport = model.pick('transport', random);
  if (transport === undefined || isFull(context, 'producer')) return undefined;
  const kind = random.below(2) === 0 ? 'audio' : 'video';
  const rtpParameters = senderOf(kind, context.next(), random);
  const outcome = transport.real.produce({ kind, rtpParameters, paused: random.below(4) === 0 });
  return { name: 'produce', about: [transport], outcome };
};

const consume: MakeCall = (context) => {
  const { model, random } = context;
  const transport = model.pick('transport', random);
  if (transport === undefined || isFull(context, 'consumer')) return undefined;
  const producers = model.all('producer').filter(({ router }) => router === transport.router);
  if (producers.length === 0) return undefined;
  const producer = random.pick(producers);
  const { rtpCapabilities } = transport.router!.real;
  const outcome = transport.real.consume({
    producerId: producer.id,
    rtpCapabilities,
    paused: random.below(2) === 0,
    pipe: random.below(5) === 0,
    preferredLayers: { spatialLayer: random.below(4), temporalLayer: random.below(4) },
  });
  return { name: 'consume', about: [transport, producer], outcome };
};

const produceData: MakeCall = (context) => {
  const transport = context.model.pick('transport', context.random);
  if (transport === undefined || isFull(context, 'dataProducer')) return undefined;
  const sctpStreamParameters = { streamId: context.next() % 60_000, ordered: true };
  const outcome = transport.real.produceData({
    ...(transport.real.type === 'direct' ? {} : { sctpStreamParameters }),
    label: 'label',
    paused: context.random.below(4) === 0,
  });
  return { name: 'produceData', about: [transport], outcome };
};

const consumeData: MakeCall = (context) => {
  const { model, random } = context;
  const transport = model.pick('transport', random);
  if (transport === undefined || isFull(context, 'dataConsumer')) return undefined;
  const producers = model.all('dataProducer').filter(({ router }) => router === transport.router);
  if (producers.length === 0) return undefined;
  const producer = random.pick(producers);
  const outcome = transport.real.consumeData({
    dataProducerId: producer.id,
    paused: random.below(3) === 0,
    ...(random.below(2) === 0 ? { subchannels: [random.below(9), 9] } : {}),
    // A direct producer has no stream to take this from.
    ...(producer.real.type === 'direct' ? { ordered: true } : {}),
  });
  return { name: 'consumeData', about: [transport, producer], outcome };
};

const createObserver: MakeCall = (context) => {
  const router = context.model.pick('router', context.random);
  if (router === undefined || isFull(context, 'observer')) return undefined;
  const isLevels = context.random.below(2) === 0;
  const outcome = isLevels
    ? router.real.createAudioLevelObserver({ maxEntries: 3, interval: 250 })
    : router.real.createActiveSpeakerObserver();
  return { name: 'createObserver', about: [router], outcome };
};

const observe: MakeCall = ({ model, random }) => {
  const observer = model.pick('observer', random);
  const producers = model.all('producer').filter(({ router }) => router === observer?.router);
  if (observer === undefined || producers.length === 0) return undefined;
  const producer = random.pick(producers);
  const about = [observer, producer];
  if (random.below(3) > 0) {
    const outcome = observer.real.addProducer({ producerId: producer.id });
    // They listen to sound only.
    if (producer.real.kind === 'video') return { name: 'addProducer of video', about, outcome, refusals: [TypeError] };
    observer.observed.add(producer);
    return { name: 'addProducer', about, outcome };
  }
  observer.observed.delete(producer);
  return { name: 'removeProducer', about, outcome: observer.real.removeProducer({ producerId: producer.id }) };
};

const PAUSED_KINDS = ['producer', 'consumer', 'dataProducer', 'dataConsumer', 'observer'] as const;

const pauseOrResume: MakeCall = ({ model, random }) => {
  const node = model.pick(random.pick(PAUSED_KINDS), random);
  if (node === undefined) return undefined;
  const isPause = random.below(2) === 0;
  node.isPaused = isPause;
  const outcome = isPause ? node.real.pause() : node.real.resume();
  return { name: `${node.kind}.${isPause ? 'pause' : 'resume'}`, about: [node], outcome };
};

const tune: MakeCall = ({ model, random }) => {
  const consumer = model.pick('consumer', random);
  const dataConsumer = model.pick('dataConsumer', random);
  const transport = model.pick('transport', random);
  const choice = random.below(9);
  if (choice < 4 && consumer !== undefined) {
    const about = [consumer];
    const { real } = consumer;
    if (choice === 0) {
      const layers = { spatialLayer: random.below(5), temporalLayer: random.below(5) };
      return { name: 'setPreferredLayers', about, outcome: real.setPreferredLayers(layers) };
    }
    if (choice === 1) {
      consumer.priority = 1 + random.below(255);
      return { name: 'setPriority', about, outcome: real.setPriority(consumer.priority) };
    }
    if (choice === 2) return { name: 'requestKeyFrame', about, outcome: real.requestKeyFrame() };
    return { name: 'enableTraceEvent', about, outcome: real.enableTraceEvent(['rtp', 'keyframe', 'pli']) };
  }
  if (choice < 7 && dataConsumer !== undefined) {
    const about = [dataConsumer];
    const { real } = dataConsumer;
    if (choice === 4) return { name: 'setSubchannels', about, outcome: real.setSubchannels([random.below(9), 9]) };
    if (choice === 5) return { name: 'addSubchannel', about, outcome: real.addSubchannel(random.below(9)) };
    return { name: 'removeSubchannel', about, outcome: real.removeSubchannel(random.below(9)) };
  }
  if (transport === undefined) return undefined;
  const about = [transport];
  if (choice === 7) return { name: 'enableTraceEvent', about, outcome: transport.real.enableTraceEvent(['bwe']) };
  const outcome = transport.real.setMaxIncomingBitrate(1_000_000);
  return {
    name: 'setMaxIncomingBitrate',
    about,
    outcome,
    ...(isDirect(transport) ? { refusals: [UnsupportedError] } : {}),
  };
};

function isDirect(transport: ModelNode<'transport'>): boolean {
  return transport.real.type === 'direct';
}

const ASKED_KINDS = ['transport', 'producer', 'consumer', 'dataProducer', 'dataConsumer'] as const;

const ask: MakeCall = ({ model, random }) => {
  if (random.below(6) === 0) {
    const node = model.pick(random.pick(['worker', 'router', 'server'] as const), random);
    return node && { name: `${node.kind}.dump`, about: [node], outcome: node.real.dump() };
  }
  const node = model.pick(random.pick(ASKED_KINDS), random);
  if (node === undefined) return undefined;
  const isDump = random.below(2) === 0;
  const outcome = isDump ? node.real.dump() : node.real.getStats();
  return { name: `${node.kind}.${isDump ? 'dump' : 'getStats'}`, about: [node], outcome };
};

const restartIce: MakeCall = ({ model, random }) => {
  const transport = model.pick('transport', random);
  if (transport?.real.type !== 'webrtc') return undefined;
  const outcome = (transport.real as types.WebRtcTransport).restartIce();
  return { name: 'restartIce', about: [transport], outcome };
};

const connect: MakeCall = (context) => {
  const { model, random } = context;
  const transport = model.pick('transport', random);
  if (transport === undefined) return undefined;
  // Whether plain ones take it hangs on how they were made.
  if (transport.real.type === 'plain' || transport.isPiped) return undefined;
  const value = Array.from({ length: 32 }, () => 'AB').join(':');
  const fingerprints = [{ algorithm: 'sha-256' as const, value }];
  const outcome = {
    webrtc: () =>
      (transport.real as types.WebRtcTransport).connect({ dtlsParameters: { role: 'client', fingerprints } }),
    pipe: () => (transport.real as types.PipeTransport).connect({ ip: '127.0.0.1', port: 9 }),
    direct: () => (transport.real as types.DirectTransport).connect(),
  }[transport.real.type]();
  const isAgain = transport.isConnected && transport.real.type !== 'direct';
  transport.isConnected = true;
  return {
    name: 'connect',
    about: [transport],
    outcome,
    // Nothing has to be done for a direct one, open or closed.
    ...(transport.real.type === 'direct' ? { isHarmless: true } : {}),
    ...(isAgain ? { refusals: [Error] } : {}),
  };
};

const askWorker: MakeCall = ({ model, random }) => {
  const [worker, router] = [model.pick('worker', random), model.pick('router', random)];
  if (worker === undefined || router === undefined) return undefined;
  if (random.below(4) === 0) router.real.updateMediaCodecs(mediaCodecs);
  // It answers at once, whatever is asked.
  const producer = model.pick('producer', random);
  const { rtpCapabilities } = router.real;
  if (producer !== undefined) {
    const canConsume = router.real.canConsume({ producerId: producer.id, rtpCapabilities });
    if (canConsume !== (!producer.real.closed && producer.router === router)) {
      // With the id kept, another router has a producer of this name.
      const isNamesake = model.all('producer').some(({ id, router: other }) => id === producer.id && other === router);
      if (!isNamesake) throw new RangeError(`canConsume says ${canConsume} of ${producer.id}`);
    }
  }
  const outcome =
    random.below(2) === 0 ? worker.real.getResourceUsage() : worker.real.updateSettings({ logLevel: 'none' });
  return { name: 'worker.getResourceUsage or updateSettings', about: [worker], outcome };
};

const pipeToRouter: MakeCall = (context) => {
  const { model, random, reserved } = context;
  const router = model.pick('router', random);
  const target = model.pick('router', random);
  if (router === undefined || target === undefined || target === router || isFull(context, 'transport'))
    return undefined;
  const isData = random.below(3) === 0;
  const sources = model.all(isData ? 'dataProducer' : 'producer').filter((node) => node.router === router);
  if (sources.length === 0) return undefined;
  const source = random.pick<ModelNode<'producer' | 'dataProducer'>>(sources);
  // Those there are serve again, unless somebody closes them meanwhile.
  const pipes = model.pipesBetween(router, target);
  const key = `${target.worker!.id} ${source.id}`;
  const isThere = model.seen().some(({ id, worker }) => id === source.id && worker === target.worker);
  const keepId = !isThere && !reserved.has(key);
  if (keepId) reserved.add(key);
  const made = router.real.pipeToRouter({
    ...(isData ? { dataProducerId: source.id } : { producerId: source.id }),
    router: target.real,
    keepId,
  });
  const outcome = made.then(({ pipeConsumer, pipeProducer, pipeDataConsumer, pipeDataProducer }) => {
    const [near, far] = isData
      ? [model.nodeOf('dataConsumer', pipeDataConsumer!), model.nodeOf('dataProducer', pipeDataProducer!)]
      : [model.nodeOf('consumer', pipeConsumer!), model.nodeOf('producer', pipeProducer!)];
    model.pipe(source, near, far);
  });
  return { name: 'pipeToRouter', about: [router, target, source, ...pipes], outcome };
};

const send: MakeCall = ({ model, random }) => {
  const producer = model.pick('producer', random);
  const dataProducer = model.pick('dataProducer', random);
  const packet = Buffer.from(Uint8Array.from({ length: 12 + random.below(60) }, () => random.below(256)));
  // The channel of a dead worker takes nothing, at once.
  if (producer?.worker?.isClosed === true || dataProducer?.worker?.isClosed === true) return undefined;
  if (producer?.transport?.real.type === 'direct' && random.below(2) === 0) {
    packet.set([0x80, 0x80 | producer.real.rtpParameters.codecs[0]!.payloadType]);
    packet.writeUInt32BE(producer.real.rtpParameters.encodings![0]!.ssrc!, 8);
    producer.real.send(packet);
  } else if (dataProducer?.real.type === 'direct') {
    dataProducer.real.send(packet, undefined, [9]);
  } else {
    return undefined;
  }
  return { name: 'send', about: [], outcome: Promise.resolve(), isHarmless: true };
};

const close: MakeCall = (context) => {
  const { model, random } = context;
  // Big ones take all others with them, and come seldom.
  const kinds = ['consumer', 'producer', 'dataConsumer', 'dataProducer', 'observer', 'transport'] as const;
  const big = ['router', 'server'] as const;
  const node = random.below(25) === 0 ? model.pick(random.pick(big), random) : model.pick(random.pick(kinds), random);
  if (node === undefined) return undefined;
  model.close(node);
  return { name: `${node.kind}.close`, about: [], outcome: Promise.resolve(), isHarmless: true };
};

/** Closes what a pipe made, which the others go with. */
const closePiped: MakeCall = ({ model, random }) => {
  const piped = model.open().filter(({ isPiped }) => isPiped);
  if (piped.length === 0) return undefined;
  const node = random.pick(piped);
  model.close(node);
  return { name: `piped ${node.kind}.close`, about: [], outcome: Promise.resolve(), isHarmless: true };
};

const wrong: MakeCall = ({ model, random }) => {
  const [router, transport] = [model.pick('router', random), model.pick('transport', random)];
  const [consumer, observer] = [model.pick('consumer', random), model.pick('observer', random)];
  const producer = model.pick('producer', random);
  const { rtpCapabilities } = router?.real ?? {};
  const none = { codecs: [], headerExtensions: [] };
  const parameters = senderOf('audio', 0, random);
  const aiff = { ...parameters, codecs: [{ mimeType: 'audio/x-aiff', payloadType: 9, clockRate: 8000 }] };
  const calls: readonly (() => Call | undefined)[] = [
    () =>
      router && refused('plain without address', [router], router.real.createPlainTransport({} as never), TypeError),
    () =>
      router &&
      refused('webrtc with no place', [router], router.real.createWebRtcTransport({ listenInfos: [] }), TypeError),
    () =>
      router &&
      refused(
        'a pipe to itself',
        [router],
        router.real.pipeToRouter({ producerId: 'x', router: router.real }),
        TypeError,
      ),
    () => {
      const other = model.pick('router', random);
      if (router === undefined || other === undefined || other === router) return undefined;
      const outcome = router.real.pipeToRouter({ producerId: 'nobody', router: other.real });
      return refused('a pipe of nobody', [router], outcome, NotFoundError);
    },
    () =>
      transport &&
      refused(
        'a wrong kind',
        [transport],
        transport.real.produce({ kind: 'x' as 'audio', rtpParameters: parameters }),
        TypeError,
      ),
    () =>
      transport &&
      refused(
        'a codec the router lacks',
        [transport],
        transport.real.produce({ kind: 'audio', rtpParameters: aiff }),
        UnsupportedError,
      ),
    () =>
      transport &&
      rtpCapabilities &&
      refused(
        'a producer there is not',
        [transport],
        transport.real.consume({ producerId: 'nobody', rtpCapabilities }),
        NotFoundError,
      ),
    () => {
      const own = model.all('producer').filter((node) => node.router === transport?.router);
      // Pipes ask for no capabilities.
      if (transport === undefined || transport.real.type === 'pipe' || own.length === 0) return undefined;
      const producerId = random.pick(own).id;
      const outcome = transport.real.consume({ producerId, rtpCapabilities: none });
      return refused('a consumer of no codec', [transport], outcome, UnsupportedError);
    },
    () =>
      transport &&
      refused(
        'a data producer there is not',
        [transport],
        transport.real.consumeData({ dataProducerId: 'nobody' }),
        NotFoundError,
      ),
    () =>
      transport &&
      refused(
        'a text for a bitrate',
        [transport],
        transport.real.setMaxOutgoingBitrate('x' as never),
        TypeError,
        UnsupportedError,
      ),
    () => transport && refused('a wrong trace', [transport], transport.real.enableTraceEvent([7] as never), TypeError),
    () => consumer && refused('priority 0', [consumer], consumer.real.setPriority(0), TypeError),
    () => consumer && refused('no layers', [consumer], consumer.real.setPreferredLayers({} as never), TypeError),
    () =>
      observer && refused('a stranger', [observer], observer.real.addProducer({ producerId: 'nobody' }), NotFoundError),
    () => {
      if (producer?.transport === undefined || producer.isClosed) return undefined;
      const outcome = producer.transport.real.produce({ id: producer.id, kind: 'audio', rtpParameters: parameters });
      return refused('an id that is taken', [producer], outcome, TypeError);
    },
  ];
  return random.pick(calls)();
};

function refused(
  name: string,
  about: readonly ModelNode[],
  outcome: Promise<unknown>,
  ...refusals: readonly (new (
    message?: string,
  ) => Error)[]
): Call {
  return { name, about, outcome, refusals };
}

const weights: readonly (readonly [number, MakeCall])[] = [
  [3, createRouter],
  [1, createServer],
  [12, createTransport],
  [12, produce],
  [14, consume],
  [8, produceData],
  [9, consumeData],
  [3, createObserver],
  [6, observe],
  [12, pauseOrResume],
  [9, tune],
  [12, ask],
  [1, restartIce],
  [3, connect],
  [3, askWorker],
  [4, pipeToRouter],
  [6, send],
  [13, close],
  [1, closePiped],
  [8, wrong],
];

const table: readonly MakeCall[] = weights.flatMap(([weight, call]) => Array.from({ length: weight }, () => call));

/** Makes one call, by chance. */
export function makeCall(context: CallContext): Call {
  for (;;) {
    const call = context.random.pick(table)(context);
    if (call !== undefined) return call;
  }
}
