import { type AmrCodec, amrFrameBytes, amrSampleRate } from '../../codec/amr/amr-frame.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, OpenMediaFile } from '../media-file.ts';

/** Codes of the `ProtocolError`s of AMR files. */
export type AmrErrorCode = 'amr/not-amr' | 'amr/bad-frame-type';

const FRAME_US = 20_000;
/** Frames between two entries of the index: a second. */
const INDEX_STEP_FRAMES = 50;
/** Most entries of the index: 72 hours. */
export const MAX_AMR_INDEX_ENTRIES = 262_144;

/** AMR and AMR-WB of one channel in the storage format (`.amr`, `.awb`; RFC 4867 §5). */
export const openAmrFile: OpenMediaFile = async (file) => {
  const window = new FileWindow(file);
  const magic = new TextDecoder('latin1').decode(await window.view(0, 9));
  const isWideband = magic === '#!AMR-WB\n';
  if (!isWideband && !magic.startsWith('#!AMR\n')) {
    throw new ProtocolError('amr/not-amr' satisfies AmrErrorCode, 'no AMR header of one channel');
  }
  const reader = new AmrFile(window, isWideband, isWideband ? 9 : 6);
  await reader.index();
  return reader;
};

class AmrFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = true;
  readonly #window: FileWindow;
  readonly #codec: AmrCodec;
  readonly #track: Track;
  readonly #offsets: number[] = [];
  #frames = 0;
  #next = 0;
  #nextOffset: number;

  constructor(window: FileWindow, isWideband: boolean, firstOffset: number) {
    this.#window = window;
    this.#codec = isWideband ? 'amr-wb' : 'amr';
    this.#nextOffset = firstOffset;
    this.#track = {
      kind: 'audio',
      trackId: 0,
      codec: this.#codec,
      config: new Uint8Array(0),
      audio: {
        sampleRate: amrSampleRate(this.#codec),
        channels: 1,
        profile: isWideband ? 'WB' : 'NB',
        codecString: isWideband ? 'sawb' : 'samr',
      },
    };
    this.tracks = [this.#track];
  }

  get durationUs(): number {
    return this.#frames * FRAME_US;
  }

  /** @throws ProtocolError when a frame says a type there is none of */
  async index(): Promise<void> {
    const first = this.#nextOffset;
    for (let at = first; ; ) {
      const sizeBytes = await this.#sizeAt(at);
      if (sizeBytes === undefined) break;
      if (this.#frames % INDEX_STEP_FRAMES === 0) {
        if (this.#offsets.length === MAX_AMR_INDEX_ENTRIES) break;
        this.#offsets.push(at);
      }
      this.#frames++;
      at += sizeBytes;
    }
  }

  async seek(targetUs: number): Promise<number> {
    const frame = Math.max(0, Math.min(Math.floor(targetUs / FRAME_US), this.#frames - 1));
    const entry = Math.floor(frame / INDEX_STEP_FRAMES);
    this.#next = entry * INDEX_STEP_FRAMES;
    this.#nextOffset = this.#offsets[entry] ?? this.#nextOffset;
    while (this.#next < frame) {
      this.#nextOffset += (await this.#sizeAt(this.#nextOffset)) ?? 0;
      this.#next++;
    }
    return frame * FRAME_US;
  }

  async next(): Promise<Frame | undefined> {
    if (this.#next >= this.#frames) return undefined;
    const sizeBytes = await this.#sizeAt(this.#nextOffset);
    if (sizeBytes === undefined) return undefined;
    const payload = (await this.#window.view(this.#nextOffset, sizeBytes)).slice();
    const timeUs = this.#next * FRAME_US;
    this.#nextOffset += sizeBytes;
    this.#next++;
    return { track: this.#track, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload };
  }

  /** Header and speech of the frame at `offset`; undefined at the end of the file. */
  async #sizeAt(offset: number): Promise<number | undefined> {
    const [header] = await this.#window.view(offset, 1);
    if (header === undefined) return undefined;
    const sizeBytes = amrFrameBytes(this.#codec, header);
    if (sizeBytes === undefined) {
      throw new ProtocolError('amr/bad-frame-type' satisfies AmrErrorCode, `reserved frame type at byte ${offset}`);
    }
    return offset + sizeBytes <= this.#window.sizeBytes ? sizeBytes : undefined;
  }
}
