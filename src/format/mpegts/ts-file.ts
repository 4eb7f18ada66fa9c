import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import type { MediaFile, RandomAccess } from '../media-file.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';
import { TsDemuxer } from './ts-demuxer.ts';
import { scanTsFile, type TsFileErrorCode } from './ts-file-scan.ts';
import type { TsIndex } from './ts-index.ts';
import { TS_PACKET_SIZE_BYTES } from './ts-packet.ts';

/** Transport packets of one frame of a `mp2t` track: what fills one RTP packet (RFC 2250 §2). */
export const PACKETS_PER_FRAME = 7;

/** Bytes read at a time. */
const READ_BYTES: number = 512 * TS_PACKET_SIZE_BYTES;

/** Bytes looked through for the tracks of the program. */
export const MAX_TS_PROBE_BYTES: number = 8 * 1024 * 1024;

/** The file as it is: one `mp2t` track of whole transport packets. @param index made now when it is not given */
export async function openTsFile(file: RandomAccess, index?: TsIndex): Promise<TsFile> {
  return new TsFile(file, index ?? (await scanTsFile(file)));
}

/** The streams inside the file. @param index made now when it is not given */
export async function openTsProgramFile(file: RandomAccess, index?: TsIndex): Promise<MediaFile> {
  const opened = new TsProgramFile(file, index ?? (await scanTsFile(file)));
  await opened.probe();
  return opened;
}

/** A transport stream played as it is. */
export class TsFile implements MediaFile {
  readonly tracks: readonly Track[] = [{ kind: 'video', trackId: 0, codec: 'mp2t', config: new Uint8Array(0) }];
  readonly isSeekable = true;
  readonly index: TsIndex;
  readonly #file: RandomAccess;
  #at: number;
  #isStart = true;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(file: RandomAccess, index: TsIndex) {
    this.#file = file;
    this.index = index;
    this.#at = firstPacketOf(index);
  }

  get durationUs(): number {
    return this.index.durationUs;
  }

  get seekPointsUs(): readonly number[] {
    return Array.from(this.index.starts.timesUs);
  }

  seek(targetUs: number): Promise<number> {
    const { starts } = this.index;
    this.#isStart = true;
    if (targetUs <= 0 || starts.offsets.length === 0) {
      this.#at = firstPacketOf(this.index);
      return Promise.resolve(0);
    }
    const start = this.index.startBefore(targetUs);
    this.#at = starts.offsets[start]!;
    return Promise.resolve(starts.timesUs[start]!);
  }

  async next(): Promise<Frame | undefined> {
    const [track] = this.tracks as [Track];
    const timeUs = this.index.timeAt(this.#at);
    const isKeyFrame = this.#isStart;
    const { tables } = this.index;
    if (this.#isStart) {
      // Decoders that come in the middle would wait for the next copy of the tables.
      this.#isStart = false;
      if (tables.length > 0 && this.#at > firstPacketOf(this.index)) {
        return { track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame, payload: tables.slice() };
      }
    }
    const bytes = await this.#read(PACKETS_PER_FRAME * TS_PACKET_SIZE_BYTES);
    const whole = bytes.length - (bytes.length % TS_PACKET_SIZE_BYTES);
    if (whole === 0) return undefined;
    this.#at += whole;
    return { track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame, payload: bytes.slice(0, whole) };
  }

  async #read(sizeBytes: number): Promise<Uint8Array> {
    const from = this.#at - this.#windowAt;
    const isHeld = from >= 0 && from + sizeBytes <= this.#window.length;
    if (!isHeld) {
      this.#window = await this.#file.read(this.#at, READ_BYTES);
      this.#windowAt = this.#at;
    }
    const start = this.#at - this.#windowAt;
    return this.#window.subarray(start, start + sizeBytes);
  }
}

/** The program inside a transport stream file, frame by frame. */
class TsProgramFile implements MediaFile {
  readonly isSeekable = true;
  readonly #file: RandomAccess;
  readonly #index: TsIndex;
  #tracks: readonly Track[] = [];
  #demuxer = new TsDemuxer();
  #frames: Frame[] = [];
  #at: number;
  #isEnd = false;
  /** Position − time in the stream, microseconds. */
  #offsetUs: number | undefined;
  #startUs = 0;

  constructor(file: RandomAccess, index: TsIndex) {
    this.#file = file;
    this.#index = index;
    this.#at = firstPacketOf(index);
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  get durationUs(): number {
    return this.#index.durationUs;
  }

  get seekPointsUs(): readonly number[] {
    return Array.from(this.#index.starts.timesUs);
  }

  /** Reads ahead until the tracks are known. @throws ProtocolError when there are none */
  async probe(): Promise<void> {
    const tracks = new Map<string, Track>();
    const demuxer = new TsDemuxer();
    const end = Math.min(this.#at + MAX_TS_PROBE_BYTES, this.#file.sizeBytes);
    let framesSince = 0;
    for (let at = this.#at; at < end && framesSince < 100; at += READ_BYTES) {
      const bytes = await this.#file.read(at, READ_BYTES);
      for (const event of demuxer.receive(bytes)) {
        if (event.type === 'track') {
          tracks.set(`${event.track.kind}${event.track.trackId}`, event.track);
          framesSince = 0;
        } else if (event.type === 'frame') framesSince++;
      }
    }
    for (const event of demuxer.flush()) {
      if (event.type === 'track') tracks.set(`${event.track.kind}${event.track.trackId}`, event.track);
    }
    this.#tracks = [...tracks.values()];
    if (this.#tracks.length === 0) {
      throw new ProtocolError(
        'ts-file/no-streams' satisfies TsFileErrorCode,
        'the transport stream holds no stream that can be played',
      );
    }
  }

  seek(targetUs: number): Promise<number> {
    const { starts } = this.#index;
    this.#demuxer = new TsDemuxer();
    this.#frames = [];
    this.#isEnd = false;
    this.#offsetUs = undefined;
    const start = this.#index.startBefore(targetUs);
    if (targetUs <= 0 || starts.offsets.length === 0) {
      this.#at = firstPacketOf(this.#index);
      this.#startUs = 0;
    } else {
      this.#at = starts.offsets[start]!;
      this.#startUs = starts.timesUs[start]!;
      this.#accept(this.#demuxer.receive(this.#index.tables));
    }
    return Promise.resolve(this.#startUs);
  }

  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return this.#placed(frame);
      if (this.#isEnd) return undefined;
      const bytes = await this.#file.read(this.#at, READ_BYTES);
      this.#at += bytes.length;
      if (bytes.length > 0) this.#accept(this.#demuxer.receive(bytes));
      else {
        this.#isEnd = true;
        this.#accept(this.#demuxer.flush());
      }
    }
  }

  #accept(events: readonly TsDemuxEvent[]): void {
    for (const event of events) if (event.type === 'frame') this.#frames.push(event.frame);
  }

  #placed(frame: Frame): Frame {
    this.#offsetUs ??= this.#startUs - frame.dtsUs;
    const dtsUs = Math.max(0, frame.dtsUs + this.#offsetUs);
    return { ...frame, dtsUs, ptsUs: Math.max(dtsUs, frame.ptsUs + this.#offsetUs) };
  }
}

/** Packets before the first table are of no use to anyone. */
function firstPacketOf(index: TsIndex): number {
  const firstClock = index.clock.offsets[0]!;
  return firstClock % TS_PACKET_SIZE_BYTES;
}
