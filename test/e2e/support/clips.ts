import { join } from 'node:path';
import { ffmpegMake, testSignal } from '../../peers/ffmpeg.ts';
import { PeerProcess, words } from '../../peers/peer-process.ts';

/** Ten seconds of Big Buck Bunny (test/fixtures/README.md). */
export const BBB_CLIP: string = join(import.meta.dirname, '../../fixtures/bbb.flv');

/** Makes H.264 High with B-frames and a key frame a second, and AAC. */
export async function makeBFrameClip(file: string, seconds: number): Promise<void> {
  await make(
    [
      ...testSignal({ size: '320x240', frameRate: 25, seconds }),
      ...words('-c:v libx264 -preset veryfast -bf 3 -b_strategy 0 -g 25 -sc_threshold 0'),
      ...words('-pix_fmt yuv420p -b:v 300k -c:a aac -b:a 64k -f flv'),
    ],
    file,
  );
}

/** Makes H.264 and MP3. */
export async function makeMp3Clip(file: string, seconds: number): Promise<void> {
  await make(
    [
      ...testSignal({ size: '160x120', frameRate: 25, seconds }),
      ...words('-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p'),
      ...words('-c:a libmp3lame -b:a 64k -f flv'),
    ],
    file,
  );
}

/** Encodes by `args` (inputs included) into `file`. */
export async function make(args: readonly string[], file: string): Promise<void> {
  await PeerProcess.start(ffmpegMake(args, file)).succeeded();
}
