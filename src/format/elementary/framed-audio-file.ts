import type { Frame } from '../../codec/frame.ts';
import type { AudioCodec, Track } from '../../codec/track.ts';
import { audioDetails } from '../../codec/track-details.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import { HALF_ROUNDING_US, type MediaFile, type OpenMediaFile, type RandomAccess } from '../media-file.ts';
import { AC3_FRAMING, ADTS_FRAMING, type AudioFraming, type FrameFacts, MPEG_AUDIO_FRAMING } from './audio-framing.ts';

/** Codes of the `ProtocolError`s of elementary stream files. */
export type ElementaryFileErrorCode = 'elementary-file/no-frame' | 'elementary-file/unknown-format';

/** Bytes looked through for the first frame, behind ID3 tags. */
export const MAX_LEADING_BYTES = 65_536;

/** Largest frame of any of these codecs (ADTS), bytes. */
const MAX_FRAME_BYTES = 8191;

/** Frames between two entries of the index. */
const INDEX_STEP_FRAMES = 32;

/** Most entries of the index; a file that would have more (some 200 hours) counts as ended there. */
export const MAX_INDEX_ENTRIES = 1_048_576;

const ID3V2_HEADER_BYTES = 10;
const ID3V1_BYTES = 128;

/** AAC in ADTS (`.aac`). */
export const openAdtsFile: OpenMediaFile = (file) => open(file, ADTS_FRAMING);

/** MPEG audio of layer II or III (`.mp3`, `.mp2`), ID3 tags and the Xing or VBRI frame passed over. */
export const openMpegAudioFile: OpenMediaFile = (file) => open(file, MPEG_AUDIO_FRAMING);

/** AC-3 or E-AC-3 (`.ac3`, `.eac3`). */
export const openAc3File: OpenMediaFile = (file) => open(file, AC3_FRAMING);

async function open(file: RandomAccess, framing: AudioFraming): Promise<MediaFile> {
  const window = new FileWindow(file);
  const first = await findFirst(window, framing);
  if (first === undefined) {
    throw new ProtocolError(
      'elementary-file/no-frame' satisfies ElementaryFileErrorCode,
      `no audio frame within the first ${MAX_LEADING_BYTES} bytes`,
    );
  }
  const bytes = (await window.view(first.offset, first.facts.sizeBytes)).slice();
  const config = framing.config(bytes);
  const audio = config && audioDetails(first.facts.codec as AudioCodec, config, bytes);
  if (config === undefined || audio === undefined) {
    throw new ProtocolError(
      'elementary-file/unknown-format' satisfies ElementaryFileErrorCode,
      'the first audio frame describes no format that can be played',
    );
  }
  const track: Track = { kind: 'audio', trackId: 0, codec: first.facts.codec, config, audio };
  const offset = isInfoFrame(bytes, first.facts) ? first.offset + first.facts.sizeBytes : first.offset;
  const reader = new FramedAudioFile(window, framing, track, first.facts);
  await reader.index(offset);
  return reader;
}

