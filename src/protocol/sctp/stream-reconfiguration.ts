import { diff32 } from '../../wire/sequence-number.ts';
import { RECONFIG_RESULT, type ReConfigParameter, writeReConfig } from './re-config-chunk.ts';
import { MAX_STREAMS, MAX_STREAMS_PER_RESET } from './sctp-limits.ts';

/** What reconfiguration looks at of the association around it. */
export interface ReconfiguredAssociation {
  /** Whether nothing of the stream waits to be sent. */
  isDrained(streamId: number): boolean;
  /** Stops a stream while its reset is under way, and lets it go on, from sequence number 0 after a reset. */
  pauseStream(streamId: number): void;
  restartStream(streamId: number, isReset: boolean): void;
  readonly lastAssignedTsn: number;
  /** Whether everything up to this TSN has come and been delivered. */
  isDelivered(tsn: number): boolean;
  /** Numbers of inbound streams start again; empty for all. */
  resetInbound(streamIds: readonly number[]): void;
}

/** What came of a request, ours or the peer's. An empty list of streams means all. */
export type ReconfigurationEvent =
  | {
      readonly type: 'streams-reset';
      readonly direction: 'incoming' | 'outgoing';
      readonly streamIds: readonly number[];
    }
  | { readonly type: 'reset-refused'; readonly streamIds: readonly number[] }
  | { readonly type: 'streams-added'; readonly direction: 'incoming' | 'outgoing'; readonly streams: number };

/** A request of ours that is not answered. */
interface Request {
  readonly parameter: Exclude<ReConfigParameter, { readonly type: 'response' }>;
  readonly chunk: Uint8Array;
}

type OutgoingReset = Extract<ReConfigParameter, { readonly type: 'outgoing-reset' }>;

/** Resets streams and adds some, for both sides (RFC 6525 §5). One request at a time is under way each way. */
export class StreamReconfiguration {
  readonly #association: ReconfiguredAssociation;
  #nextSequence: number;
  /** Number of the peer's next request. */
  #expectedSequence: number;
  #lastResult: number = RECONFIG_RESULT.nothingToDo;
  #request: Request | undefined;
  readonly #toReset = new Set<number>();
  #toAdd = 0;
  /** The peer's request to reset streams whose data has not all come. */
  #deferred: OutgoingReset | undefined;
  /** Number of the peer's request that our next outgoing reset answers. */
  #answered: number | undefined;
  #outboundStreams: number;
  #inboundStreams: number;
  readonly events: ReconfigurationEvent[] = [];

  constructor(
    association: ReconfiguredAssociation,
    initial: {
      readonly localTsn: number;
      readonly peerTsn: number;
      readonly outboundStreams: number;
      readonly inboundStreams: number;
    },
  ) {
    this.#association = association;
    this.#nextSequence = initial.localTsn;
    this.#expectedSequence = initial.peerTsn;
    this.#outboundStreams = initial.outboundStreams;
    this.#inboundStreams = initial.inboundStreams;
  }

  get outboundStreams(): number {
    return this.#outboundStreams;
  }

  get inboundStreams(): number {
    return this.#inboundStreams;
  }

  /** Whether a request waits for its answer: the timer has to run. */
  get isWaiting(): boolean {
    return this.#request !== undefined;
  }

  /**
   * Resets outgoing streams, each after what waits on it has been sent. One whose reset is under way is reset once more
   * after that: it may have been used again in between.
   */
  reset(streamIds: readonly number[]): void {
    for (const id of streamIds) this.#toReset.add(id);
  }

  /** Asks for more outgoing streams. */
  addStreams(streams: number): void {
    this.#toAdd = Math.min(this.#toAdd + streams, MAX_STREAMS - this.#outboundStreams);
  }

