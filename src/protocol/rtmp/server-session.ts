import { type ProtocolError, StateError } from '../../wire/errors.ts';
import { type AmfEntries, type AmfValue, toAmfObject } from '../amf/amf-value.ts';
import { AcknowledgementWindow } from './acknowledgement.ts';
import { splitAggregate } from './aggregate-message.ts';
import { ChunkReader } from './chunk-reader.ts';
import { parseCommand, type RtmpCommand } from './command.ts';
import { type ConnectRequest, parseConnectRequest } from './connect-request.ts';
import { type ControlMessage, PEER_BANDWIDTH_LIMIT, parseControlMessage } from './control-messages.ts';
import type { HandshakeCrypto } from './handshake-digest.ts';
import { type RtmpErrorCode, type RtmpStateErrorCode, rtmpError } from './rtmp-error.ts';
import { RTMP_DEFAULT_CHUNK_SIZE, RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';
import type { RtmpServerEvent } from './server-events.ts';
import { ServerHandshake } from './server-handshake.ts';
import { ReplyWriter, toConnectResult } from './server-replies.ts';
import { ServerStreams } from './server-streams.ts';
import { SessionOutput } from './session-output.ts';
import { parseRtmpUrl } from './stream-url.ts';

/** Most messages, and most bytes of them, kept while the server decides about a connect. */
export const RTMP_MAX_HELD_MESSAGES = 256;
export const RTMP_MAX_HELD_BYTES = 1_048_576;

/** Settings of a session. Times are milliseconds, sizes bytes. */
export interface RtmpServerSessionOptions {
  readonly crypto: HandshakeCrypto;
  /** The clock when the connection was accepted; the same clock as all later `nowMs`. */
  readonly nowMs: number;
  /** Says what the server is, in the answer to connect. */
  readonly serverVersion: string;
  /** More names and values for the `data` of that answer. */
  readonly serverInfo?: AmfEntries;
  /** Size of the chunks we send once connected; 60000. */
  readonly outChunkSize?: number;
  /** The window we ask the peer to acknowledge; 2500000. */
  readonly windowAckSize?: number;
  /** The bandwidth we tell the peer; 2500000. */
  readonly peerBandwidth?: number;
  /** Our own window for acknowledging input; 0, the default, takes the peer's. */
  readonly inAckSize?: number;
  readonly maxMessageSizeBytes?: number;
  readonly maxChunkStreams?: number;
  readonly maxPartialBytes?: number;
  readonly maxMessageStreams?: number;
  /** See `ChunkReaderOptions.ownsInput`; default false. */
  readonly ownsInput?: boolean;
  /** From accept to the end of the handshake; 10000. */
  readonly handshakeTimeoutMs?: number;
  /** From the handshake to a connect command; 10000. */
  readonly connectTimeoutMs?: number;
  /** From connect to the first publish or play; 30000. */
  readonly setupTimeoutMs?: number;
  /** From the end of a publish or play to the next one on the same connection; 180000. */
  readonly republishTimeoutMs?: number;
  /** Send a ping after this long without input; off by default. */
  readonly pingIntervalMs?: number;
  /** Fail when nothing at all comes for this long after a ping; 30000. */
  readonly pingTimeoutMs?: number;
  /** How long a redirected client may take to leave; 3000. */
  readonly redirectTimeoutMs?: number;
}

type State = 'handshake' | 'connecting' | 'deciding' | 'connected' | 'redirecting' | 'over';

/**
 * One RTMP connection, seen from the server: handshake, chunk stream, control messages and the commands of publishers
 * and players, as a machine without socket or clock (RTMP 1.0; Enhanced RTMP v2 connect and reconnect request).
 *
 * Media the server sends does not pass through here: write it with `writeMessage(…, session.outChunkSize)` once a play
 * is accepted, whole messages only, and tell `onSent` about it if the count of unacknowledged bytes matters.
 */
export class RtmpServerSession {
  readonly #options: RtmpServerSessionOptions;
  readonly #handshake: ServerHandshake;
  readonly #reader: ChunkReader;
  readonly #replies = new ReplyWriter(RTMP_DEFAULT_CHUNK_SIZE);
  readonly #acknowledgements: AcknowledgementWindow;
  readonly #streams: ServerStreams;
  readonly #output: SessionOutput<RtmpServerEvent>;
  readonly #onMessage = (message: RtmpMessage): void => this.#handleMessage(message);
  #state: State = 'handshake';
  #request: ConnectRequest | undefined;
  #held: RtmpMessage[] = [];
  #heldBytes = 0;
  #wasActive = false;
  #nowMs: number;
  /** When the present stage must be over, and what it is called when it is not. */
  #deadlineMs: number | undefined;
  #deadlineCode: RtmpErrorCode = 'rtmp/handshake-timeout';
  #lastInputMs: number;
  #pingSentMs: number | undefined;

  constructor(options: RtmpServerSessionOptions) {
    this.#options = options;
    this.#handshake = new ServerHandshake(options.crypto);
    this.#reader = new ChunkReader(options);
    this.#acknowledgements = new AcknowledgementWindow(options.inAckSize ?? 0);
    this.#output = new SessionOutput(this.#acknowledgements);
    this.#streams = new ServerStreams(this.#output, this.#replies, options.maxMessageStreams);
    this.#nowMs = options.nowMs;
    this.#lastInputMs = options.nowMs;
    this.#setDeadline(options.handshakeTimeoutMs ?? 10_000, 'rtmp/handshake-timeout');
  }

  /** Size of our chunks now: what media for this connection must be written with. */
  get outChunkSize(): number {
    return this.#replies.chunkSize;
  }

  /** What the client said in connect; undefined before. */
  get connectRequest(): ConnectRequest | undefined {
    return this.#request;
  }

  /** Bytes sent that the peer has not acknowledged yet; only a number to show. */
  get unacknowledgedBytes(): number {
    return this.#acknowledgements.unacknowledgedBytes;
  }

  /** Counts bytes the server sent past this session (media). */
  onSent(sizeBytes: number): void {
    this.#acknowledgements.onSent(sizeBytes);
  }

  /** Input from the peer, cut anywhere. Never throws; keeps no view into `bytes` unless `ownsInput` is set. */
  receive(bytes: Uint8Array, nowMs: number): RtmpServerEvent[] {
    if (this.#state === 'over') return [];
    this.#nowMs = nowMs;
    this.#lastInputMs = nowMs;
    this.#pingSentMs = undefined;
    const sequenceNumber = this.#acknowledgements.onReceived(bytes.length);
    if (this.#state === 'handshake') this.#receiveHandshake(bytes);
    else this.#receiveChunks(bytes);
    if (sequenceNumber !== undefined && this.#hasChunks()) this.#control({ type: 'acknowledgement', sequenceNumber });
    return this.#finish();
  }

  /** When `handleTimeout` wants to be called, on the clock of `nowMs`; undefined for never. */
  nextTimeoutMs(): number | undefined {
    if (this.#state === 'over') return undefined;
    const { pingIntervalMs, pingTimeoutMs = 30_000 } = this.#options;
    let next = this.#deadlineMs ?? Number.POSITIVE_INFINITY;
    if (this.#pingSentMs !== undefined) next = Math.min(next, this.#pingSentMs + pingTimeoutMs);
    else if (pingIntervalMs !== undefined && this.#state === 'connected') {
      next = Math.min(next, this.#lastInputMs + pingIntervalMs);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): RtmpServerEvent[] {
    if (this.#state === 'over') return [];
    this.#nowMs = nowMs;
    const { pingIntervalMs, pingTimeoutMs = 30_000 } = this.#options;
    if (this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) {
      if (this.#state === 'redirecting') this.#end('redirected');
      else this.#fail(this.#deadlineCode, `nothing came of it in time (${this.#state})`);
    } else if (this.#pingSentMs !== undefined) {
      if (nowMs >= this.#pingSentMs + pingTimeoutMs) this.#fail('rtmp/ping-timeout', 'no answer to a ping');
    } else if (pingIntervalMs !== undefined && this.#state === 'connected') {
      if (nowMs >= this.#lastInputMs + pingIntervalMs) this.#sendPing(nowMs);
    }
    return this.#finish();
  }

  /** Accepts the connect and goes on with what the client sent meanwhile. */
  acceptConnect(): RtmpServerEvent[] {
    const request = this.#expectDeciding();
    if (request === undefined) return [];
    const { windowAckSize = 2_500_000, peerBandwidth = 2_500_000, outChunkSize = 60_000 } = this.#options;
    this.#control({ type: 'window-acknowledgement-size', sizeBytes: windowAckSize });
    this.#control({
      type: 'set-peer-bandwidth',
      sizeBytes: peerBandwidth,
      limitType: PEER_BANDWIDTH_LIMIT.dynamic,
    });
    this.#control({ type: 'set-chunk-size', sizeBytes: outChunkSize });
    this.#replies.chunkSize = outChunkSize;
    const { serverVersion, serverInfo = [] } = this.#options;
    this.#command(0, '_result', request.transactionId, toConnectResult(request, serverVersion, serverInfo));
    this.#command(0, 'onBWDone', 0, [null]);
    this.#state = 'connected';
    this.#setDeadline(this.#options.setupTimeoutMs ?? 30_000, 'rtmp/setup-timeout');
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const message of held) this.#handleMessage(message);
    return this.#finish();
  }

  /** Refuses the connect; ends the session. */
  rejectConnect(description: string): RtmpServerEvent[] {
    if (this.#expectDeciding() === undefined) return [];
    this.#reject(description, []);
    this.#end('rejected');
    return this.#finish();
  }

  /**
   * Sends the client to another server: `url` is the whole RTMP URL it shall use. Allowed from the connect event on, for
   * as long as the connection lives. The session ends when the client reacts or after `redirectTimeoutMs`.
   */
  redirectConnect(url: string): RtmpServerEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'deciding' && this.#state !== 'connected') throw wrongState('redirect before connect');
    const redirect = parseRtmpUrl(url)?.tcUrl ?? url;
    const ex = toAmfObject({ code: 302, redirect, redirect2: url });
    this.#reject('RTMP 302 Redirect', [['ex', ex]]);
    this.#state = 'redirecting';
    this.#held = [];
    this.#setDeadline(this.#options.redirectTimeoutMs ?? 3000, 'rtmp/connect-timeout');
    return this.#finish();
  }

  /** Accepts the pending publish of this stream. */
  acceptPublish(messageStreamId: number): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.acceptPublish(messageStreamId);
    return this.#finish();
  }

  /**
   * Refuses the pending publish of this stream, or ends one that runs, with an error status such as
   * `NetStream.Publish.BadName` or `NetStream.Publish.Denied`. The connection stays.
   */
  rejectPublish(messageStreamId: number, code: string, description: string): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.rejectPublish(messageStreamId, code, description);
    return this.#finish();
  }

  /** Accepts the pending play of this stream: media may follow. */
  acceptPlay(messageStreamId: number): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.acceptPlay(messageStreamId);
    return this.#finish();
  }

  /** Refuses the pending play of this stream with an error status such as `NetStream.Play.StreamNotFound`. */
  rejectPlay(messageStreamId: number, code: string, description: string): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.rejectPlay(messageStreamId, code, description);
    return this.#finish();
  }

  /** Tells a player that its stream is over: its publisher left (`unpublished`) or enough was played (`stopped`). */
  endPlay(messageStreamId: number, reason: 'unpublished' | 'stopped'): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.endPlay(messageStreamId, reason);
    return this.#finish();
  }

  /** Tells a player that nothing comes for the moment (user control Stream Dry). */
  streamDry(messageStreamId: number): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.streamDry(messageStreamId);
    return this.#finish();
  }

  /** Answers a `pause` event. */
  acceptPause(messageStreamId: number, paused: boolean): RtmpServerEvent[] {
    if (this.#isServing()) this.#streams.acceptPause(messageStreamId, paused);
    return this.#finish();
  }

  /** Asks the client to connect anew, to `tcUrl` or where it was (Enhanced RTMP v2, "Reconnect Request"). */
  requestReconnect(tcUrl?: string, description?: string): RtmpServerEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'connected') throw wrongState('reconnect request before connect');
    this.#output.send(
      this.#replies.status(0, {
        level: 'status',
        code: 'NetConnection.Connect.ReconnectRequest',
        description,
        more: tcUrl === undefined ? [] : [['tcUrl', tcUrl]],
      }),
    );
    return this.#finish();
  }

  /** Sends a ping now; without any input within `pingTimeoutMs` the session fails. */
  ping(nowMs: number): RtmpServerEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'connected') throw wrongState('ping before connect');
    this.#sendPing(nowMs);
    return this.#finish();
  }

  #finish(): RtmpServerEvent[] {
    if (this.#state === 'connected') this.#followActivity();
    return this.#output.finish();
  }

  /** A client that publishes or plays has all the time it wants; one that stopped has until the republish timeout. */
  #followActivity(): void {
    const isActive = this.#streams.isAnyActive;
    if (isActive === this.#wasActive) return;
    this.#wasActive = isActive;
    if (isActive) this.#deadlineMs = undefined;
    else this.#setDeadline(this.#options.republishTimeoutMs ?? 180_000, 'rtmp/setup-timeout');
  }

  #fail(code: RtmpErrorCode, message: string): void {
    this.#failWith(rtmpError(code, message));
  }

  #failWith(error: ProtocolError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#held = [];
    this.#output.emit({ type: 'failed', error });
  }

  #end(reason: 'rejected' | 'redirected'): void {
    this.#state = 'over';
    this.#output.emit({ type: 'end', reason });
  }

  #control(message: ControlMessage): void {
    this.#output.send(this.#replies.control(message));
  }

  #command(messageStreamId: number, name: string, transactionId: number, values: readonly AmfValue[]): void {
    this.#output.send(this.#replies.command(messageStreamId, name, transactionId, values));
  }

  #reject(description: string, more: readonly (readonly [string, AmfValue])[]): void {
    const fields = { level: 'error', code: 'NetConnection.Connect.Rejected', description, more } as const;
    this.#output.send(this.#replies.status(0, fields));
  }

  #setDeadline(inMs: number, code: RtmpErrorCode): void {
    this.#deadlineMs = this.#nowMs + inMs;
    this.#deadlineCode = code;
  }

  #hasChunks(): boolean {
    return this.#state !== 'handshake' && this.#state !== 'over';
  }

  #sendPing(nowMs: number): void {
    this.#pingSentMs = nowMs;
    this.#control({ type: 'ping-request', timestamp: Math.trunc(nowMs) >>> 0 });
  }

  /** Whether stream commands still have an effect; a late answer to a session that is over is no mistake. */
  #isServing(): boolean {
    return this.#state !== 'over' && this.#state !== 'redirecting';
  }

  #expectDeciding(): ConnectRequest | undefined {
    if (this.#state === 'over') return undefined;
    if (this.#state !== 'deciding' || this.#request === undefined) throw wrongState('no connect waits for an answer');
    return this.#request;
  }

  #receiveHandshake(bytes: Uint8Array): void {
    for (const event of this.#handshake.receive(bytes, this.#nowMs)) {
      if (event.type === 'send') this.#output.send(event.bytes);
      else if (event.type === 'proxied') this.#output.emit(event);
      else if (event.type === 'failed') this.#failWith(event.error);
      else {
        this.#state = 'connecting';
        this.#setDeadline(this.#options.connectTimeoutMs ?? 10_000, 'rtmp/connect-timeout');
        this.#output.emit({ type: 'handshake', kind: event.kind });
        this.#receiveChunks(event.rest);
      }
    }
  }

  #receiveChunks(bytes: Uint8Array): void {
    const error = this.#reader.receive(bytes, this.#onMessage);
    if (error !== undefined) this.#failWith(error);
  }

  #handleMessage(message: RtmpMessage): void {
    if (this.#state === 'over') return;
    switch (message.typeId) {
      case RTMP_MESSAGE_TYPE.acknowledgement:
      case RTMP_MESSAGE_TYPE.userControl:
      case RTMP_MESSAGE_TYPE.windowAcknowledgementSize:
      case RTMP_MESSAGE_TYPE.setPeerBandwidth:
        this.#handleControl(message);
        return;
      default:
    }
    if (this.#state === 'deciding') {
      this.#hold(message);
      return;
    }
    switch (message.typeId) {
      case RTMP_MESSAGE_TYPE.audio:
      case RTMP_MESSAGE_TYPE.video:
      case RTMP_MESSAGE_TYPE.dataAmf0:
      case RTMP_MESSAGE_TYPE.dataAmf3:
        this.#streams.handleMedia(message);
        break;
      case RTMP_MESSAGE_TYPE.aggregate:
        for (const part of splitAggregate(message)) this.#streams.handleMedia(part);
        break;
      case RTMP_MESSAGE_TYPE.commandAmf0:
      case RTMP_MESSAGE_TYPE.commandAmf3:
        this.#handleCommand(message);
        break;
      default:
      // Shared objects and unknown types mean nothing to a media server.
    }
  }

  /** Clients send on before their connect is answered; that waits its turn, within limits. */
  #hold(message: RtmpMessage): void {
    this.#heldBytes += message.payload.length;
    if (this.#held.length >= RTMP_MAX_HELD_MESSAGES || this.#heldBytes > RTMP_MAX_HELD_BYTES) {
      this.#fail('rtmp/too-many-held-messages', 'too much sent before connect was answered');
      return;
    }
    // With `ownsInput` the payload is lent for this call only.
    this.#held.push({ ...message, payload: new Uint8Array(message.payload) });
  }

  #handleControl(message: RtmpMessage): void {
    const control = parseControlMessage(message.typeId, message.payload);
    if (control === undefined) {
      this.#fail('rtmp/bad-control-message', `control message of type ${message.typeId} is too short`);
      return;
    }
    switch (control.type) {
      case 'window-acknowledgement-size':
        this.#acknowledgements.setPeerWindow(control.sizeBytes);
        break;
      case 'acknowledgement':
        this.#acknowledgements.onAcknowledged(control.sequenceNumber);
        break;
      case 'ping-request':
        this.#control({ type: 'ping-response', timestamp: control.timestamp });
        break;
      case 'set-buffer-length':
        if (this.#state === 'deciding') {
          // Not before the play it belongs to.
          this.#hold(message);
          return;
        }
        this.#output.emit({
          type: 'set-buffer-length',
          messageStreamId: control.messageStreamId,
          bufferMs: control.bufferMs,
        });
        break;
      default:
      // What only servers send, and answers to pings (any input counts as one).
    }
  }

  #handleCommand(message: RtmpMessage): void {
    if (this.#state === 'redirecting') {
      this.#end('redirected');
      return;
    }
    const command = parseCommand(message.typeId, message.payload);
    if (command === undefined) {
      this.#fail('rtmp/bad-command', 'command message without a name');
      return;
    }
    if (this.#state === 'connecting') {
      // Only connect means something yet.
      if (command.name === 'connect') this.#handleConnect(command);
      return;
    }
    this.#streams.dispatch(command, message.messageStreamId);
  }

  #handleConnect(command: RtmpCommand): void {
    const request = parseConnectRequest(command);
    if (typeof request === 'string') {
      this.#reject(request, []);
      this.#fail('rtmp/bad-connect', request);
      return;
    }
    this.#request = request;
    this.#streams.tcUrl = request.tcUrl;
    this.#state = 'deciding';
    this.#deadlineMs = undefined;
    this.#output.emit({ type: 'connect', request });
  }
}

function wrongState(message: string): StateError {
  const code: RtmpStateErrorCode = 'rtmp/wrong-state';
  return new StateError(code, message);
}
