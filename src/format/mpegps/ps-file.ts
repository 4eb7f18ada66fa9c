import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { AC3_FRAMING, MPEG_AUDIO_FRAMING } from '../elementary/audio-framing.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, OpenMediaFile, RandomAccess } from '../media-file.ts';
import { FramedAudioReader } from '../mpegts/framed-audio-reader.ts';
import { TimestampUnwrapper } from '../mpegts/timestamp-unwrapper.ts';
import type { TsDemuxEvent } from '../mpegts/ts-demux-event.ts';
import { MpegVideoSplitter, type PacketTimes } from './mpeg-video-splitter.ts';
import { nextPsPacket, type PsPacket } from './ps-packets.ts';

/** Codes of the `ProtocolError`s of program stream files. */
export type PsErrorCode = 'ps-file/not-ps' | 'ps-file/no-streams';

/** Bytes looked through for the streams of the program. */
export const MAX_PS_PROBE_BYTES: number = 4 * 1024 * 1024;
/** Most streams followed. */
export const MAX_PS_STREAMS = 16;
/** Bytes at the end looked through for the last time stamp. */
const TAIL_BYTES: number = 1024 * 1024;
/** Halvings of a search for a position: down to a few kilobytes of the largest files. */
const SEARCH_STEPS = 24;
/** Parts of a file nearer than this are not told apart by a search, bytes. */
const SEARCH_RESOLUTION_BYTES = 65_536;

const PRIVATE_STREAM_1 = 0xbd;
const AC3_SUBSTREAM_BYTES = 4;

/** MPEG-1 system and MPEG-2 program streams (`.mpg`, `.mpeg`, `.vob`): MPEG video, MPEG audio and AC-3. */
export const openPsFile: OpenMediaFile = async (file) => {
  const head = await file.read(0, 4);
  if (head[0] !== 0 || head[1] !== 0 || head[2] !== 1 || (head[3] ?? 0) < 0xb9) {
    throw new ProtocolError('ps-file/not-ps' satisfies PsErrorCode, 'no pack at the start of the file');
  }
  const opened = new PsFile(file);
  await opened.probe();
  return opened;
};

interface PsStream {
  readonly track: () => Track | undefined;
  readonly push: (payload: Uint8Array, times: PacketTimes | undefined) => readonly Frame[];
  readonly end: () => readonly Frame[];
  readonly reset: () => void;
}

class PsFile implements MediaFile {
  readonly isSeekable = true;
  readonly #window: FileWindow;
  readonly #file: RandomAccess;
  readonly #streams = new Map<number, PsStream>();
  #tracks: readonly Track[] = [];
  #unwrapper = new TimestampUnwrapper();
  /** Time stamp that counts as position 0, microseconds. */
  #originUs = 0;
  #durationUs = 0;
  #at = 0;
  #frames: Frame[] = [];
  #isEnd = false;
  /** After a seek: what comes before the first key frame is of no use. */
  #waitsForKey = false;

