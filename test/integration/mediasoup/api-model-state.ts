/** What is expected of objects of the API: which there are, who closes whom, what is paused. */
import type * as types from '../../../src/mediasoup/types.ts';
import type { Random } from '../../fuzz/mutator.ts';

/** What each kind of node stands for. */
export interface RealOf {
  worker: types.Worker;
  server: types.WebRtcServer;
  router: types.Router;
  transport: types.Transport;
  producer: types.Producer;
  consumer: types.Consumer;
  dataProducer: types.DataProducer;
  dataConsumer: types.DataConsumer;
  observer: types.RtpObserver;
}

export type Kind = keyof RealOf;

/** Closed ones that are still asked things, to be refused. */
const GRAVEYARD = 30;

/** One object of the API. */
export class ModelNode<K extends Kind = Kind> {
  readonly kind: K;
  readonly id: string;
  readonly real: RealOf[K];
  /** Those that close when it closes. */
  readonly children: Set<ModelNode> = new Set();
  readonly worker: ModelNode<'worker'> | undefined;
  readonly router: ModelNode<'router'> | undefined;
  readonly transport: ModelNode<'transport'> | undefined;
  /** Of a consumer, media or data: what it consumes. */
  source: ModelNode | undefined;
  /** Of a producer that a pipe made: the one it repeats. */
  pipedFrom: ModelNode | undefined;
  isClosed = false;
  /** As it was told last. */
  isPaused = false;
  priority = 1;
  /** `connect()` was called. */
  isConnected = false;
  /** A pipe made it: it follows others, and is left alone. */
  isPiped = false;
  /** Of an observer. */
  readonly observed: Set<ModelNode> = new Set();

  constructor(kind: K, id: string, real: RealOf[K], parent: ModelNode | undefined) {
    this.kind = kind;
    this.id = id;
    this.real = real;
    this.worker = nearest('worker', parent);
    this.router = nearest('router', parent);
    this.transport = nearest('transport', parent);
  }

  /** Whether it is paused, or what it repeats is. */
  get pausedNow(): boolean {
    return this.pipedFrom?.pausedNow ?? this.isPaused;
  }
}

function tupleOf({ real }: ModelNode<'transport'>): types.TransportTuple {
  return (real as types.PipeTransport).tuple;
}

function nearest<K extends 'worker' | 'router' | 'transport'>(
  kind: K,
  parent: ModelNode | undefined,
): ModelNode<K> | undefined {
  if (parent === undefined || parent.kind === kind) return parent as ModelNode<K> | undefined;
  return parent[kind] as ModelNode<K> | undefined;
}

/** All objects there are. New ones are learned of by the events of observers, as applications can. */
export class ApiModel {
  readonly #alive = new Set<ModelNode>();
  readonly #graveyard: ModelNode[] = [];
  readonly #serverOf = new WeakMap<object, ModelNode>();

