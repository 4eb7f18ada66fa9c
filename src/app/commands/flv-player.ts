import { once } from 'node:events';
import { FlvDemuxer } from '../../format/flv/flv-demuxer.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import type { FileErrorCode } from '../../io/file-chunks.ts';
import { FileSink } from '../../io/file-sink.ts';
import { FlvRecording } from '../../server/client/flv-recording.ts';
import type { FlvSourceEvent } from '../../server/client/flv-source.ts';
import { describeTrack } from '../../server/client/track-description.ts';
import { ResourceError } from '../../wire/errors.ts';
import { formatTime, type Progress } from './progress-line.ts';

/** Stands for standard output where a file is written. */
export const STANDARD_OUTPUT = '-';

export interface FlvPlayerOptions {
  /** The FLV file to write; without it tracks and totals are told. */
  readonly out: string | undefined;
  /** Ends it this long after the first tag, milliseconds. */
  readonly durationMs: number | undefined;
}

/** Opens a source; it ends when the signal aborts. */
export type OpenSource = (signal: AbortSignal) => Promise<AsyncIterable<FlvSourceEvent>>;

type ByteSink = Pick<FileSink, 'write' | 'close'>;

/** Takes FLV tags and writes them down, or tells what they are. */
export class FlvPlayer {
  readonly #out: string | undefined;
  readonly #durationMs: number | undefined;
  readonly #recording = new FlvRecording();
  #demuxer = new FlvDemuxer();
  #sink: ByteSink | undefined;
  #hasBegun = false;
  #bytes = 0;
  #frames = 0;
  #videoFrames = 0;

  constructor({ out, durationMs }: FlvPlayerOptions) {
    this.#out = out;
    this.#durationMs = durationMs;
  }

  get progress(): Progress {
    return {
      timeMs: this.#recording.durationMs,
      bytes: this.#bytes,
      frames: this.#frames,
      pictures: this.#videoFrames || this.#frames,
      ...(this.#hasBegun ? {} : { note: 'waiting for media …' }),
    };
  }

  /**
   * Resolves when the stream, the time or the user ended it and the file is closed.
   * @param name of the source, for messages
   */
  async run(name: string, interrupted: AbortSignal, open: OpenSource): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([interrupted, stop.signal]);
    try {
      await this.#receive(await open(signal), stop);
    } catch (error) {
      if (!signal.aborted) {
        await this.#keep();
        throw error;
      }
    }
    await this.#keep();
    if (this.#frames === 0 && !interrupted.aborted) {
      throw new ResourceError('client/no-media', `${name} ended before any audio or video came`);
    }
    if (this.#out === undefined) this.#sayTotals();
  }

  async #receive(events: AsyncIterable<FlvSourceEvent>, stop: AbortController): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      for await (const event of events) {
        if (!this.#hasBegun && this.#durationMs !== undefined) timer = setTimeout(() => stop.abort(), this.#durationMs);
        this.#hasBegun = true;
        if (event.type === 'restarted') {
          this.#recording.restart();
          this.#demuxer = new FlvDemuxer();
        } else {
          this.#count(event.tag);
          await this.#write(this.#recording.push(event.tag));
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #count(tag: FlvTag): void {
    this.#bytes += tag.body.length;
    for (const event of this.#demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
      if (event.type === 'frame') {
        this.#frames++;
        if (event.frame.track.kind === 'video') this.#videoFrames++;
      } else if (event.type === 'track' && this.#out === undefined) {
        process.stdout.write(`${describeTrack(event.track)}\n`);
      }
    }
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#out === undefined) return;
    // Only now, so that an old file outlives a stream that never comes.
    if (parts.length > 0) this.#sink ??= this.#out === STANDARD_OUTPUT ? standardOutput() : new FileSink(this.#out);
    for (const part of parts) await this.#sink?.write(part);
  }

  /** Writes what is held back and closes the file. */
  async #keep(): Promise<void> {
    if (this.#hasBegun) await this.#write(this.#recording.flush());
    await this.#sink?.close();
  }

  #sayTotals(): void {
    const time = formatTime(this.#recording.durationMs);
    process.stdout.write(`${time}, ${this.#frames} frames, ${this.#bytes} bytes\n`);
  }
}

function standardOutput(): ByteSink {
  const { stdout } = process;
  const failure = Promise.withResolvers<never>();
  // Without a listener the process would end by it.
  stdout.on('error', (cause) => {
    const code: FileErrorCode = 'file/not-writable';
    failure.reject(new ResourceError(code, `can't write to standard output: ${cause.message}`, { cause }));
  });
  failure.promise.catch(() => undefined);
  return {
    async write(bytes) {
      if (!stdout.write(bytes)) await Promise.race([once(stdout, 'drain'), failure.promise]);
    },
    // It is not ours to close.
    close: () => Promise.resolve(),
  };
}