  constructor(file: RandomAccess) {
    this.#file = file;
    this.#window = new FileWindow(file);
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  get durationUs(): number {
    return this.#durationUs;
  }

  /** @throws ProtocolError when there is nothing to play */
  async probe(): Promise<void> {
    let firstUs: number | undefined;
    let at = 0;
    while (at < MAX_PS_PROBE_BYTES) {
      const packet = await nextPsPacket(this.#window, at);
      if (packet === undefined) break;
      at = packet.end;
      const times = this.#timesOf(packet);
      if (times !== undefined) firstUs = Math.min(firstUs ?? times.dtsUs, times.dtsUs);
      const stream = this.#streamOf(packet);
      stream?.push(mediaOf(packet), times);
      const isSettled = at > MAX_PS_PROBE_BYTES / 8 && [...this.#streams.values()].every((one) => one.track());
      if (isSettled && this.#streams.size > 0) break;
    }
    const playable = [...this.#streams].filter(([, stream]) => stream.track() !== undefined);
    for (const [id, stream] of this.#streams) if (stream.track() === undefined) this.#streams.delete(id);
    this.#tracks = playable.map(([, stream]) => stream.track()!);
    if (playable.length === 0) {
      throw new ProtocolError(
        'ps-file/no-streams' satisfies PsErrorCode,
        'the file holds no stream that can be played',
      );
    }
    this.#originUs = firstUs ?? 0;
    this.#durationUs = await this.#lastTime();
    this.#goTo(0);
  }

  async seek(targetUs: number): Promise<number> {
    if (targetUs <= 0) {
      this.#goTo(0);
      return 0;
    }
    let low = 0;
    let high = this.#file.sizeBytes;
    let best = { offset: 0, timeUs: 0 };
    for (let step = 0; step < SEARCH_STEPS && high - low > SEARCH_RESOLUTION_BYTES; step++) {
      const middle = Math.floor((low + high) / 2);
      const found = await this.#keyFrameFrom(middle, high);
      if (found === undefined || found.timeUs > targetUs) high = middle;
      else {
        best = found;
        low = Math.max(middle, found.offset + 1);
      }
    }
    this.#goTo(best.offset);
    if (best.offset === 0) return 0;
    this.#waitsForKey = this.#tracks.some((track) => track.kind === 'video');
    const first = await this.next();
    if (first === undefined) return best.timeUs;
    this.#frames.unshift(first);
    return first.dtsUs;
  }

  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        if (this.#waitsForKey && !(frame.track.kind === 'video' && frame.isKeyFrame)) continue;
        this.#waitsForKey = false;
        return frame;
      }
      if (this.#isEnd) return undefined;
      const packet = await nextPsPacket(this.#window, this.#at);
      if (packet === undefined) {
        this.#isEnd = true;
        for (const stream of this.#streams.values()) this.#take(stream.end());
        continue;
      }
      this.#at = packet.end;
      const times = this.#timesOf(packet);
      const stream = this.#streams.get(streamKey(packet));
      if (stream !== undefined) this.#take(stream.push(mediaOf(packet), times));
    }
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const dtsUs = Math.max(0, frame.dtsUs - this.#originUs);
      this.#frames.push({ ...frame, dtsUs, ptsUs: Math.max(dtsUs, frame.ptsUs - this.#originUs) });
    }
  }

  #goTo(offset: number): void {
    this.#at = offset;
    this.#frames = [];
    this.#isEnd = false;
    this.#waitsForKey = false;
    this.#unwrapper = new TimestampUnwrapper();
    for (const stream of this.#streams.values()) stream.reset();
  }

  #timesOf(packet: PsPacket): PacketTimes | undefined {
    if (packet.pts90k === undefined || packet.dts90k === undefined) return undefined;
    const dtsUs = this.#unwrapper.toUs(packet.dts90k);
    return { dtsUs, ptsUs: this.#unwrapper.toUs(packet.pts90k) };
  }

  #streamOf(packet: PsPacket): PsStream | undefined {
    const key = streamKey(packet);
    const known = this.#streams.get(key);
    if (known !== undefined || this.#streams.size === MAX_PS_STREAMS) return known;
    const made = makeStream(key, this.#streams.size);
    if (made !== undefined) this.#streams.set(key, made);
    return made;
  }

  /** The first key frame that begins in `[from, end)`, or without video the first packet with a time. */
  async #keyFrameFrom(from: number, end: number): Promise<{ offset: number; timeUs: number } | undefined> {
    const hasVideo = this.#tracks.some((track) => track.kind === 'video');
    const unwrapper = new TimestampUnwrapper();
    for (let at = from; at < end; ) {
      const packet = await nextPsPacket(this.#window, at);
      if (packet === undefined || packet.offset >= end) return undefined;
      at = packet.end;
      if (packet.dts90k === undefined || !this.#streams.has(streamKey(packet))) continue;
      if (hasVideo && !(isVideo(packet.streamId) && hasSequenceHeader(packet.payload))) continue;
      return { offset: packet.offset, timeUs: Math.max(0, unwrapper.toUs(packet.dts90k) - this.#originUs) };
    }
    return undefined;
  }

  async #lastTime(): Promise<number> {
    const unwrapper = new TimestampUnwrapper();
    let latest = 0;
    for (let at = Math.max(0, this.#file.sizeBytes - TAIL_BYTES); ; ) {
      const packet = await nextPsPacket(this.#window, at);
      if (packet === undefined) return latest;
      at = packet.end;
      if (packet.pts90k === undefined || !this.#streams.has(streamKey(packet))) continue;
      latest = Math.max(latest, unwrapper.toUs(packet.pts90k) - this.#originUs);
    }
  }
}

function isVideo(streamId: number): boolean {
  return streamId >= 0xe0 && streamId <= 0xef;
}

/** Sequence headers stand in front of I pictures that are meant to be started at. */
function hasSequenceHeader(payload: Uint8Array): boolean {
  for (let i = 0; i + 3 < payload.length; i++) {
    if (payload[i] === 0 && payload[i + 1] === 0 && payload[i + 2] === 1 && payload[i + 3] === 0xb3) return true;
  }
  return false;
}

/** Streams of private stream 1 are told apart by their first byte. */
function streamKey(packet: PsPacket): number {
  return packet.streamId === PRIVATE_STREAM_1 ? 0x100 + (packet.payload[0] ?? 0) : packet.streamId;
}

function mediaOf(packet: PsPacket): Uint8Array {
  return packet.streamId === PRIVATE_STREAM_1 ? packet.payload.subarray(AC3_SUBSTREAM_BYTES) : packet.payload;
}

function makeStream(key: number, trackId: number): PsStream | undefined {
  if (isVideo(key)) {
    const splitter = new MpegVideoSplitter(trackId);
    return {
      track: () => splitter.track,
      push: (payload, times) => splitter.push(payload, times),
      end: () => splitter.push(new Uint8Array(0), undefined, true),
      reset: () => splitter.reset(),
    };
  }
  const isMpegAudio = key >= 0xc0 && key <= 0xdf;
  const isAc3 = key >= 0x180 && key <= 0x187;
  if (!isMpegAudio && !isAc3) return undefined;
  const reader = new FramedAudioReader(isAc3 ? AC3_FRAMING : MPEG_AUDIO_FRAMING, trackId);
  return {
    track: () => reader.track,
    push: (payload, times) => {
      const events: TsDemuxEvent[] = [];
      reader.push(payload.slice(), times, events);
      return events.flatMap((event) => (event.type === 'frame' ? event.frame : []));
    },
    end: () => [],
    reset: () => reader.reset(),
  };
}
