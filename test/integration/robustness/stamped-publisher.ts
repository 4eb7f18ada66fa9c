import { monotonicUs } from '../../../bench/load/clock.ts';
import { writeStamp } from '../../../bench/load/frame-stamp.ts';
import { RtmpPeer } from './rtmp-peer.ts';
import { type SyntheticClip, syntheticClip } from './synthetic-clip.ts';

export interface PublisherOptions {
  readonly port: number;
  readonly path: string;
  readonly frameRate: number;
  /** Frames from key frame to key frame. */
  readonly gopFrames: number;
  readonly frameBytes: number;
}

const TICK_MS = 2;

/** Publishes numbered, time-stamped video frames in real time. */
export class StampedPublisher extends RtmpPeer {
  /** Number of the next frame; may be set to skip. */
  next = 0;
  readonly #options: PublisherOptions;
  readonly #clip: SyntheticClip = syntheticClip();
  readonly #keyFrame: Uint8Array;
  readonly #frame: Uint8Array;
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;

  constructor(options: PublisherOptions) {
    super({ mode: 'publish', port: options.port, path: options.path });
    this.#options = options;
    this.#keyFrame = this.#clip.frame(true, options.frameBytes);
    this.#frame = this.#clip.frame(false, options.frameBytes);
    this.socket.on('close', () => clearInterval(this.#timer));
  }

  /** Sends the sequence header, and `burst` frames at once whose time lies before those that follow. */
  begin(burst?: { readonly frames: number; readonly frameBytes: number }): void {
    this.send(9, 0, this.#clip.videoHeader);
    for (let i = 0; i < (burst?.frames ?? 0); i++) {
      this.#sendFrame(this.#clip.frame(i === 0, burst!.frameBytes), i === 0);
    }
  }

  /** Sends each frame when it is due, beginning with a key frame now. */
  run(): void {
    const { frameRate, gopFrames } = this.#options;
    const first = this.next;
    this.#startMs = performance.now();
    this.#timer = setInterval(() => {
      const due = first + Math.floor(((performance.now() - this.#startMs) * frameRate) / 1000);
      while (this.next <= due) {
        const isKeyFrame = (this.next - first) % gopFrames === 0;
        this.#sendFrame(isKeyFrame ? this.#keyFrame : this.#frame, isKeyFrame);
      }
    }, TICK_MS);
  }

  /** Stops sending; the connection stays. */
  pause(): void {
    clearInterval(this.#timer);
  }

  #sendFrame(template: Uint8Array, _isKeyFrame: boolean): void {
    const body = template.slice();
    writeStamp(body, 0, this.next, monotonicUs());
    this.send(9, Math.floor((this.next * 1000) / this.#options.frameRate), body);
    this.next++;
  }
}
