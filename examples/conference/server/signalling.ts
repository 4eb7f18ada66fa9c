/** One WebSocket: requests in, answers and notifications out. */
import type { WebSocket } from 'ws';
import { type Answers, CLOSE_CODES, type Notifications } from '../protocol.ts';
import { LIMITS } from './limits.ts';
import { Peer, type PeerConnection } from './peer.ts';
import { Refusal } from './refusal.ts';
import { type PeerRequest, type Request, requestSchema } from './requests.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';

export interface SignallingOptions {
  readonly roomName: string;
  readonly rooms: Rooms;
  readonly log: (line: string) => void;
}

export class Signalling implements PeerConnection {
  readonly #webSocket: WebSocket;
  readonly #options: SignallingOptions;
  readonly #joinTimer: NodeJS.Timeout;
  readonly #pingTimer: NodeJS.Timeout;
  #peer: Peer | undefined;
  /** Requests are done one after the other. */
  #last: Promise<void> = Promise.resolve();
  #allowance: number = LIMITS.requestBurst;
  #countedAtMs = performance.now();
  #hasAnsweredPing = true;

  constructor(webSocket: WebSocket, options: SignallingOptions) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#joinTimer = setTimeout(() => this.#refuse('join first'), LIMITS.joinMs);
    this.#pingTimer = setInterval(() => this.#ping(), LIMITS.pingMs);
    webSocket.on('message', (data, isBinary) => this.#received(isBinary ? '' : (data as Buffer).toString()));
    webSocket.on('pong', () => {
      this.#hasAnsweredPing = true;
    });
    // Broken frames and requests that are too long: `ws` closes the connection by itself.
    webSocket.on('error', (error) => options.log(`a connection failed: ${error.message}`));
    webSocket.on('close', () => this.#closed());
  }

  tell<E extends keyof Notifications>(event: E, data: Notifications[E]): void {
    this.#send({ event, data });
  }

  roomClosed(): void {
    this.#webSocket.close(CLOSE_CODES.roomClosed, 'the room closed');
  }

  #received(text: string): void {
    const request = this.#mayAsk() ? requestOf(text) : undefined;
    if (request === undefined) this.#refuse('too many requests, or one that is none');
    else this.#last = this.#last.then(() => this.#answer(request));
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request;
    try {
      const data = request.method === 'join' ? await this.#join(request.data.name) : await this.#ask(request);
      this.#send({ id, data });
    } catch (error) {
      // Of the library: TypeError for wrong parameters, others when what is meant has just closed.
      const code = error instanceof Refusal ? error.code : 'wrong-request';
      this.#send({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
    }
  }

  #ask(request: PeerRequest): Promise<unknown> {
    if (this.#peer === undefined) throw new Refusal('wrong-request', 'Join the room first.');
    return this.#peer.handle(request);
  }

  async #join(name: string): Promise<Answers['join']> {
    if (this.#peer !== undefined) throw new Refusal('wrong-request', 'You are in the room already.');
    const room = await this.#options.rooms.enter(this.#options.roomName);
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) {
      if (room.size === 0) room.close();
      throw new Refusal('not-found', 'You have left meanwhile.');
    }
    const peers = [...room.peers].map(({ info }) => info);
    const peer = new Peer(name, room, this);
    room.add(peer);
    this.#peer = peer;
    clearTimeout(this.#joinTimer);
    this.#logOf(room, 'joined');
    this.#webSocket.on('close', () => this.#logOf(room, 'left'));
    const { router, activeSpeakerId } = room;
    return { peerId: peer.id, routerRtpCapabilities: router.rtpCapabilities, peers, activeSpeakerId };
  }

  #logOf(room: Room, what: string): void {
    this.#options.log(`room "${room.name}": ${this.#peer?.name} ${what}, ${room.size} are there`);
  }

  /** A bucket that fills by some requests each second. */
  #mayAsk(): boolean {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#countedAtMs) / 1000) * LIMITS.requestsPerSecond;
    this.#allowance = Math.min(LIMITS.requestBurst, this.#allowance + gained) - 1;
    this.#countedAtMs = nowMs;
    return this.#allowance >= 0;
  }

  #send(message: object): void {
    if (this.#webSocket.bufferedAmount > LIMITS.unsentBytes) this.#webSocket.terminate();
    else this.#webSocket.send(JSON.stringify(message));
  }

  #refuse(reason: string): void {
    this.#webSocket.close(CLOSE_CODES.refused, reason);
  }

  #ping(): void {
    if (!this.#hasAnsweredPing) this.#webSocket.terminate();
    else this.#webSocket.ping();
    this.#hasAnsweredPing = false;
  }

  #closed(): void {
    clearTimeout(this.#joinTimer);
    clearInterval(this.#pingTimer);
    this.#peer?.close();
  }
}

function requestOf(text: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whatever is wrong with it: it is no request.
    return undefined;
  }
  return requestSchema.safeParse(value).data;
}
