/** Compares what objects of the API and their workers say with what is expected. */
import type * as types from '../../../src/mediasoup/types.ts';
import type { ApiModel, Kind, ModelNode } from './api-model-state.ts';

/** What differs, in words; empty when nothing does. */
export async function problemsOf(model: ApiModel): Promise<string[]> {
  const problems: string[] = [];
  const same = (what: string, actual: readonly unknown[], expected: readonly unknown[]): void => {
    const [more, less] = [without(actual, expected), without(expected, actual)];
    if (more.length + less.length > 0) problems.push(`${what}: ${more.join()} too many, ${less.join()} missing`);
  };
  for (const node of model.seen()) {
    if (node.real.closed !== node.isClosed) problems.push(`${node.kind} ${node.id}: closed ${node.real.closed}`);
  }
  if (problems.length > 0) return problems;
  for (const worker of model.all('worker')) {
    const inIt = <K extends Kind>(kind: K): string[] => idsOf(model.all(kind).filter((node) => node.worker === worker));
    const dump = await worker.real.dump();
    same('routers of a worker', dump.routerIds, inIt('router'));
    same('servers of a worker', dump.webRtcServerIds, inIt('server'));
    same(
      'routers known to the control side',
      [...worker.real.routersForTesting].map(({ id }) => id),
      inIt('router'),
    );
    const all = model.open().filter((node) => node.worker === worker);
    same('handlers in a worker', dump.channelMessageHandlers.channelRequestHandlers, idsOf(all));
    // Nothing is told of routers and servers.
    const told = all.filter(({ kind }) => kind !== 'router' && kind !== 'server');
    same('subscriptions', worker.real.channelForTesting.subscribedIds, [String(worker.real.pid), ...idsOf(told)]);
  }
  for (const server of model.all('server')) {
    const transports = model.all('transport').filter((node) => server.children.has(node));
    same('transports of a server', (await server.real.dump()).webRtcTransportIds, idsOf(transports));
    same('transports of a server here', [...server.real.webRtcTransportsForTesting.keys()], idsOf(transports));
  }
  for (const router of model.all('router')) await checkRouter(router, model, same);
  for (const transport of model.all('transport')) await checkTransport(transport, model, same);
  for (const node of model.all('producer')) {
    same('pause of a producer', [node.real.paused, (await node.real.dump()).paused], twice(node.pausedNow));
  }
  for (const node of model.all('dataProducer')) {
    same('pause of a data producer', [node.real.paused, (await node.real.dump()).paused], twice(node.pausedNow));
  }
  for (const node of model.all('consumer')) {
    const { paused, producerPaused, priority } = await node.real.dump();
    same('pause of a consumer', [node.real.paused, paused], twice(node.isPaused));
    same('pause of its producer', [node.real.producerPaused, producerPaused], twice(node.source!.pausedNow));
    same('priority', [node.real.priority, priority], twice(node.priority));
  }
  for (const node of model.all('dataConsumer')) {
    const dump = await node.real.dump();
    same('pause of a data consumer', [node.real.paused, dump.paused], twice(node.isPaused));
    const ofProducer = [node.real.dataProducerPaused, dump.dataProducerPaused];
    same('pause of its data producer', ofProducer, twice(node.source!.pausedNow));
    same('subchannels', node.real.subchannels, dump.subchannels);
  }
  return problems;
}

type Same = (what: string, actual: readonly unknown[], expected: readonly unknown[]) => void;

async function checkRouter(router: ModelNode<'router'>, model: ApiModel, same: Same): Promise<void> {
  const inIt = <K extends Kind>(kind: K): ModelNode<K>[] => model.all(kind).filter((node) => node.router === router);
  const dump = await router.real.dump();
  same('transports of a router', dump.transportIds, idsOf(inIt('transport')));
  same('transports of a router here', [...router.real.transportsForTesting.keys()], idsOf(inIt('transport')));
  same('observers of a router', dump.rtpObserverIds, idsOf(inIt('observer')));
  const rows = (source: ModelNode, consumers: readonly ModelNode[]): string =>
    `${source.id}: ${idsOf(consumers.filter((node) => node.source === source))
      .sort()
      .join(' ')}`;
  const dumped = (map: types.RouterDump['mapProducerIdConsumerIds']): string[] =>
    map.map(({ key, values }) => `${key}: ${[...values].sort().join(' ')}`);
  const consumers = inIt('consumer');
  const dataConsumers = inIt('dataConsumer');
  same(
    'consumers of producers',
    dumped(dump.mapProducerIdConsumerIds),
    inIt('producer').map((node) => rows(node, consumers)),
  );
  same(
    'consumers of data producers',
    dumped(dump.mapDataProducerIdDataConsumerIds),
    inIt('dataProducer').map((node) => rows(node, dataConsumers)),
  );
  same(
    'consumers',
    dump.mapConsumerIdProducerId.map(({ key }) => key),
    idsOf(consumers),
  );
  same(
    'data consumers',
    dump.mapDataConsumerIdDataProducerId.map(({ key }) => key),
    idsOf(dataConsumers),
  );
  const observers = inIt('observer');
  same(
    'observers of producers',
    dumped(dump.mapProducerIdObserverIds),
    inIt('producer').map((node) => {
      const watching = observers.filter(({ observed }) => observed.has(node));
      return `${node.id}: ${idsOf(watching).sort().join(' ')}`;
    }),
  );
}

async function checkTransport(transport: ModelNode<'transport'>, model: ApiModel, same: Same): Promise<void> {
  const onIt = <K extends Kind>(kind: K): string[] =>
    idsOf(model.all(kind).filter((node) => node.transport === transport));
  const dump = await transport.real.dump();
  same('producers of a transport', dump.producerIds, onIt('producer'));
  same('producers of a transport here', [...transport.real.producersForTesting.keys()], onIt('producer'));
  same('consumers of a transport', dump.consumerIds, onIt('consumer'));
  same('data producers of a transport', dump.dataProducerIds, onIt('dataProducer'));
  same('data consumers of a transport', dump.dataConsumerIds, onIt('dataConsumer'));
}

function idsOf(nodes: readonly { readonly id: string }[]): string[] {
  return nodes.map(({ id }) => id);
}

/** Those of `items` that `others` lack, each as often as it is too many. */
function without(items: readonly unknown[], others: readonly unknown[]): unknown[] {
  const left = new Map<unknown, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

function twice<T>(value: T): readonly T[] {
  return [value, value];
}
