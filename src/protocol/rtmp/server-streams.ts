import { StateError } from '../../wire/errors.ts';
import { type AmfValue, isAmfPropertyBag, toAmfObject } from '../amf/amf-value.ts';
import { type RtmpCommand, textProperty } from './command.ts';
import type { ControlMessage } from './control-messages.ts';
import { toAmf0Data } from './data-message.ts';
import { type MessageStream, MessageStreamTable } from './message-stream-table.ts';
import { PublisherIdentification } from './publisher-identification.ts';
import type { RtmpStateErrorCode } from './rtmp-error.ts';
import { RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';
import type { RtmpServerEvent } from './server-events.ts';
import { ON_FC_PUBLISH, ON_FC_UNPUBLISH, type ReplyWriter, STATUS } from './server-replies.ts';
import type { SessionOutput } from './session-output.ts';
import type { StatusFields } from './status-info.ts';
import { parseStreamUrl, type StreamUrl } from './stream-url.ts';

/**
 * The message streams of one server session once its connect is accepted: the commands that make, use and end them
 * (RTMP 1.0 §7.2.1.3, §7.2.2), each with the replies the kinds of encoders and players wait for. Part of
 * `RtmpServerSession`, which documents the calls.
 */
export class ServerStreams {
  readonly #output: SessionOutput<RtmpServerEvent>;
  readonly #replies: ReplyWriter;
  readonly #streams: MessageStreamTable;
  readonly #identification = new PublisherIdentification();
  /** The tcUrl of the connect. */
  tcUrl = '';

  constructor(output: SessionOutput<RtmpServerEvent>, replies: ReplyWriter, maxMessageStreams?: number) {
    this.#output = output;
    this.#replies = replies;
    this.#streams = new MessageStreamTable(maxMessageStreams);
  }

  /** Whether anything is published or played. */
  get isAnyActive(): boolean {
    return this.#streams.isAnyActive;
  }

  /** Accepts the pending publish of this stream. */
  acceptPublish(messageStreamId: number): void {
    const stream = this.#expectStream(messageStreamId, 'publishing');
    this.#accept(stream);
    this.#status(stream, STATUS.publishStart);
  }

  /**
   * Refuses the pending publish of this stream, or ends one that runs, with an error status such as
   * `NetStream.Publish.BadName` or `NetStream.Publish.Denied`. The connection stays.
   */
  rejectPublish(messageStreamId: number, code: string, description: string): void {
    const stream = this.#expectStream(messageStreamId, 'publishing');
    this.#status(stream, { level: 'error', code, description });
    this.#idle(stream);
  }

  /** Accepts the pending play of this stream: media may follow. */
  acceptPlay(messageStreamId: number): void {
    const stream = this.#expectStream(messageStreamId, 'playing');
    this.#accept(stream);
    this.#control({ type: 'stream-begin', messageStreamId: stream.id });
    this.#status(stream, STATUS.playReset);
    this.#status(stream, STATUS.playStart);
    this.#output.send(this.#replies.data(stream.id, ['|RtmpSampleAccess', true, true]));
  }

  /** Refuses the pending play of this stream with an error status such as `NetStream.Play.StreamNotFound`. */
  rejectPlay(messageStreamId: number, code: string, description: string): void {
    const stream = this.#expectStream(messageStreamId, 'playing');
    this.#status(stream, { level: 'error', code, description });
    this.#idle(stream);
  }

  /** Tells a player that its stream is over: its publisher left (`unpublished`) or enough was played (`stopped`). */
  endPlay(messageStreamId: number, reason: 'unpublished' | 'stopped'): void {
    const stream = this.#expectStream(messageStreamId, 'playing');
    this.#status(stream, reason === 'unpublished' ? STATUS.playUnpublished : STATUS.playStopped);
    this.#control({ type: 'stream-eof', messageStreamId: stream.id });
    this.#idle(stream);
  }

  /** Tells a player that nothing comes for the moment (user control Stream Dry). */
  streamDry(messageStreamId: number): void {
    const stream = this.#expectStream(messageStreamId, 'playing');
    this.#control({ type: 'stream-dry', messageStreamId: stream.id });
  }

  /** Answers a `pause` event. */
  acceptPause(messageStreamId: number, paused: boolean): void {
    const stream = this.#expectStream(messageStreamId, 'playing');
    this.#status(stream, paused ? STATUS.paused : STATUS.unpaused);
    this.#control({ type: paused ? 'stream-eof' : 'stream-begin', messageStreamId: stream.id });
  }

  /** Audio, video or data: of a publisher, or of nobody and dropped. */
  handleMedia(message: RtmpMessage): void {
    const stream = this.#streams.find(message.messageStreamId, 'publishing');
    if (stream === undefined) return;
    const { typeId, timestamp } = message;
    const isData = typeId !== RTMP_MESSAGE_TYPE.audio && typeId !== RTMP_MESSAGE_TYPE.video;
    const payload = isData ? toAmf0Data(typeId, message.payload) : message.payload;
    if (payload === undefined) return;
    this.#output.emit({
      type: 'message',
      messageStreamId: stream.id,
      typeId: isData ? 18 : (typeId as 8 | 9),
      timestamp,
      payload,
    });
  }

  /** A command other than connect. */
  dispatch(command: RtmpCommand, messageStreamId: number): void {
    switch (command.name) {
      case 'createStream':
        this.#handleCreateStream(command);
        break;
      case 'releaseStream':
      case 'FCPublish':
        this.#handleFmleCall(command);
        break;
      case 'FCUnpublish':
        this.#handleFcUnpublish(command);
        break;
      case 'publish':
        this.#handlePublish(command, messageStreamId);
        break;
      case 'play':
      case 'play2':
        this.#handlePlay(command, messageStreamId);
        break;
      case 'closeStream':
        this.#handleClose(command, messageStreamId, false);
        break;
      case 'deleteStream':
        this.#handleClose(command, typeof command.args[0] === 'number' ? command.args[0] : messageStreamId, true);
        break;
      case 'pause':
      case 'pauseRaw':
      case 'seek':
      case 'receiveAudio':
      case 'receiveVideo':
        this.#handlePlayerCall(command, messageStreamId);
        break;
      case 'getStreamLength':
        // A live stream has no length; players take 0 for "unknown".
        this.#result(command, 0);
        break;
      case '_result':
      case '_error':
      case 'onStatus':
        // Answers; answering them would go on for ever.
        break;
      default:
        this.#result(command, null);
    }
  }

  #handleCreateStream(command: RtmpCommand): void {
    const stream = this.#streams.create();
    if (stream === undefined) {
      const info = toAmfObject({ level: 'error', code: 'NetConnection.Call.Failed', description: 'Too many streams.' });
      this.#command(0, '_error', command.transactionId, [null, info]);
      return;
    }
    this.#identification.onCreateStream();
    this.#result(command, stream.id);
  }

  #handleFmleCall(command: RtmpCommand): void {
    this.#identification.onFmleCall();
    const [name] = command.args;
    // An encoder that starts over with the name it publishes has given the old publish up.
    const old = typeof name === 'string' ? this.#streams.findPublisher(name) : undefined;
    if (old !== undefined) this.#leave(old);
    this.#result(command, undefined);
  }

  #handleFcUnpublish(command: RtmpCommand): void {
    const [name] = command.args;
    const named = typeof name === 'string' ? this.#streams.findPublisher(name) : undefined;
    // Names do not always match what was published; with one publisher there is no doubt.
    const stream = named ?? this.#streams.find(0, 'publishing');
    if (stream === undefined) {
      this.#identification.onFmleCall();
      this.#result(command, undefined);
      return;
    }
    this.#command(stream.id, 'onFCUnpublish', 0, [null, ON_FC_UNPUBLISH]);
    this.#result(command, undefined);
    this.#status(stream, STATUS.unpublishSuccess);
    this.#leave(stream);
  }

  #handlePublish(command: RtmpCommand, messageStreamId: number): void {
    const [name, publishType] = command.args;
    if (name === false) {
      // Flash's NetStream.publish(false).
      const stream = this.#streams.find(messageStreamId, 'publishing');
      if (stream === undefined) return;
      this.#status(stream, STATUS.unpublishSuccess);
      this.#leave(stream);
      return;
    }
    const stream = this.#streams.use(messageStreamId);
    if (stream === undefined) {
      this.#refuse(messageStreamId, 'NetStream.Publish.Failed', 'Too many streams.');
      return;
    }
    this.#leave(stream);
    const publisherKind = this.#identification.take();
    const streamName = typeof name === 'string' ? name : '';
    const url = this.#toUrl(streamName);
    if (url === undefined) {
      this.#refuse(stream.id, 'NetStream.Publish.BadName', 'Stream name is empty or malformed.');
      return;
    }
    stream.role = 'publishing';
    stream.streamName = streamName;
    stream.publisherKind = publisherKind;
    stream.isFresh = false;
    if (publisherKind !== 'flash') this.#command(stream.id, 'onFCPublish', 0, [null, ON_FC_PUBLISH]);
    this.#output.emit({
      type: 'publish',
      messageStreamId: stream.id,
      streamName,
      url,
      publishType: publishType === 'record' || publishType === 'append' ? publishType : 'live',
      publisherKind,
    });
  }

  #handlePlay(command: RtmpCommand, messageStreamId: number): void {
    const [first, start, duration, reset] = command.args;
    if (first === false) {
      // Flash's NetStream.play(false).
      const playing = this.#streams.find(messageStreamId, 'playing');
      if (playing !== undefined) this.#leave(playing);
      return;
    }
    const stream = this.#streams.use(messageStreamId);
    if (stream === undefined) {
      this.#refuse(messageStreamId, 'NetStream.Play.Failed', 'Too many streams.');
      return;
    }
    this.#leave(stream);
    // play2 has its parameters in one object.
    const name = isAmfPropertyBag(first) ? textProperty(first, 'streamName') : first;
    const startAsSent = isAmfPropertyBag(first) ? first.get('start') : start;
    const durationAsSent = isAmfPropertyBag(first) ? first.get('len') : duration;
    const streamName = typeof name === 'string' ? name : '';
    const url = this.#toUrl(streamName);
    if (url === undefined) {
      this.#refuse(stream.id, 'NetStream.Play.StreamNotFound', 'Stream name is empty or malformed.');
      return;
    }
    stream.role = 'playing';
    stream.streamName = streamName;
    stream.isFresh = false;
    this.#output.emit({
      type: 'play',
      messageStreamId: stream.id,
      streamName,
      url,
      start: finite(startAsSent, -2),
      duration: finite(durationAsSent, -1),
      reset: typeof reset === 'number' ? reset !== 0 : reset !== false,
    });
  }

  /** closeStream leaves the stream usable, deleteStream does not. */
  #handleClose(command: RtmpCommand, messageStreamId: number, isDelete: boolean): void {
    // Only 0 is taken to mean "the one there is": a second deleteStream of one stream must not end another.
    const only =
      messageStreamId === 0 ? (this.#streams.find(0, 'publishing') ?? this.#streams.find(0, 'playing')) : undefined;
    const stream = this.#streams.get(messageStreamId) ?? only;
    if (stream !== undefined) {
      this.#leave(stream);
      if (isDelete) this.#streams.delete(stream.id);
    }
    this.#result(command, null);
  }

  #handlePlayerCall(command: RtmpCommand, messageStreamId: number): void {
    const stream = this.#streams.find(messageStreamId, 'playing');
    const [first, second] = command.args;
    this.#result(command, null);
    if (stream === undefined) return;
    switch (command.name) {
      case 'seek':
        this.#status(stream, STATUS.seek);
        this.#output.emit({ type: 'seek', messageStreamId: stream.id, positionMs: finite(first, 0) });
        break;
      case 'receiveAudio':
        this.#output.emit({ type: 'receive-audio', messageStreamId: stream.id, enabled: first !== false });
        break;
      case 'receiveVideo':
        this.#output.emit({ type: 'receive-video', messageStreamId: stream.id, enabled: first !== false });
        break;
      default:
        this.#output.emit({
          type: 'pause',
          messageStreamId: stream.id,
          paused: first !== false,
          positionMs: finite(second, 0),
        });
    }
  }

  #refuse(messageStreamId: number, code: string, description: string): void {
    this.#output.send(this.#replies.status(messageStreamId, { level: 'error', code, description }));
  }

  /** Ends what goes on in the stream, and says so. */
  #leave(stream: MessageStream): void {
    const { role } = stream;
    if (role === 'idle') return;
    this.#idle(stream);
    this.#output.emit({ type: role === 'publishing' ? 'unpublish' : 'stop', messageStreamId: stream.id });
  }

  #idle(stream: MessageStream): void {
    stream.role = 'idle';
    stream.isAccepted = false;
  }

  #toUrl(streamName: string): StreamUrl | undefined {
    const url = parseStreamUrl(this.tcUrl, streamName);
    return url === undefined || url.stream === '' ? undefined : url;
  }

  #expectStream(messageStreamId: number, role: 'publishing' | 'playing'): MessageStream {
    const stream = this.#streams.get(messageStreamId);
    if (stream?.role === role) return stream;
    const code: RtmpStateErrorCode = 'rtmp/no-such-stream';
    throw new StateError(code, `message stream ${messageStreamId} is not ${role}`);
  }

  #accept(stream: MessageStream): void {
    const code: RtmpStateErrorCode = 'rtmp/wrong-state';
    if (stream.isAccepted) throw new StateError(code, `message stream ${stream.id} was accepted before`);
    stream.isAccepted = true;
  }

  /** Answers a call that wants an answer. */
  #result(command: RtmpCommand, value: AmfValue): void {
    if (command.transactionId > 0) this.#command(0, '_result', command.transactionId, [null, value]);
  }

  #status(stream: MessageStream, fields: StatusFields): void {
    this.#output.send(this.#replies.status(stream.id, fields));
  }

  #control(message: ControlMessage): void {
    this.#output.send(this.#replies.control(message));
  }

  #command(messageStreamId: number, name: string, transactionId: number, values: readonly AmfValue[]): void {
    this.#output.send(this.#replies.command(messageStreamId, name, transactionId, values));
  }
}

function finite(value: AmfValue, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}