  addWorker(worker: types.Worker): ModelNode<'worker'> {
    const node = this.#add('worker', String(worker.pid), worker, undefined);
    worker.observer.on('newrouter', (router) => this.#addRouter(router, node));
    worker.observer.on('newwebrtcserver', (server) => {
      const known = this.#add('server', server.id, server, node);
      server.observer.on('webrtctransporthandled', (transport) => {
        // The router's observer tells of it a moment later.
        this.#serverOf.set(transport, known);
      });
    });
    return node;
  }

  /** Those that are open, of one kind. */
  all<K extends Kind>(kind: K): ModelNode<K>[] {
    return [...this.#alive].filter((node): node is ModelNode<K> => node.kind === kind);
  }

  /** All that are open, workers apart. */
  open(): ModelNode[] {
    return [...this.#alive].filter(({ kind }) => kind !== 'worker');
  }

  /** All that are open, and those closed a while ago. */
  seen(): ModelNode[] {
    return [...this.#alive, ...this.#graveyard];
  }

  /** One of a kind, now and then one that is closed; undefined when there is none. */
  pick<K extends Kind>(kind: K, random: Random): ModelNode<K> | undefined {
    const dead = random.below(20) === 0;
    const nodes = dead
      ? this.#graveyard.filter((node): node is ModelNode<K> => node.kind === kind)
      : this.all(kind).filter(({ isPiped }) => !isPiped);
    return nodes.length === 0 ? undefined : random.pick(nodes);
  }

  nodeOf<K extends Kind>(_kind: K, real: RealOf[K]): ModelNode<K> | undefined {
    return [...this.#alive, ...this.#graveyard].find((node): node is ModelNode<K> => node.real === real) ?? undefined;
  }

  /** Closes an object, and in the model all that goes with it. */
  close(node: ModelNode): void {
    this.expectClosed(node);
    (node.real as { close(): void }).close();
  }

  /** The object is to be closed by now, with all that depend on it. */
  expectClosed(node: ModelNode): void {
    if (node.isClosed) return;
    node.isClosed = true;
    this.#alive.delete(node);
    this.#graveyard.push(node);
    for (const child of node.children) this.expectClosed(child);
  }

  /** The transports that join two routers. */
  pipesBetween(near: ModelNode<'router'>, far: ModelNode<'router'>): ModelNode<'transport'>[] {
    const isFar = (node: ModelNode): boolean => node.kind === 'transport' && node.router === far;
    return this.all('transport').filter(
      ({ isPiped, router, children }) => isPiped && router === near && [...children].some(isFar),
    );
  }

  /** What `pipeToRouter` made: each side closes the other. */
  pipe(source: ModelNode, near: ModelNode | undefined, far: ModelNode | undefined): void {
    if (near === undefined || far === undefined) throw new RangeError('a pipe nobody was told of');
    far.pipedFrom = source;
    for (const node of [near, far, near.transport, far.transport]) if (node !== undefined) node.isPiped = true;
    this.#join(near, far);
    this.#join(near.transport!, far.transport!);
  }

  /**
   * When no call is under way: forgets those closed long ago, and notes what pipes have come to, those too that failed
   * half-way.
   * @param own transports the test made by itself
   */
  settle(own: ReadonlySet<object>): void {
    while (this.#graveyard.length > GRAVEYARD && this.#graveyard[0]!.real.closed) this.#graveyard.shift();
    const pipes = this.all('transport').filter(({ real, isPiped }) => real.type === 'pipe' && !isPiped);
    for (const node of pipes.filter(({ real }) => !own.has(real))) {
      const { localPort, remotePort } = tupleOf(node);
      const other = pipes.find((one) => tupleOf(one).remotePort === localPort && tupleOf(one).localPort === remotePort);
      if (other === undefined) {
        // Its pair was given up.
        this.expectClosed(node);
        continue;
      }
      node.isPiped = true;
      this.#join(node, other);
    }
    for (const kind of ['consumer', 'dataConsumer', 'producer', 'dataProducer'] as const) {
      const given = this.all(kind).filter(({ isPiped, transport }) => transport?.isPiped === true && !isPiped);
      for (const node of given) this.expectClosed(node);
    }
  }

  #join(a: ModelNode, b: ModelNode): void {
    a.children.add(b);
    b.children.add(a);
    if (a.isClosed) this.expectClosed(b);
    if (b.isClosed) this.expectClosed(a);
  }

  #add<K extends Kind>(kind: K, id: string, real: RealOf[K], parent: ModelNode | undefined): ModelNode<K> {
    const node = new ModelNode(kind, id, real, parent);
    this.#alive.add(node);
    if (parent !== undefined) this.#link(parent, node);
    return node;
  }

  /** `child` closes with `parent`. */
  #link(parent: ModelNode, child: ModelNode): void {
    parent.children.add(child);
    if (parent.isClosed) this.expectClosed(child);
  }

  #addRouter(router: types.Router, worker: ModelNode<'worker'>): void {
    const node = this.#add('router', router.id, router, worker);
    router.observer.on('newtransport', (transport) => this.#addTransport(transport, node));
    router.observer.on('newrtpobserver', (observer) => void this.#add('observer', observer.id, observer, node));
  }

  #addTransport(transport: types.Transport, router: ModelNode<'router'>): void {
    const node = this.#add('transport', transport.id, transport, router);
    const server = this.#serverOf.get(transport);
    if (server !== undefined) this.#link(server, node);
    transport.observer.on('newproducer', (producer) => {
      this.#add('producer', producer.id, producer, node).isPaused = producer.paused;
    });
    transport.observer.on('newdataproducer', (producer) => {
      this.#add('dataProducer', producer.id, producer, node).isPaused = producer.paused;
    });
    transport.observer.on('newconsumer', (consumer) => {
      this.#consumes(this.#add('consumer', consumer.id, consumer, node), 'producer', consumer.producerId);
    });
    transport.observer.on('newdataconsumer', (consumer) => {
      this.#consumes(this.#add('dataConsumer', consumer.id, consumer, node), 'dataProducer', consumer.dataProducerId);
    });
  }

  #consumes(node: ModelNode<'consumer' | 'dataConsumer'>, kind: 'producer' | 'dataProducer', id: string): void {
    node.isPaused = node.real.paused;
    const isIt = (other: ModelNode): boolean => other.kind === kind && other.id === id && other.router === node.router;
    const source = [...this.#alive].find(isIt) ?? this.#graveyard.findLast(isIt);
    if (source === undefined) throw new RangeError(`${node.kind} ${node.id} consumes what nobody was told of`);
    node.source = source;
    this.#link(source, node);
  }
}
