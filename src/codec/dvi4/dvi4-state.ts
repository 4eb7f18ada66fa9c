/** Step sizes by index (RFC 3551 §4.5.1, the IMA ADPCM table): each about a tenth larger than the one before. */
const STEPS: readonly number[] = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
  130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
  1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484,
  7132, 7845, 8630, 9493, 10_442, 11_487, 12_635, 13_899, 15_289, 16_818, 18_500, 20_350, 22_385, 24_623, 27_086,
  29_794, 32_767,
];

/** How a code without its sign moves the index. */
const INDEX_STEPS: readonly number[] = [-1, -1, -1, -1, 2, 4, 6, 8];

/** Largest index. */
export const MAX_DVI4_INDEX = 88;

/** What a DVI4 decoder knows between two samples (RFC 3551 §4.5.1). */
export class Dvi4State {
  /** Last sample, 16 bits signed. */
  predicted = 0;
  /** Place in the table of steps, 0–88. */
  index = 0;

  /** Takes one code of 4 bits; `predicted` is the sample it stands for. */
  decode(code: number): void {
    const step = STEPS[this.index]!;
    let difference = step >> 3;
    if ((code & 1) !== 0) difference += step >> 2;
    if ((code & 2) !== 0) difference += step >> 1;
    if ((code & 4) !== 0) difference += step;
    const sample = (code & 8) !== 0 ? this.predicted - difference : this.predicted + difference;
    this.predicted = Math.max(-0x8000, Math.min(0x7fff, sample));
    this.index = Math.max(0, Math.min(MAX_DVI4_INDEX, this.index + INDEX_STEPS[code & 7]!));
  }
}
