import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { HALF_ROUNDING_US, type MediaFile, type OpenMediaFile, type RandomAccess } from '../media-file.ts';

/** Codes of the `ProtocolError`s of DV files. */
export type DvErrorCode = 'dv/not-dv';

const DIF_SEQUENCE_BYTES = 12_000;
const HEADER_SECTION = 0;

/** Raw DV of 25 Mb/s (`.dv`): frames of one size, ten DIF sequences each for 525 lines, twelve for 625 (SMPTE 314M, IEC 61834). */
export const openDvFile: OpenMediaFile = async (file) => {
  const head = await file.read(0, 80);
  // The header block: section type 0 in the upper three bits of the first byte, DSF in the first bit of the fourth.
  if (head.length < 80 || head[0]! >>> 5 !== HEADER_SECTION || (head[1]! & 0xf0) !== 0 || head[2] !== 0) {
    throw new ProtocolError('dv/not-dv' satisfies DvErrorCode, 'no DIF header block at the start');
  }
  return new DvFile(file, (head[3]! & 0x80) !== 0);
};

class DvFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly isSeekable = true;
  readonly durationUs: number;
  readonly #file: RandomAccess;
  readonly #frameBytes: number;
  readonly #frameRate: number;
  readonly #frames: number;
  #next = 0;

  constructor(file: RandomAccess, is625: boolean) {
    this.#file = file;
    this.#frameBytes = (is625 ? 12 : 10) * DIF_SEQUENCE_BYTES;
    this.#frameRate = is625 ? 25 : 30_000 / 1001;
    this.#frames = Math.floor(file.sizeBytes / this.#frameBytes);
    this.tracks = [
      {
        kind: 'video',
        trackId: 0,
        codec: 'dv',
        config: new Uint8Array(0),
        video: {
          width: 720,
          height: is625 ? 576 : 480,
          frameRate: this.#frameRate,
          profile: is625 ? 'SD-VCR/625-50' : 'SD-VCR/525-60',
          level: '',
          codecString: 'dvc',
        },
      },
    ];
    this.durationUs = this.#timeUs(this.#frames);
  }

  seek(targetUs: number): Promise<number> {
    const frame = Math.floor(((Math.max(0, targetUs) + HALF_ROUNDING_US) * this.#frameRate) / 1_000_000);
    this.#next = Math.max(0, Math.min(frame, this.#frames - 1));
    return Promise.resolve(this.#timeUs(this.#next));
  }

  async next(): Promise<Frame | undefined> {
    if (this.#next >= this.#frames) return undefined;
    const payload = await this.#file.read(this.#next * this.#frameBytes, this.#frameBytes);
    if (payload.length < this.#frameBytes) return undefined;
    const timeUs = this.#timeUs(this.#next);
    this.#next++;
    return { track: this.tracks[0]!, dtsUs: timeUs, ptsUs: timeUs, isKeyFrame: true, payload };
  }

  #timeUs(frame: number): number {
    return Math.round((frame * 1_000_000) / this.#frameRate);
  }
}
