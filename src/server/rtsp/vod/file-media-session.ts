import type { Track } from '../../../codec/track.ts';
import type { TreeFile } from '../../../io/file-tree.ts';
import type { Clock } from '../../../media/clock.ts';
import { type Random32, RtpPresentation } from '../../../media/renditions/rtp-presentation.ts';
import type { StreamHeader } from '../../../media/stream-header.ts';
import { writeRange } from '../../../protocol/rtsp/range-header.ts';
import { describeMedia } from '../media-description.ts';
import type { DescribeContext, MediaSession, Playback, PlaybackOptions } from '../media-session.ts';
import { FilePlayback, type OpenedFile } from './file-playback.ts';

export interface FileMediaSessionOptions {
  /** Key in the registry. */
  readonly name: string;
  readonly file: TreeFile;
  readonly tracks: readonly Track[];
  readonly durationUs: number | undefined;
  /** Opens the file once more, for one client. */
  readonly open: () => Promise<OpenedFile>;
  readonly clock: Clock;
  readonly random32: Random32;
  readonly maxPacketBytes?: number | undefined;
  readonly stallTimeoutMs: number;
  readonly onFault: (error: unknown) => void;
  readonly onUnreferenced: () => void;
}

/** One version of a file as RTSP clients see it. Each client plays it by itself. */
export class FileMediaSession implements MediaSession {
  readonly name: string;
  readonly onUnreferenced: () => void;
  readonly #options: FileMediaSessionOptions;
  readonly #header: StreamHeader;
  readonly #presentation: RtpPresentation;
  readonly #id: string;

  private constructor(options: FileMediaSessionOptions, header: StreamHeader, presentation: RtpPresentation) {
    this.#options = options;
    this.name = options.name;
    this.onUnreferenced = options.onUnreferenced;
    this.#header = header;
    this.#presentation = presentation;
    this.#id = String(Math.round(options.file.modifiedMs * 1000));
  }

  /** Undefined when none of the tracks can go over RTP. */
  static of(options: FileMediaSessionOptions): FileMediaSession | undefined {
    const header: StreamHeader = { tracks: options.tracks, metadata: undefined };
    const presentation = RtpPresentation.of(header, options.random32);
    return presentation && new FileMediaSession(options, header, presentation);
  }

  get trackCount(): number {
    return this.#presentation.tracks.length;
  }

  get isTransportStream(): boolean {
    return this.trackCount === 1 && this.#presentation.tracks[0]!.track.codec === 'mp2t';
  }

  /** Whether this is the version of the file there is now. */
  isVersion(file: TreeFile): boolean {
    const { path, sizeBytes, modifiedMs } = this.#options.file;
    return path === file.path && sizeBytes === file.sizeBytes && modifiedMs === file.modifiedMs;
  }

  describe(context: DescribeContext): string {
    const { durationUs, name } = this.#options;
    const range: string =
      durationUs === undefined
        ? writeRange({ type: 'npt', startUs: 'now', endUs: undefined })
        : writeRange({ type: 'npt', startUs: 0, endUs: durationUs });
    return describeMedia({ name, tracks: this.#presentation.tracks, range, id: this.#id }, context);
  }

  openPlayback(options: PlaybackOptions): Playback {
    const { open, clock, random32, maxPacketBytes, stallTimeoutMs, onFault } = this.#options;
    const cname = `millrace-${random32().toString(36)}`;
    return new FilePlayback({
      ...options,
      header: this.#header,
      open,
      clock,
      random32,
      cname,
      maxPacketBytes,
      stallTimeoutMs,
      onFault,
    });
  }
}
