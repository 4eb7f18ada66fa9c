import type { MediaFile } from '../../../format/media-file.ts';
import { openTsFile, openTsProgramFile } from '../../../format/mpegts/ts-file.ts';
import { CacheDirectory } from '../../../io/cache-directory.ts';
import { FileTree, type TreeFile } from '../../../io/file-tree.ts';
import { RandomAccessFile } from '../../../io/random-access-file.ts';
import type { Clock } from '../../../media/clock.ts';
import type { Random32 } from '../../../media/renditions/rtp-presentation.ts';
import { MillraceError, ProtocolError } from '../../../wire/errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { MediaSession } from '../media-session.ts';
import type { MediaSessionRegistry } from '../media-session-registry.ts';
import type { MediaSource, MediaTarget } from '../media-source.ts';
import { extensionOf, isPlayable, readerOf, TRANSPORT_STREAM_EXTENSION } from './file-kinds.ts';
import { FileMediaSession } from './file-media-session.ts';
import type { OpenedFile } from './file-playback.ts';
import { TsIndexStore } from './ts-index-store.ts';

/** Most files whose description is remembered while nobody plays them. */
export const MAX_DESCRIBED_FILES = 1_000;

export interface FileSessionsOptions {
  /** Directory whose files are played, under their path in it. */
  readonly directory: string;
  /** Where indices of transport streams are kept from start to start; without it only in memory. */
  readonly indexDirectory: string | undefined;
  readonly registry: MediaSessionRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random32: Random32;
  readonly maxPacketBytes?: number | undefined;
  /** A client that takes nothing for this long is gone, milliseconds. */
  readonly stallTimeoutMs: number;
}

/** Every playable file of a directory as a media session, `rtsp://host/folder/clip.mkv`. */
export class FileSessions implements MediaSource {
  readonly #tree: FileTree;
  readonly #indices: TsIndexStore;
  readonly #options: FileSessionsOptions;
  /** Described files, the oldest first. */
  readonly #described = new Set<FileMediaSession>();
  /** Files being opened: who asks meanwhile waits for the same. */
  readonly #opening = new Map<string, Promise<FileMediaSession | undefined>>();

  private constructor(tree: FileTree, options: FileSessionsOptions) {
    this.#tree = tree;
    this.#options = options;
    const { indexDirectory } = options;
    this.#indices = new TsIndexStore(indexDirectory === undefined ? undefined : new CacheDirectory(indexDirectory));
  }

  /** @throws ResourceError when there is no such directory */
  static async open(options: FileSessionsOptions): Promise<FileSessions> {
    return new FileSessions(await FileTree.open(options.directory), options);
  }

  async find(target: MediaTarget): Promise<MediaSession | undefined> {
    const extension = extensionOf(target.path);
    if (extension === undefined || !isPlayable(extension)) return undefined;
    const file = await this.#tree.find(target.path);
    if (file === undefined) return undefined;
    const name = `file:${target.path.slice(1)}`;
    const known = this.#options.registry.get(name);
    if (known instanceof FileMediaSession && known.isVersion(file)) return known;
    const key = `${file.path}\n${file.sizeBytes}\n${file.modifiedMs}`;
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#describe(name, file, extension).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return opening;
  }

  /** Reads ahead for what the description has to say. */
  async #describe(name: string, file: TreeFile, extension: string): Promise<FileMediaSession | undefined> {
    const { clock, log, random32, maxPacketBytes, stallTimeoutMs } = this.#options;
    const open = (): Promise<OpenedFile> => this.#openFile(file, extension);
    let opened: OpenedFile;
    try {
      opened = await open();
    } catch (error) {
      // A file that is none, damaged or gone: whoever asks learns that there is nothing to play.
      if (!(error instanceof MillraceError)) throw error;
      log.warn({ file: name, code: error.code, reason: error.message }, 'a file can not be played');
      return undefined;
    }
    const { tracks, durationUs } = opened.file;
    opened.close();
    const session = FileMediaSession.of({
      name,
      file,
      tracks,
      durationUs,
      open,
      clock,
      random32,
      maxPacketBytes,
      stallTimeoutMs,
      onFault: (error) => log.warn({ err: error, file: name }, 'a file could not be played on'),
      // Opening it again takes time: its description stays until the file changes.
      onUnreferenced: () => undefined,
    });
    if (session !== undefined) this.#remember(session);
    return session;
  }

  #remember(session: FileMediaSession): void {
    const { registry } = this.#options;
    registry.add(session);
    this.#described.add(session);
    for (const old of this.#described) {
      if (this.#described.size <= MAX_DESCRIBED_FILES) break;
      if (old === session || registry.isReferenced(old)) continue;
      registry.remove(old);
      this.#described.delete(old);
    }
  }

  async #openFile(file: TreeFile, extension: string): Promise<OpenedFile> {
    const opened = await RandomAccessFile.open(file.path);
    const close = (): void => {
      opened.close().catch((error: unknown) => this.#options.log.debug({ err: error }, 'a file did not close'));
    };
    try {
      if (extension === TRANSPORT_STREAM_EXTENSION) {
        const index = await this.#indices.indexOf(file);
        const media = await openTsFile(opened, index);
        return { file: media, program: await programOf(() => openTsProgramFile(opened, index)), close };
      }
      return { file: await readerOf(extension)!(opened), close };
    } catch (error) {
      close();
      throw error;
    }
  }
}

/** The program inside a transport stream, as far as it is of codecs that are taken apart here. */
async function programOf(open: () => Promise<MediaFile>): Promise<MediaFile | undefined> {
  try {
    const program = await open();
    return program.tracks.some((track) => track.kind === 'video') ? program : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
