import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, OpenMediaFile, RandomAccess } from '../media-file.ts';
import { type OggCodec, oggCodecOf } from './ogg-codec.ts';
import { MAX_PAGE_BYTES, type OggPage, readOggPage } from './ogg-page.ts';

/** Codes of the `ProtocolError`s of Ogg files. */
export type OggErrorCode = 'ogg/not-ogg' | 'ogg/no-streams' | 'ogg/packet-too-large';

/** Most logical streams of one file. */
export const MAX_OGG_STREAMS = 32;
/** Largest packet, bytes. */
export const MAX_OGG_PACKET_BYTES: number = 8 * 1024 * 1024;
/** Latest time believed, microseconds: eleven days. */
export const MAX_OGG_TIME_US = 1_000_000_000_000;
/** Pages the headers of all streams must lie in. */
export const MAX_OGG_HEADER_PAGES = 512;

/**
 * Ogg (`.ogg`, `.oga`, `.ogv`, `.opus`; RFC 3533) with Opus, Vorbis and Theora. Streams that follow one another (chained files)
 * are played up to the end of the first. Not seekable but to 0.
 */
export const openOggFile: OpenMediaFile = async (file) => {
  const window = new FileWindow(file);
  const streams = new Map<number, OggStream>();
  let at = 0;
  let mediaAt: number | undefined;
  for (let pages = 0; pages < MAX_OGG_HEADER_PAGES; pages++) {
    const page = await readOggPage(window, at);
    if (page === undefined) break;
    if (pages === 0 && page.offset !== 0) throw oggError('ogg/not-ogg', 'no Ogg page at the start of the file');
    at = page.offset + page.sizeBytes;
    if (page.isFirst) {
      const codec = page.pieces[0] && oggCodecOf(page.pieces[0]);
      if (codec !== undefined && streams.size < MAX_OGG_STREAMS) {
        streams.set(page.serial, new OggStream(codec, streams.size));
      }
    }
    streams.get(page.serial)?.header(page);
    if ([...streams.values()].every((stream) => stream.isDescribed)) {
      mediaAt = at;
      if (!page.isFirst) break;
    }
  }
  if (at === 0) throw oggError('ogg/not-ogg', 'no Ogg page at the start of the file');
  const described = [...streams].filter(([, stream]) => stream.track !== undefined);
  if (described.length === 0 || mediaAt === undefined) {
    throw oggError('ogg/no-streams', 'the file holds no stream that can be played');
  }
  const playable = new Map(described);
  return new OggFile(window, playable, mediaAt, await lastTimeUs(file, playable));
};

/** One logical stream: its headers, and packets put together from pages. */
class OggStream {
  readonly #codec: OggCodec;
  readonly #trackId: number;
  readonly #headers: Uint8Array[] = [];
  #partial: Uint8Array[] = [];
  #partialBytes = 0;
  #track: Track | undefined;
  #timeUs = 0;

  constructor(codec: OggCodec, trackId: number) {
    this.#codec = codec;
    this.#trackId = trackId;
  }

  get track(): Track | undefined {
    return this.#track;
  }

  get isDescribed(): boolean {
    return this.#headers.length >= this.#codec.headerPackets;
  }

  header(page: OggPage): void {
    if (this.isDescribed) return;
    for (const packet of this.#packetsOf(page)) if (!this.isDescribed) this.#headers.push(packet);
    if (this.isDescribed) this.#track = this.#codec.toTrack(this.#headers, this.#trackId);
  }

  /** The time a page tells; undefined when it tells none, or one that can't be true. */
  endUsOf(page: OggPage): number | undefined {
    if (page.granulePosition === undefined) return undefined;
    const endUs = this.#codec.granuleToUs(page.granulePosition);
    return endUs <= MAX_OGG_TIME_US ? endUs : undefined;
  }

  reset(): void {
    this.#partial = [];
    this.#partialBytes = 0;
    this.#timeUs = 0;
  }

  frames(page: OggPage): Frame[] {
    const track = this.#track!;
    const packets = this.#packetsOf(page);
    const endUs = this.endUsOf(page);
    const frames: Frame[] = [];
    for (const [i, payload] of packets.entries()) {
      const timeUs = Math.round(this.#timeUs);
      frames.push({ track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: this.#codec.isKeyFrame(payload), payload });
      // Where packets do not tell how long they are, those of a page share what it spans.
      const share = endUs === undefined ? 0 : Math.max(0, endUs - this.#timeUs) / (packets.length - i);
      this.#timeUs += this.#codec.durationUs(payload) ?? share;
    }
    return frames;
  }

  #packetsOf(page: OggPage): Uint8Array[] {
    if (!page.isContinued) {
      this.#partial = [];
      this.#partialBytes = 0;
    }
    const packets: Uint8Array[] = [];
    for (const [i, piece] of page.pieces.entries()) {
      this.#partial.push(piece);
      this.#partialBytes += piece.length;
      if (this.#partialBytes > MAX_OGG_PACKET_BYTES) {
        throw oggError('ogg/packet-too-large', `a packet of more than ${MAX_OGG_PACKET_BYTES} bytes`);
      }
      if (page.isOpen && i === page.pieces.length - 1) break;
      packets.push(joinBytes(this.#partial));
      this.#partial = [];
      this.#partialBytes = 0;
    }
    return packets;
  }
}

class OggFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly durationUs: number | undefined;
  readonly isSeekable = false;
  readonly #window: FileWindow;
  readonly #streams: ReadonlyMap<number, OggStream>;
  readonly #mediaAt: number;
  #at: number;
  #frames: Frame[] = [];

  constructor(
    window: FileWindow,
    streams: ReadonlyMap<number, OggStream>,
    mediaAt: number,
    durationUs: number | undefined,
  ) {
    this.#window = window;
    this.#streams = streams;
    this.#mediaAt = mediaAt;
    this.#at = mediaAt;
    this.durationUs = durationUs;
    this.tracks = [...streams.values()].map((stream) => stream.track!);
    for (const stream of streams.values()) stream.reset();
  }

  seek(): Promise<number> {
    this.#at = this.#mediaAt;
    this.#frames = [];
    for (const stream of this.#streams.values()) stream.reset();
    return Promise.resolve(0);
  }

  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      const page = await readOggPage(this.#window, this.#at);
      if (page === undefined || page.isFirst) return undefined;
      this.#at = page.offset + page.sizeBytes;
      this.#frames = this.#streams.get(page.serial)?.frames(page) ?? [];
    }
  }
}

/** The latest time the last pages of the file tell. */
async function lastTimeUs(file: RandomAccess, streams: ReadonlyMap<number, OggStream>): Promise<number | undefined> {
  const window = new FileWindow(file);
  let latest: number | undefined;
  for (let at = Math.max(0, window.sizeBytes - 2 * MAX_PAGE_BYTES); ; ) {
    const page = await readOggPage(window, at);
    if (page === undefined) return latest;
    at = page.offset + page.sizeBytes;
    const stream = streams.get(page.serial);
    const endUs = stream?.endUsOf(page);
    if (endUs !== undefined) latest = Math.max(latest ?? 0, Math.round(endUs));
  }
}

function oggError(code: OggErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
