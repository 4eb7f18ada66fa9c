import { endSoon } from '../../io/end-soon.ts';
import type { UpgradeSocket } from '../../io/http-listener.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { releaseBytes } from '../../io/release-bytes.ts';
import { stopFlow } from '../../io/stop-flow.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { MessageReader } from './message-reader.ts';
import type { Endpoint } from './server-delegate.ts';

/** So many bytes may wait behind a request that is being answered before the peer is no longer read from. */
export const READ_AHEAD_BYTES = 65_536;

/**
 * Who ended its half may wait for answers (HTTP/1.0 clients do) or be gone: it does not show. So requests that came before
 * are answered for so long, milliseconds.
 */
export const HALF_CLOSED_MS = 3000;

const NOTHING = new Uint8Array(0);

/** Who gets the raw bytes of a connection that speaks something else now. They are valid during the call. */
export type RawInputHandler = (bytes: Uint8Array) => void;

/** The server's side of a connection: what it makes of messages, and what it wants to know. */
export interface ConnectionOwner<Message, Request> {
  /** Messages behind an open request are read, as far as `mustWait` lets them through. */
  readonly readsAhead: boolean;
  readonly writeQueueLimit: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** 0 is never. */
  readonly idleTimeoutMs: number;
  /** Whether a message has to wait until the open request was answered. */
  mustWait(message: Message): boolean;
  handleMessage(connection: DelegateConnection<Message, Request>, message: Message): void;
  handleRaw(connection: DelegateConnection<Message, Request>, handler: RawInputHandler, bytes: Uint8Array): void;
  handleDrain(connection: DelegateConnection<Message, Request>): void;
  /** A request did not come in time; `hasBegun` says whether some of it came. */
  handleTimeout(connection: DelegateConnection<Message, Request>, hasBegun: boolean): void;
  handleOverflow(connection: DelegateConnection<Message, Request>): void;
  /** Called once, in a turn of its own. */
  handleClosed(connection: DelegateConnection<Message, Request>): void;
}

/** What a connection is made of. */
export interface DelegateConnectionOptions<Message, Request> {
  readonly id: number;
  readonly socket: UpgradeSocket;
  readonly reader: MessageReader<Message>;
  readonly owner: ConnectionOwner<Message, Request>;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly secure: boolean;
}

/** `ending`: asked to close, nothing is read or written any more; `gone`: told so. */
type State = 'open' | 'ending' | 'gone';

/**
 * One connection of an embeddable server: reads as fast as requests are answered, writes up to a limit, and closes only
 * in a turn of the event loop that is nobody's callback. What it reads means nothing to it: that is its owner's part.
 */
export class DelegateConnection<Message, Request> {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly secure: boolean;
  readonly #socket: UpgradeSocket;
  readonly #reader: MessageReader<Message>;
  readonly #owner: ConnectionOwner<Message, Request>;
  /** The request that was handed over and not answered yet. */
  #openRequest: Request | undefined;
  /** The message that waits for its answer. */
  #held: Message | undefined;
  #rawInput: RawInputHandler | undefined;
  /** Bytes behind the message that was followed by raw input, not yet handed over. */
  #rawRest: Uint8Array | undefined;
  /** Requests sent to the peer. */
  #sentRequests = 0;
  #state: State = 'open';
  /** A callback of this connection is running: nothing else of it is called until that returns. */
  #isBusy = false;
  #isReadScheduled = false;
  #isPaused = false;
  #peerEnded = false;
  #endedMs = 0;
  #hasMessage = false;
  #wasInsideMessage = false;
  #hasWritten = false;
  /** When the message that is being read began, or the connection fell idle, milliseconds. */
  #sinceMs: number;
  readonly #onData = (bytes: Uint8Array): void => this.#takeRead(bytes);
  readonly #onEnd = (): void => this.#takeEnd();
  readonly #onDrain = (): void => {
    if (this.#state !== 'open') return;
    this.#isBusy = true;
    this.#owner.handleDrain(this);
    this.#isBusy = false;
    this.#scheduleRead();
  };
  // 'close' follows and does the work; an error without a listener would be thrown.
  readonly #onError = (): void => undefined;
  readonly #onClose = (): void => this.#leave();

  constructor(options: DelegateConnectionOptions<Message, Request>) {
    this.id = options.id;
    this.remote = options.remote;
    this.local = options.local;
    this.secure = options.secure;
    this.#socket = options.socket;
    this.#reader = options.reader;
    this.#owner = options.owner;
    this.#sinceMs = nodeClock.nowMs();
    this.#socket.on('error', this.#onError);
    this.#socket.on('close', this.#onClose);
  }

