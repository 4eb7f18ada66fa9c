import { type ProtocolError, StateError } from '../../wire/errors.ts';
import { AmfObject, type AmfPropertyBag, type AmfValue, isAmfPropertyBag } from '../amf/amf-value.ts';
import { Amf0Reader, parseAmf0 } from '../amf/amf0-reader.ts';
import { AcknowledgementWindow } from './acknowledgement.ts';
import { splitAggregate } from './aggregate-message.ts';
import { ChunkReader } from './chunk-reader.ts';
import { chunkStreamOfMedia, writeMessage } from './chunk-writer.ts';
import type { RtmpClientEvent } from './client-events.ts';
import { ClientHandshake } from './client-handshake.ts';
import { bagProperty, parseCommand, type RtmpCommand, textProperty } from './command.ts';
import { parseControlMessage } from './control-messages.ts';
import { toAmf0Data } from './data-message.ts';
import {
  CLIENT_CAPABILITIES,
  type EnhancedCapabilities,
  parseEnhancedCapabilities,
  toCapabilityProperties,
} from './enhanced-rtmp.ts';
import type { HandshakeCrypto } from './handshake-digest.ts';
import { type RtmpErrorCode, type RtmpStateErrorCode, rtmpError } from './rtmp-error.ts';
import { RTMP_DEFAULT_CHUNK_SIZE, RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';
import type { HandshakeKind } from './server-handshake.ts';
import { ReplyWriter } from './server-replies.ts';
import { SessionOutput } from './session-output.ts';
import { type RtmpUrl, resolveReconnectUrl } from './stream-url.ts';

/** Settings of a client session. Times are milliseconds, sizes bytes. */
export interface RtmpClientSessionOptions {
  readonly crypto: HandshakeCrypto;
  readonly mode: 'publish' | 'play';
  /** Where to; see `parseRtmpUrl`. */
  readonly url: RtmpUrl;
  /** What we call ourselves; by default what servers know as an encoder or as a player. */
  readonly flashVer?: string;
  readonly pageUrl?: string;
  readonly swfUrl?: string;
  /** Which handshake to try; `complex-schema-1`. */
  readonly handshake?: HandshakeKind;
  /** Enhanced RTMP capabilities to tell; null to tell none. */
  readonly capabilities?: EnhancedCapabilities | null;
  /** `live` by default. */
  readonly publishType?: 'live' | 'record' | 'append';
  /** Start of playing as the server shall read it; -2000 (live or recorded). */
  readonly start?: number;
  /** Client-side buffer told to the server when playing; 1000. */
  readonly bufferMs?: number;
  /** Size of our chunks once connected; 60000. */
  readonly outChunkSize?: number;
  readonly windowAckSize?: number;
  readonly maxMessageSizeBytes?: number;
  readonly maxChunkStreams?: number;
  readonly maxPartialBytes?: number;
  /** From `start` until publishing or playing; 15000. */
  readonly setupTimeoutMs?: number;
}

type State = 'idle' | 'handshake' | 'connecting' | 'creating' | 'starting' | 'running' | 'over';

/** Transaction ids, in the order the calls go out. */
const TRANSACTION = { connect: 1, releaseStream: 2, fcPublish: 3, createStream: 4, start: 5, end: 6 } as const;

const DEFAULT_FLASH_VERSIONS = {
  publish: 'FMLE/3.0 (compatible; Millrace)',
  play: 'LNX 9,0,124,2',
} as const;

/** Status codes after which nothing more comes. */
const END_CODES: ReadonlySet<string> = new Set([
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Play.UnpublishNotify',
  'NetStream.Unpublish.Success',
  'NetConnection.Connect.Closed',
  'NetConnection.Connect.AppShutdown',
]);

/** Some servers report these with level `status`. */
const REFUSAL_CODES: ReadonlySet<string> = new Set([
  'NetStream.Play.StreamNotFound',
  'NetStream.Play.Failed',
  'NetStream.Publish.BadName',
  'NetStream.Publish.Denied',
  'NetStream.Failed',
  'NetConnection.Connect.Rejected',
  'NetConnection.Connect.InvalidApp',
]);

/**
 * One RTMP connection, seen from a client that publishes or plays one stream (RTMP 1.0; the sequence of Flash Media Live
 * Encoder for publishing). `start`, then `receive` what comes; when `publishing` was said, `writeMedia`.
 */
export class RtmpClientSession {
  readonly #options: RtmpClientSessionOptions;
  readonly #handshake: ClientHandshake;
  readonly #reader: ChunkReader;
  readonly #writer = new ReplyWriter(RTMP_DEFAULT_CHUNK_SIZE);
  readonly #acknowledgements = new AcknowledgementWindow();
  readonly #output = new SessionOutput<RtmpClientEvent>(this.#acknowledgements);
  readonly #onMessage = (message: RtmpMessage): void => this.#handleMessage(message);
  #state: State = 'idle';
  #messageStreamId = 0;
  #deadlineMs: number | undefined;
  #isUnpublishing = false;

  constructor(options: RtmpClientSessionOptions) {
    this.#options = options;
    this.#handshake = new ClientHandshake(options.crypto, options.handshake);
    this.#reader = new ChunkReader(options);
  }

  /** Bytes sent that the server has not acknowledged yet; everything, for a server that never does. */
  get unacknowledgedBytes(): number {
    return this.#acknowledgements.unacknowledgedBytes;
  }

  /** The TCP (or TLS) connection stands: begin. Once only. */
  start(nowMs: number): RtmpClientEvent[] {
    if (this.#state !== 'idle') throw wrongState('started before');
    this.#state = 'handshake';
    this.#deadlineMs = nowMs + (this.#options.setupTimeoutMs ?? 15_000);
    this.#output.send(this.#handshake.start(nowMs));
    return this.#output.finish();
  }

  /** Input from the server, cut anywhere. Never throws for what is in it; keeps no view into `bytes`. */
  receive(bytes: Uint8Array, _nowMs: number): RtmpClientEvent[] {
    if (this.#state === 'idle') throw wrongState('not started');
    if (this.#state === 'over') return [];
    const sequenceNumber = this.#acknowledgements.onReceived(bytes.length);
    if (this.#state === 'handshake') this.#receiveHandshake(bytes);
    else this.#receiveChunks(bytes);
    if (sequenceNumber !== undefined && this.#hasChunks()) {
      this.#output.send(this.#writer.control({ type: 'acknowledgement', sequenceNumber }));
    }
    return this.#output.finish();
  }

  /** When `handleTimeout` wants to be called; undefined for never. */
  nextTimeoutMs(): number | undefined {
    return this.#state === 'over' ? undefined : this.#deadlineMs;
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): RtmpClientEvent[] {
    if (this.#state !== 'over' && this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) {
      this.#fail('rtmp/setup-timeout', `the server did not get us further than ${this.#state}`);
    }
    return this.#output.finish();
  }

  /**
   * Sends one message of the stream being published: type 8, 9 or 18 with its body in pieces (data with
   * `@setDataFrame` in front of `onMetaData` if the server shall keep it). `timestamp` in milliseconds.
   */
  writeMedia(typeId: 8 | 9 | 18, timestamp: number, parts: readonly Uint8Array[]): RtmpClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'running' || this.#options.mode !== 'publish') throw wrongState('not publishing');
    this.#output.send(
      writeMessage(
        { chunkStreamId: chunkStreamOfMedia(typeId), timestamp, typeId, messageStreamId: this.#messageStreamId, parts },
        this.#writer.chunkSize,
      ),
    );
    return this.#output.finish();
  }

  /** Ends the publish; `ended` comes when the server confirms it. */
  unpublish(): RtmpClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'running' || this.#options.mode !== 'publish') throw wrongState('not publishing');
    if (!this.#isUnpublishing) this.#sendUnpublish();
    return this.#output.finish();
  }

  /** Pauses or resumes playing at `positionMs`. */
  pause(paused: boolean, positionMs: number): RtmpClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state !== 'running' || this.#options.mode !== 'play') throw wrongState('not playing');
    this.#call(this.#messageStreamId, 'pause', 0, [null, paused, positionMs]);
    return this.#output.finish();
  }

  /** Says good-bye; write what it gives and close. Any time, any number of times. */
  close(): RtmpClientEvent[] {
    if (this.#state === 'over') return [];
    if (this.#state === 'running' || this.#state === 'starting') {
      if (this.#options.mode === 'publish' && !this.#isUnpublishing) this.#sendUnpublish();
      this.#call(0, 'deleteStream', 0, [null, this.#messageStreamId]);
    }
    this.#end('NetConnection.Connect.Closed');
    return this.#output.finish();
  }

  #hasChunks(): boolean {
    return this.#state !== 'handshake' && this.#state !== 'over';
  }

  #fail(code: RtmpErrorCode, message: string): void {
    this.#failWith(rtmpError(code, message));
  }

  #failWith(error: ProtocolError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#output.emit({ type: 'failed', error });
  }

  #end(code: string): void {
    this.#state = 'over';
    this.#output.emit({ type: 'ended', code });
  }

  #call(messageStreamId: number, name: string, transactionId: number, values: readonly AmfValue[]): void {
    this.#output.send(this.#writer.command(messageStreamId, name, transactionId, values));
  }

  #sendUnpublish(): void {
    this.#isUnpublishing = true;
    this.#call(0, 'FCUnpublish', TRANSACTION.end, [null, this.#options.url.streamName]);
  }

  #receiveHandshake(bytes: Uint8Array): void {
    for (const event of this.#handshake.receive(bytes)) {
      if (event.type === 'send') this.#output.send(event.bytes);
      else if (event.type === 'failed') this.#failWith(event.error);
      else if (event.type === 'done') {
        this.#state = 'connecting';
        this.#output.emit({ type: 'handshake', kind: event.kind });
        this.#sendConnect();
        this.#receiveChunks(event.rest);
      }
    }
  }

  #receiveChunks(bytes: Uint8Array): void {
    if (this.#state === 'over') return;
    const error = this.#reader.receive(bytes, this.#onMessage);
    if (error !== undefined) this.#failWith(error);
  }

  #sendConnect(): void {
    const { mode, url, flashVer, pageUrl, swfUrl, capabilities = CLIENT_CAPABILITIES } = this.#options;
    const object = new AmfObject([['app', url.app]]);
    const { properties } = object;
    if (mode === 'publish') properties.set('type', 'nonprivate');
    properties.set('flashVer', flashVer ?? DEFAULT_FLASH_VERSIONS[mode]);
    if (swfUrl !== undefined) properties.set('swfUrl', swfUrl);
    properties.set('tcUrl', url.tcUrl);
    properties.set('fpad', false);
    properties.set('capabilities', 239);
    properties.set('audioCodecs', 3575);
    properties.set('videoCodecs', 252);
    properties.set('videoFunction', 1);
    if (pageUrl !== undefined) properties.set('pageUrl', pageUrl);
    properties.set('objectEncoding', 0);
    for (const [name, value] of capabilities === null ? [] : toCapabilityProperties(capabilities)) {
      properties.set(name, value);
    }
    this.#call(0, 'connect', TRANSACTION.connect, [object]);
  }

  #handleMessage(message: RtmpMessage): void {
    if (this.#state === 'over') return;
    switch (message.typeId) {
      case RTMP_MESSAGE_TYPE.audio:
      case RTMP_MESSAGE_TYPE.video:
      case RTMP_MESSAGE_TYPE.dataAmf0:
      case RTMP_MESSAGE_TYPE.dataAmf3:
        this.#handleMedia(message);
        break;
      case RTMP_MESSAGE_TYPE.aggregate:
        for (const part of splitAggregate(message)) this.#handleMedia(part);
        break;
      case RTMP_MESSAGE_TYPE.commandAmf0:
      case RTMP_MESSAGE_TYPE.commandAmf3:
        this.#handleCommand(message);
        break;
      case RTMP_MESSAGE_TYPE.acknowledgement:
      case RTMP_MESSAGE_TYPE.userControl:
      case RTMP_MESSAGE_TYPE.windowAcknowledgementSize:
      case RTMP_MESSAGE_TYPE.setPeerBandwidth:
        this.#handleControl(message);
        break;
      default:
    }
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
        this.#output.send(this.#writer.control({ type: 'ping-response', timestamp: control.timestamp }));
        break;
      case 'stream-dry':
        this.#output.emit({ type: 'dry' });
        break;
      default:
      // Stream Begin and EOF repeat what the status messages say; our window was told at connect.
    }
  }

  #handleMedia(message: RtmpMessage): void {
    if (this.#options.mode !== 'play' || (this.#state !== 'running' && this.#state !== 'starting')) return;
    const { typeId, timestamp } = message;
    const isData = typeId !== RTMP_MESSAGE_TYPE.audio && typeId !== RTMP_MESSAGE_TYPE.video;
    const payload = isData ? toAmf0Data(typeId, message.payload) : message.payload;
    if (payload === undefined) return;
    if (isData) {
      const name = dataName(payload);
      if (name === '|RtmpSampleAccess' || name === 'onStatus') return;
      this.#output.emit({ type: 'message', typeId: 18, timestamp, payload });
      if (name === 'onPlayStatus' && isPlayComplete(payload)) this.#end('NetStream.Play.Complete');
      return;
    }
    // Some servers never say NetStream.Play.Start.
    this.#run();
    this.#output.emit({ type: 'message', typeId: typeId as 8 | 9, timestamp, payload });
  }

  #handleCommand(message: RtmpMessage): void {
    const command = parseCommand(message.typeId, message.payload);
    if (command === undefined) {
      this.#fail('rtmp/bad-command', 'command message without a name');
      return;
    }
    switch (command.name) {
      case '_result':
        this.#handleResult(command);
        break;
      case '_error':
        this.#handleError(command);
        break;
      case 'onStatus':
        this.#handleStatus(infoOf(command));
        break;
      case 'close':
        this.#end('NetConnection.Connect.Closed');
        break;
      default:
        if (command.transactionId > 0) this.#call(0, '_result', command.transactionId, [null, null]);
    }
  }

  #handleResult(command: RtmpCommand): void {
    if (command.transactionId === TRANSACTION.connect && this.#state === 'connecting') {
      const capabilities = parseEnhancedCapabilities(infoOf(command)) ?? parseEnhancedCapabilities(command.object);
      this.#output.emit({ type: 'connected', capabilities });
      this.#sendCreateStream();
    } else if (command.transactionId === TRANSACTION.createStream && this.#state === 'creating') {
      const [id] = command.args;
      if (typeof id !== 'number' || !(id >= 0 && id <= 0xffffffff)) {
        this.#fail('rtmp/bad-command', 'createStream was answered without a stream id');
        return;
      }
      this.#messageStreamId = Math.trunc(id);
      this.#sendStart();
    }
  }

  #sendCreateStream(): void {
    const { mode, url, outChunkSize = 60_000, windowAckSize = 2_500_000 } = this.#options;
    this.#state = 'creating';
    this.#output.send(this.#writer.control({ type: 'window-acknowledgement-size', sizeBytes: windowAckSize }));
    this.#output.send(this.#writer.control({ type: 'set-chunk-size', sizeBytes: outChunkSize }));
    this.#writer.chunkSize = outChunkSize;
    if (mode === 'publish') {
      this.#call(0, 'releaseStream', TRANSACTION.releaseStream, [null, url.streamName]);
      this.#call(0, 'FCPublish', TRANSACTION.fcPublish, [null, url.streamName]);
    }
    this.#call(0, 'createStream', TRANSACTION.createStream, [null]);
  }

  #sendStart(): void {
    const { mode, url, publishType = 'live', bufferMs = 1000, start = -2000 } = this.#options;
    const id = this.#messageStreamId;
    this.#state = 'starting';
    if (mode === 'publish') {
      this.#call(id, 'publish', TRANSACTION.start, [null, url.streamName, publishType]);
      return;
    }
    this.#output.send(this.#writer.control({ type: 'set-buffer-length', messageStreamId: id, bufferMs }));
    this.#call(id, 'play', TRANSACTION.start, [null, url.streamName, start]);
  }

  #handleError(command: RtmpCommand): void {
    // Servers that do not know releaseStream or FCPublish say so, and go on.
    const { transactionId } = command;
    if (transactionId === TRANSACTION.releaseStream || transactionId === TRANSACTION.fcPublish) return;
    if (transactionId === TRANSACTION.end) return;
    const info = infoOf(command);
    if (!this.#followRedirect(info)) this.#refused(info);
  }

  #handleStatus(info: AmfPropertyBag | undefined): void {
    const code = textProperty(info, 'code') ?? '';
    if (code === 'NetConnection.Connect.ReconnectRequest') {
      const url = resolveReconnectUrl(this.#options.url, textProperty(info, 'tcUrl'));
      this.#output.emit({ type: 'reconnect-request', url, description: textProperty(info, 'description') });
    } else if (textProperty(info, 'level') === 'error' || REFUSAL_CODES.has(code)) {
      if (!this.#followRedirect(info)) this.#refused(info);
    } else if (code === 'NetStream.Publish.Start' || code === 'NetStream.Play.Start') this.#run();
    else if (END_CODES.has(code)) this.#end(code);
  }

  /** The stream runs: said once. */
  #run(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'running';
    this.#deadlineMs = undefined;
    const type = this.#options.mode === 'publish' ? 'publishing' : 'playing';
    this.#output.emit({ type, messageStreamId: this.#messageStreamId });
  }

  #followRedirect(info: AmfPropertyBag | undefined): boolean {
    const ex = bagProperty(info, 'ex');
    const whole = textProperty(ex, 'redirect2');
    const tcUrl = textProperty(ex, 'redirect');
    // A server that did not know the stream yet says the same twice.
    const target = whole === tcUrl ? undefined : whole;
    const url = target ?? (tcUrl === undefined ? undefined : `${tcUrl}/${this.#options.url.streamName}`);
    if (url === undefined) return false;
    this.#state = 'over';
    this.#output.emit({ type: 'redirect', url });
    return true;
  }

  #refused(info: AmfPropertyBag | undefined): void {
    const code = textProperty(info, 'code') ?? 'no code';
    this.#fail('rtmp/refused', `${code}: ${textProperty(info, 'description') ?? 'no description'}`);
  }
}

/** The information object of an answer: the first argument that has properties. */
function infoOf(command: RtmpCommand): AmfPropertyBag | undefined {
  return command.args.find((arg) => isAmfPropertyBag(arg)) ?? undefined;
}

/** The name of a data message. */
function dataName(payload: Uint8Array): AmfValue {
  return new Amf0Reader(payload).read();
}

/** `onPlayStatus` with `NetStream.Play.Complete`: the end of a recording, told in a data message. */
function isPlayComplete(payload: Uint8Array): boolean {
  return parseAmf0(payload).values.some((value) => textProperty(value, 'code') === 'NetStream.Play.Complete');
}

function wrongState(message: string): StateError {
  const code: RtmpStateErrorCode = 'rtmp/wrong-state';
  return new StateError(code, message);
}
