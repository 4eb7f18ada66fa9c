import { FlvDemuxer } from '../../format/flv/flv-demuxer.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import { FileSink } from '../../io/file-sink.ts';
import { FlvRecording } from '../../server/client/flv-recording.ts';
import { openFlvSource } from '../../server/client/flv-source.ts';
import { type MediaAddress, parseMediaAddress } from '../../server/client/media-address.ts';
import type { ClientOptions } from '../../server/client/rtmp-client.ts';
import { describeTrack } from '../../server/client/track-description.ts';
import { ResourceError } from '../../wire/errors.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseSeconds } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { interruption } from './interruption.ts';
import { formatTime, type Progress, ProgressLine } from './progress-line.ts';

const HELP = `millrace play <url> [--out <file.flv>]

Plays a stream: rtmp[s]://host/app/stream, http[s]://host/app/stream.flv or ws[s]://host/app/stream.flv. Writes what
comes to a file, every body as received; without --out it only tells what comes. Ends with the stream, or on Ctrl-C.

  --out <file>     the FLV file to write; an old one is replaced
  --duration <s>   end after this time
${CLIENT_OPTIONS_HELP}
`;

/** `millrace play`. */
export async function play(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    out: { type: 'string' },
    duration: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [target, ...extra] = positionals;
  if (target === undefined || extra.length > 0) throw new UsageError('play takes one URL: millrace play <url>');
  const address = parseMediaAddress(target);
  if (typeof address === 'string') throw new UsageError(address);
  if (address.type === 'file') throw new UsageError(`"${target}" is no URL; "millrace probe" reads files`);
  const settings = clientSettings(values);
  const durationMs = parseSeconds('--duration', values.duration);
  const { signal, dispose } = interruption();
  const player = new Player(values.out, durationMs);
  const line = new ProgressLine(() => player.progress);
  try {
    await player.run(address, { ...settings, signal });
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}

/** Takes a stream and writes it down, or tells what it is. */
class Player {
  readonly #out: string | undefined;
  readonly #durationMs: number | undefined;
  readonly #recording = new FlvRecording();
  #demuxer = new FlvDemuxer();
  #sink: FileSink | undefined;
  #hasBegun = false;
  #bytes = 0;
  #frames = 0;
  #videoFrames = 0;

  constructor(out: string | undefined, durationMs: number | undefined) {
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

  /** Resolves when the stream, the time or the user ended it and the file is closed. */
  async run(address: MediaAddress, options: ClientOptions): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    try {
      await this.#receive(address, { ...options, signal }, stop);
    } catch (error) {
      if (!signal.aborted) {
        await this.#keep();
        throw error;
      }
    }
    await this.#keep();
    if (this.#frames === 0 && !options.signal.aborted) {
      throw new ResourceError('client/no-media', `${address.text} ended before any audio or video came`);
    }
    if (this.#out === undefined) this.#sayTotals();
  }

  async #receive(address: MediaAddress, options: ClientOptions, stop: AbortController): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      for await (const event of await openFlvSource(address, options)) {
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
    if (parts.length > 0) this.#sink ??= new FileSink(this.#out);
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