  /** False as soon as closing was asked for, by whomever. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get openRequest(): Request | undefined {
    return this.#openRequest;
  }

  /** The peer will send nothing more. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Bytes written that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Begins to read. */
  start(): void {
    if (this.#state !== 'open') return;
    this.#socket.on('drain', this.#onDrain);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('data', this.#onData);
  }

  /** Runs a callback; what it brings about for this connection waits until it has returned. */
  guard(callback: () => void): void {
    this.#isBusy = true;
    callback();
    this.#isBusy = false;
    this.#scheduleRead();
  }

  /** A number for the next request to the peer, from 1. */
  nextRequestNumber(): number {
    return ++this.#sentRequests;
  }

  /**
   * Writes shared bytes, without copying them. False when the connection is closing, or is given up now because too
   * much waits: one write into an empty queue is taken whatever its size, more than `writeQueueLimit` in all is not.
   */
  write(bytes: Uint8Array): boolean {
    if (!this.#hasRoomFor(bytes.length)) return false;
    this.#socket.write(bytes);
    return true;
  }

  /** Two writes that leave together, or not at all. */
  writePair(first: Uint8Array, second: Uint8Array): boolean {
    if (!this.#hasRoomFor(first.length + second.length)) return false;
    this.#socket.cork();
    this.#socket.write(first);
    this.#socket.write(second);
    this.#socket.uncork();
    return true;
  }

  /** From now on `request` is the open one: others wait until `answered`. */
  open(request: Request): void {
    this.#openRequest = request;
  }

  /** The open request was answered: the next one may come, in the running loop or a turn of its own. */
  answered(): void {
    this.#openRequest = undefined;
    this.#sinceMs = nodeClock.nowMs();
    if (!this.#isBusy) this.#scheduleRead();
  }

  /** Bytes as if the peer had sent them on this connection. Closes it when too much waits already. */
  inject(bytes: Uint8Array): boolean {
    if (this.#state !== 'open') return false;
    if (this.#isBlocked() && this.#reader.unreadBytes + bytes.length > READ_AHEAD_BYTES) {
      this.close();
      return false;
    }
    // Own bytes: those that have to wait are not the caller's any more.
    this.#take(bytes.slice());
    return true;
  }

  /** Everything behind the last message goes to `handler`. No request is open any more. */
  setRawInput(handler: RawInputHandler): void {
    if (this.#rawInput === undefined) this.#rawRest = this.#takeRest();
    this.#rawInput = handler;
    this.#openRequest = undefined;
    if (!this.#isBusy) this.#scheduleRead();
  }

  /** Closes in the next turn of the event loop; what the network has not taken by then is lost. Idempotent. */
  close(): void {
    if (this.#state === 'gone') return;
    this.#stop();
    setImmediate(() => this.#socket.destroy());
  }

  /** Closes when the network has taken what was written and the peer has closed its half, or had the time to (`endSoon`). */
  closeAfterFlush(): void {
    if (this.#state !== 'open') return;
    this.#stop();
    endSoon(this.#socket);
  }

  /** Lets go of the socket: it is the caller's now, with the bytes that were read and not used. */
  detach(): { readonly socket: UpgradeSocket; readonly head: Uint8Array } {
    const socket = this.#socket;
    const head = this.#rawRest ?? this.#takeRest();
    this.#stop();
    this.#state = 'gone';
    stopFlow(socket);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('close', this.#onClose);
    socket.off('error', this.#onError);
    setImmediate(() => this.#owner.handleClosed(this));
    return { socket, head };
  }

  /** Ends a connection whose request does not come, or on which nothing happens. */
  checkTimeout(nowMs: number): void {
    if (this.#state !== 'open') return;
    if (this.#peerEnded && nowMs - this.#endedMs > HALF_CLOSED_MS) this.close();
    if (this.#openRequest !== undefined || this.#rawInput !== undefined) return;
    const isInside = this.#reader.isInsideMessage;
    const { headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs } = this.#owner;
    if (isInside || !this.#hasMessage) {
      const limitMs = this.#reader.isInsideBody ? headerTimeoutMs + bodyTimeoutMs : headerTimeoutMs;
      if (nowMs - this.#sinceMs > limitMs) this.#owner.handleTimeout(this, isInside);
    } else if (this.#hasWritten || this.bufferedBytes > 0) {
      this.#hasWritten = false;
      this.#sinceMs = nowMs;
    } else if (idleTimeoutMs > 0 && nowMs - this.#sinceMs > idleTimeoutMs) {
      this.close();
    }
  }

  #hasRoomFor(sizeBytes: number): boolean {
    if (this.#state !== 'open') return false;
    const { writableLength } = this.#socket;
    if (writableLength > 0 && writableLength + sizeBytes > this.#owner.writeQueueLimit) {
      this.#owner.handleOverflow(this);
      this.close();
      return false;
    }
    this.#hasWritten = true;
    return true;
  }

  #takeRead(read: Uint8Array): void {
    if (this.#state !== 'open') return;
    // As a plain Uint8Array, whose `slice` copies and whose `subarray` is cheaper.
    const bytes = new Uint8Array(read.buffer, read.byteOffset, read.length);
    this.#take(bytes);
    // Node makes a new buffer for every read and keeps none.
    if (this.#reader.unreadBytes === 0 && this.#held === undefined) releaseBytes(bytes);
  }

  #take(bytes: Uint8Array): void {
    if (this.#rawInput === undefined) {
      this.#reader.receive(bytes);
      this.#read();
    } else if (this.#isBusy) {
      this.#rawRest = joinBytes([this.#rawRest ?? NOTHING, bytes]);
    } else {
      this.#runRaw();
      this.#handleRaw(bytes);
    }
  }

  #scheduleRead(): void {
    if (this.#isReadScheduled || this.#state !== 'open') return;
    if (this.#held === undefined && this.#reader.unreadBytes === 0 && this.#rawRest === undefined && !this.#peerEnded) {
      return;
    }
    this.#isReadScheduled = true;
    setImmediate(() => {
      this.#isReadScheduled = false;
      if (this.#state === 'open') this.#read();
    });
  }

  /** Hands over message after message, until one has to wait for an answer or more bytes are needed. */
  #read(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    let messages = 0;
    while (this.#state === 'open' && this.#rawInput === undefined) {
      if (!this.#owner.readsAhead && this.#openRequest !== undefined) break;
      const message = this.#held ?? this.#reader.next();
      if (message === undefined) break;
      this.#held = message;
      if (this.#openRequest !== undefined && this.#owner.mustWait(message)) break;
      this.#held = undefined;
      messages++;
      this.#owner.handleMessage(this, message);
    }
    this.#isBusy = false;
    if (this.#state !== 'open') return;
    this.#runRaw();
    this.#noteTime(messages > 0);
    this.#adjustFlow();
    if (this.#peerEnded && this.#openRequest === undefined && this.#held === undefined) this.closeAfterFlush();
  }

  #runRaw(): void {
    const rest = this.#rawRest;
    if (rest === undefined || this.#rawInput === undefined) return;
    this.#rawRest = undefined;
    if (rest.length > 0) this.#handleRaw(rest);
  }

  #handleRaw(bytes: Uint8Array): void {
    if (this.#rawInput === undefined) return;
    this.#isBusy = true;
    this.#owner.handleRaw(this, this.#rawInput, bytes);
    this.#isBusy = false;
    this.#scheduleRead();
  }

  #noteTime(isNewMessage: boolean): void {
    const isInside = this.#reader.isInsideMessage;
    if (isNewMessage) this.#hasMessage = true;
    if (isNewMessage || isInside !== this.#wasInsideMessage) this.#sinceMs = nodeClock.nowMs();
    this.#wasInsideMessage = isInside;
  }

  /** Whether bytes that come now would only be kept. */
  #isBlocked(): boolean {
    return this.#openRequest !== undefined && (this.#held !== undefined || !this.#owner.readsAhead);
  }

  #adjustFlow(): void {
    const mustPause = this.#isBlocked() && this.#reader.unreadBytes >= READ_AHEAD_BYTES;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#socket.pause();
    else this.#socket.resume();
  }

  #takeRest(): Uint8Array {
    const held = this.#held;
    this.#held = undefined;
    return this.#reader.takeRest(held);
  }

  #takeEnd(): void {
    this.#peerEnded = true;
    this.#endedMs = nodeClock.nowMs();
    if (this.#openRequest === undefined && this.#held === undefined) this.closeAfterFlush();
  }

  /** Nothing is handed over from here on but that it closed. */
  #stop(): void {
    this.#state = 'ending';
    this.#openRequest = undefined;
    this.#held = undefined;
    this.#rawInput = undefined;
    this.#rawRest = undefined;
  }

  #leave(): void {
    if (this.#state === 'gone') return;
    this.#stop();
    this.#state = 'gone';
    this.#owner.handleClosed(this);
  }
}
