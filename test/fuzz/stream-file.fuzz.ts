import { openAmrFile } from '../../src/format/amr/amr-file.ts';
import { openDvFile } from '../../src/format/dv/dv-file.ts';
import { openH264File, openH265File } from '../../src/format/elementary/annex-b-file.ts';
import { openAc3File, openAdtsFile, openMpegAudioFile } from '../../src/format/elementary/framed-audio-file.ts';
import type { OpenMediaFile } from '../../src/format/media-file.ts';
import { openMpeg4VideoFile } from '../../src/format/mpeg4-video/mpeg4-video-file.ts';
import { openPsFile } from '../../src/format/mpegps/ps-file.ts';
import { openTsFile, openTsProgramFile } from '../../src/format/mpegts/ts-file.ts';
import { openOggFile } from '../../src/format/ogg/ogg-file.ts';
import { openWavFile } from '../../src/format/wav/wav-file.ts';
import { ProtocolError } from '../../src/wire/errors.ts';
import { BoundedFile } from './bounded-file.ts';

/** Files that are streams, without an index of their own; the first byte of an input says which. */
export const name = 'stream-file';

const READERS: readonly OpenMediaFile[] = [
  openAdtsFile,
  openMpegAudioFile,
  openAc3File,
  openWavFile,
  openAmrFile,
  openDvFile,
  openH264File,
  openH265File,
  openMpeg4VideoFile,
  openPsFile,
  (file) => openTsFile(file),
  (file) => openTsProgramFile(file),
  openOggFile,
];

const MAX_FRAMES = 2000;

export async function run(bytes: Uint8Array): Promise<void> {
  const open = READERS[(bytes[0] ?? 0) % READERS.length]!;
  try {
    const file = await open(new BoundedFile(bytes.subarray(1)));
    for (const targetUs of [undefined, 0, 1_000_000, (file.durationUs ?? 0) / 2, Number.MAX_SAFE_INTEGER]) {
      if (targetUs !== undefined && !((await file.seek(targetUs)) >= 0)) throw new RangeError(`landed before 0`);
      for (let i = 0; i < MAX_FRAMES; i++) {
        const frame = await file.next();
        if (frame === undefined) break;
        const { dtsUs, ptsUs } = frame;
        if (!Number.isSafeInteger(dtsUs) || !Number.isSafeInteger(ptsUs) || dtsUs < 0 || ptsUs < 0) {
          throw new RangeError(`times ${dtsUs} and ${ptsUs}`);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}