  /** The next request to send, if there is one and none is under way. */
  nextChunk(): Uint8Array | undefined {
    if (this.#request !== undefined) return undefined;
    if (this.#toReset.size > 0) {
      const streamIds: number[] = [];
      for (const id of this.#toReset) {
        if (streamIds.length === MAX_STREAMS_PER_RESET) break;
        if (this.#association.isDrained(id)) streamIds.push(id);
      }
      if (streamIds.length > 0) return this.#requestReset(streamIds);
    }
    if (this.#toAdd === 0) return undefined;
    const streams = this.#toAdd;
    this.#toAdd = 0;
    return this.#begin({ type: 'add-outgoing', requestSequence: this.#nextSequence, streams });
  }

  #requestReset(streamIds: readonly number[]): Uint8Array {
    for (const id of streamIds) {
      this.#toReset.delete(id);
      this.#association.pauseStream(id);
    }
    const responseSequence = this.#answered ?? (this.#expectedSequence - 1) >>> 0;
    this.#answered = undefined;
    const { lastAssignedTsn } = this.#association;
    const requestSequence = this.#nextSequence;
    return this.#begin({ type: 'outgoing-reset', requestSequence, responseSequence, lastAssignedTsn, streamIds });
  }

  #begin(parameter: Request['parameter']): Uint8Array {
    this.#nextSequence = (this.#nextSequence + 1) >>> 0;
    this.#request = { parameter, chunk: writeReConfig([parameter]) };
    return this.#request.chunk;
  }

  /** The request under way, to be sent again. */
  repeat(): Uint8Array | undefined {
    return this.#request?.chunk;
  }

  /** Takes a RE-CONFIG of the peer; gives the answers to send. */
  handle(parameters: readonly ReConfigParameter[]): Uint8Array | undefined {
    const answers: ReConfigParameter[] = [];
    for (const parameter of parameters) {
      if (parameter.type === 'response') {
        this.#handleResponse(parameter.responseSequence, parameter.result);
        continue;
      }
      const result = this.#handleRequest(parameter);
      answers.push({ type: 'response', responseSequence: parameter.requestSequence, result });
    }
    return answers.length === 0 ? undefined : writeReConfig(answers);
  }

  /** Does a deferred reset once its data has come; gives the answer to send. */
  handleDelivered(): Uint8Array | undefined {
    const deferred = this.#deferred;
    if (deferred === undefined || !this.#association.isDelivered(deferred.lastAssignedTsn)) return undefined;
    this.#deferred = undefined;
    this.#resetInbound(deferred.streamIds);
    return writeReConfig([
      { type: 'response', responseSequence: deferred.requestSequence, result: RECONFIG_RESULT.performed },
    ]);
  }

  #handleRequest(parameter: Request['parameter']): number {
    const ahead = diff32(parameter.requestSequence, this.#expectedSequence);
    if (ahead === -1) return this.#deferred === undefined ? this.#lastResult : RECONFIG_RESULT.inProgress;
    if (ahead !== 0) return RECONFIG_RESULT.badSequenceNumber;
    // The peer may not ask again before it has the answer: what was deferred is given up.
    this.#deferred = undefined;
    this.#expectedSequence = (this.#expectedSequence + 1) >>> 0;
    this.#lastResult = this.#perform(parameter);
    return this.#deferred === undefined ? this.#lastResult : RECONFIG_RESULT.inProgress;
  }

  #perform(parameter: Request['parameter']): number {
    switch (parameter.type) {
      case 'outgoing-reset':
        // An answer to our request to reset its streams too, which we never make.
        if (parameter.streamIds.some((id) => id >= this.#inboundStreams)) return RECONFIG_RESULT.wrongSsn;
        if (this.#association.isDelivered(parameter.lastAssignedTsn)) this.#resetInbound(parameter.streamIds);
        else this.#deferred = parameter;
        return RECONFIG_RESULT.performed;
      case 'incoming-reset':
        if (parameter.streamIds.some((id) => id >= this.#outboundStreams)) return RECONFIG_RESULT.wrongSsn;
        // All streams at once: nothing of WebRTC asks for that, and what would be all is not known here.
        if (parameter.streamIds.length === 0) return RECONFIG_RESULT.denied;
        this.reset(parameter.streamIds);
        this.#answered = parameter.requestSequence;
        return RECONFIG_RESULT.performed;
      case 'tsn-reset':
        return RECONFIG_RESULT.denied;
      case 'add-outgoing':
        if (parameter.streams === 0) return RECONFIG_RESULT.nothingToDo;
        if (this.#inboundStreams + parameter.streams > MAX_STREAMS) return RECONFIG_RESULT.denied;
        this.#inboundStreams += parameter.streams;
        this.events.push({ type: 'streams-added', direction: 'incoming', streams: this.#inboundStreams });
        return RECONFIG_RESULT.performed;
      case 'add-incoming':
        if (this.#outboundStreams + this.#toAdd + parameter.streams > MAX_STREAMS) return RECONFIG_RESULT.denied;
        this.addStreams(parameter.streams);
        return RECONFIG_RESULT.performed;
    }
  }

  #resetInbound(streamIds: readonly number[]): void {
    this.#association.resetInbound(streamIds);
    this.events.push({ type: 'streams-reset', direction: 'incoming', streamIds });
  }

  #handleResponse(responseSequence: number, result: number): void {
    const parameter = this.#request?.parameter;
    if (parameter === undefined || parameter.requestSequence !== responseSequence) return;
    // The peer waits for data that is on its way: the request is sent again when the timer expires.
    if (result === RECONFIG_RESULT.inProgress) return;
    this.#request = undefined;
    const isDone = result === RECONFIG_RESULT.performed || result === RECONFIG_RESULT.nothingToDo;
    if (parameter.type === 'outgoing-reset') {
      const { streamIds } = parameter;
      for (const id of streamIds) this.#association.restartStream(id, isDone);
      if (isDone) this.events.push({ type: 'streams-reset', direction: 'outgoing', streamIds });
      else this.events.push({ type: 'reset-refused', streamIds });
    } else if (parameter.type === 'add-outgoing' && isDone) {
      this.#outboundStreams += parameter.streams;
      this.events.push({ type: 'streams-added', direction: 'outgoing', streams: this.#outboundStreams });
    }
  }
}
