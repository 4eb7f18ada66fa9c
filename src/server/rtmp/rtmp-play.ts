import { nodeClock } from '../../io/node-clock.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import type { StreamViewer } from '../../media/audience.ts';
import { RtmpContainerWriter } from '../../media/renditions/rtmp-rendition.ts';
import type { Stream } from '../../media/stream.ts';
import type { TrackSelection } from '../../media/stream-header.ts';
import { RAW_FRAMING, type ViewerCloseReason, type ViewerSink } from '../../media/viewer.ts';
import type { Logger } from '../log/logger.ts';

export interface RtmpPlayOptions {
  readonly stream: Stream;
  readonly messageStreamId: number;
  readonly chunkSize: number;
  /** The client can take tracks other than the default ones. */
  readonly multitrack: boolean;
  /** Milliseconds to play, or less than 0 for as long as it lasts. */
  readonly durationMs: number;
  readonly socket: TcpSocket;
  readonly log: Logger;
  /** The stream ended the playing. */
  readonly onEnded: (reason: ViewerCloseReason) => void;
}

/** One stream played by an RTMP connection. */
export class RtmpPlay {
  readonly #options: RtmpPlayOptions;
  readonly #sink: ViewerSink;
  readonly #cancelDuration: (() => void) | undefined;
  #selection: TrackSelection;
  #viewer: StreamViewer;
  #paused = false;

  constructor(options: RtmpPlayOptions) {
    this.#options = options;
    this.#selection = { audio: true, video: true, multitrack: options.multitrack };
    const { socket } = options;
    this.#sink = {
      write: (bytes) => socket.write(bytes),
      get bufferedBytes() {
        return socket.writableLength;
      },
      close: (reason) => {
        this.#cancelDuration?.();
        this.#logEnd(reason);
        options.onEnded(reason);
      },
    };
    this.#viewer = this.#view();
    this.#cancelDuration =
      options.durationMs > 0 ? nodeClock.after(options.durationMs, () => this.#viewer.close('duration')) : undefined;
  }

  /** Sends the first bytes. */
  start(): void {
    this.#viewer.start();
  }

  drained(): void {
    this.#viewer.drained();
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#viewer.setPaused(paused);
  }

  /** Switches audio or video on or off. The change takes effect at the next key frame. */
  select(change: { readonly audio?: boolean; readonly video?: boolean }): void {
    const selection = { ...this.#selection, ...change };
    if (selection.audio === this.#selection.audio && selection.video === this.#selection.video) return;
    this.#selection = selection;
    this.#viewer.leave();
    this.#viewer = this.#view({ atNext: true });
    this.#viewer.setPaused(this.#paused);
    this.#viewer.start();
  }

  /** The player left by itself. Idempotent. */
  leave(): void {
    this.#cancelDuration?.();
    this.#logEnd('left');
    this.#viewer.leave();
  }

  #view(options: { readonly atNext?: boolean } = {}): StreamViewer {
    const { stream, messageStreamId, chunkSize } = this.#options;
    const selection = this.#selection;
    const tracks = `${selection.audio ? 'a' : ''}${selection.video ? 'v' : ''}${selection.multitrack ? 'm' : ''}`;
    return stream.view({
      rendition: `rtmp:${messageStreamId}:${tracks}`,
      makeWriter: () => new RtmpContainerWriter({ selection, messageStreamId, chunkSize }),
      framing: RAW_FRAMING,
      sink: this.#sink,
      ...options,
    });
  }

  #logEnd(reason: string): void {
    const { sentBytes, lagJumps } = this.#viewer;
    this.#options.log.info({ stream: this.#options.stream.key, reason, sentBytes, jumps: lagJumps }, 'play ended');
  }
}
