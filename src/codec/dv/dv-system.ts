import type { VideoDetails } from '../track.ts';

/** Bytes of a DIF block, which DV frames consist of (IEC 61834-2, SMPTE 314M). */
export const DIF_BLOCK_BYTES = 80;

/** Names of RFC 6469 §3.1.1 with width, height and frame rate; `VideoDetails.profile` of DV tracks is one of them. */
const SYSTEMS: ReadonlyMap<string, readonly [number, number, number]> = new Map([
  ['SD-VCR/525-60', [720, 480, 30_000 / 1001]],
  ['SD-VCR/625-50', [720, 576, 25]],
  ['314M-25/525-60', [720, 480, 30_000 / 1001]],
  ['314M-25/625-50', [720, 576, 25]],
  ['314M-50/525-60', [720, 480, 30_000 / 1001]],
  ['314M-50/625-50', [720, 576, 25]],
  ['370M/1080-60i', [1280, 1080, 30_000 / 1001]],
  ['370M/1080-50i', [1440, 1080, 25]],
  ['370M/720-60p', [960, 720, 60_000 / 1001]],
  ['370M/720-50p', [960, 720, 50]],
]);

/** What a name of RFC 6469 §3.1.1 tells; `undefined` for names that are not known. Case does not matter. */
export function dvDetails(name: string): VideoDetails | undefined {
  for (const [profile, [width, height, frameRate]] of SYSTEMS) {
    if (profile.toUpperCase() !== name.toUpperCase()) continue;
    return { width, height, frameRate, profile, level: '', codecString: 'dvc' };
  }
  return undefined;
}

/**
 * The system of a DV picture: its profile when that is a name of RFC 6469, otherwise that of plain DV with so many lines;
 * `undefined` for other heights.
 */
export function dvSystemOf(video: VideoDetails): string | undefined {
  const known = dvDetails(video.profile)?.profile;
  if (known !== undefined) return known;
  return video.height === 480 ? 'SD-VCR/525-60' : video.height === 576 ? 'SD-VCR/625-50' : undefined;
}

/**
 * Whether a DIF block is the first of a frame: the header block of sequence 0 of the first channel.
 *
 *     section type(3) …  sequence(4) channel(1) …  block(8)
 */
export function isFirstDifBlock(block: Uint8Array): boolean {
  return block.length >= 3 && block[0]! >>> 5 === 0 && block[1]! >>> 4 === 0 && (block[1]! & 8) === 0 && block[2] === 0;
}