/** All frames have one size in samples, so frame `n` begins at `n × samples`. */
class FramedAudioFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = true;
  readonly #window: FileWindow;
  readonly #framing: AudioFraming;
  readonly #track: Track;
  readonly #facts: FrameFacts;
  /** Offsets of every `INDEX_STEP_FRAMES`th frame. */
  #offsets: Float64Array = new Float64Array(1024);
  #entries = 0;
  #frames = 0;
  #next = 0;
  #nextOffset = 0;

  constructor(window: FileWindow, framing: AudioFraming, track: Track, facts: FrameFacts) {
    this.#window = window;
    this.#framing = framing;
    this.#track = track;
    this.#facts = facts;
    this.tracks = [track];
  }

  get durationUs(): number {
    return this.#timeUs(this.#frames);
  }

  /** Reads all headers once: only so the duration is known and a seek lands on the frame it names. */
  async index(firstOffset: number): Promise<void> {
    let at = firstOffset;
    for (;;) {
      const found = await this.#frameAt(at);
      if (found === undefined) break;
      if (this.#frames % INDEX_STEP_FRAMES === 0 && !this.#remember(found.offset)) break;
      this.#frames++;
      at = found.offset + found.facts.sizeBytes;
    }
    this.#nextOffset = firstOffset;
  }

  async seek(targetUs: number): Promise<number> {
    const { samples, sampleRate } = this.#facts;
    const asked = Math.floor(((Math.max(0, targetUs) + HALF_ROUNDING_US) * sampleRate) / (samples * 1_000_000));
    const frame = Math.max(0, Math.min(asked, this.#frames - 1));
    const entry = Math.floor(frame / INDEX_STEP_FRAMES);
    this.#next = entry * INDEX_STEP_FRAMES;
    this.#nextOffset = this.#offsets[entry] ?? 0;
    while (this.#next < frame) {
      const found = await this.#frameAt(this.#nextOffset);
      if (found === undefined) break;
      this.#nextOffset = found.offset + found.facts.sizeBytes;
      this.#next++;
    }
    return this.#timeUs(this.#next);
  }

  async next(): Promise<Frame | undefined> {
    if (this.#next >= this.#frames) return undefined;
    const found = await this.#frameAt(this.#nextOffset);
    if (found === undefined) return undefined;
    const { facts, offset } = found;
    const bytes = await this.#window.view(offset, facts.sizeBytes);
    const timeUs = this.#timeUs(this.#next);
    this.#nextOffset = offset + facts.sizeBytes;
    this.#next++;
    const payload = bytes.slice(facts.payloadOffset);
    return { track: this.#track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload };
  }

  #timeUs(frame: number): number {
    return Math.round((frame * this.#facts.samples * 1_000_000) / this.#facts.sampleRate);
  }

  #remember(offset: number): boolean {
    if (this.#entries === MAX_INDEX_ENTRIES) return false;
    if (this.#entries === this.#offsets.length) {
      const grown = new Float64Array(this.#offsets.length * 2);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[this.#entries++] = offset;
    return true;
  }

  /** The whole frame at `from` or, where there is none, the next one behind it. */
  async #frameAt(from: number): Promise<{ offset: number; facts: FrameFacts } | undefined> {
    const framing = this.#framing;
    let at = from;
    for (;;) {
      const bytes = await this.#window.atLeast(at, framing.headerBytes);
      if (bytes.length < framing.headerBytes) return undefined;
      const facts = framing.facts(bytes, 0);
      if (facts !== undefined && facts.format === this.#facts.format && facts.samples === this.#facts.samples) {
        return at + facts.sizeBytes <= this.#window.sizeBytes ? { offset: at, facts } : undefined;
      }
      const next = bytes.indexOf(framing.syncByte, 1);
      at += next < 0 ? Math.max(1, bytes.length - framing.headerBytes + 1) : next;
    }
  }
}

/** The first frame that another frame of the same format follows, or that ends the file. */
async function findFirst(
  window: FileWindow,
  framing: AudioFraming,
): Promise<{ offset: number; facts: FrameFacts } | undefined> {
  const start = await audioStart(window);
  const bytes = (await window.view(start, MAX_LEADING_BYTES + 2 * MAX_FRAME_BYTES)).slice();
  for (let at = 0; at < Math.min(bytes.length, MAX_LEADING_BYTES); at++) {
    if (bytes[at] !== framing.syncByte) continue;
    const facts = framing.facts(bytes, at);
    if (facts === undefined || facts.samples === 0) continue;
    const end = at + facts.sizeBytes;
    const next = framing.facts(bytes, end);
    const endsFile = start + end === window.sizeBytes || start + end + ID3V1_BYTES === window.sizeBytes;
    if (next?.format === facts.format || endsFile) return { offset: start + at, facts };
  }
  return undefined;
}

/** Behind ID3v2 tags (id3.org, ID3v2.4.0 §3.1): `ID3`, version, flags, size in four times seven bits. */
async function audioStart(window: FileWindow): Promise<number> {
  let at = 0;
  for (;;) {
    const head = await window.view(at, ID3V2_HEADER_BYTES);
    const isTag = head.length === ID3V2_HEADER_BYTES && head[0] === 0x49 && head[1] === 0x44 && head[2] === 0x33;
    if (!isTag) return at;
    const size = (head[6]! << 21) | (head[7]! << 14) | (head[8]! << 7) | head[9]!;
    const footer = (head[5]! & 0x10) !== 0 ? ID3V2_HEADER_BYTES : 0;
    at += ID3V2_HEADER_BYTES + size + footer;
  }
}

/** Whether an MPEG audio frame only tells of the file (`Xing`, `Info`, `VBRI`): it would play as silence. */
function isInfoFrame(frame: Uint8Array, facts: FrameFacts): boolean {
  if (facts.codec !== 'mp3') return false;
  for (let at = 4; at + 4 <= Math.min(frame.length, 48); at++) {
    const name = String.fromCharCode(frame[at]!, frame[at + 1]!, frame[at + 2]!, frame[at + 3]!);
    if (name === 'Xing' || name === 'Info' || name === 'VBRI') return true;
  }
  return false;
}
