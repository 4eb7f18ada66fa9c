import { DIF_BLOCK_BYTES, isFirstDifBlock } from './dv-system.ts';

/** Blocks of a DIF sequence: header, 2 of subcode, 3 of auxiliary video data, then 9 times one of sound and 15 of video. */
const SEQUENCE_BLOCKS = 150;
const AUDIO_BLOCKS = 9;

const SUBCODE_AT = 1;
const AUXILIARY_AT = 3;
const AUDIO_AT = 6;
const VIDEO_AT = 7;

const AUDIO_SECTION = 3;
/** Upper three bits of the first byte, and what else stands there in blocks of sound. */
const AUDIO_ID = 0x70;
/** What stands behind the number of the sequence and the channel. */
const RESERVED_ID_BITS = 0x07;
/** Data that is not there. */
const NO_INFORMATION = 0xff;

/** In the second byte of a block: it is of the second channel (SMPTE 314M, 50 Mb/s). */
const SECOND_CHANNEL = 0x08;
/** In the fourth byte of a header block: 625 lines, and so 12 sequences instead of 10. */
const IS_625 = 0x80;

/** Where blocks of each section lie in their sequence, by section: place of the first, number of them. */
const SECTIONS: readonly (readonly [at: number, count: number])[] = [
  [0, 1],
  [SUBCODE_AT, 2],
  [AUXILIARY_AT, 3],
  [AUDIO_AT, AUDIO_BLOCKS],
  [VIDEO_AT, 135],
];

/** Place of a block in its sequence; -1 when its section has no such block. */
function placeInSequence(section: number, number: number): number {
  const [at, count] = SECTIONS[section] ?? [0, 0];
  if (number >= count) return -1;
  // Each 15 blocks of video are followed by one of sound.
  if (section === AUDIO_SECTION) return at + number * 16;
  return at + number + (at === VIDEO_AT ? Math.floor(number / 15) : 0);
}

/**
 * A frame out of the DIF blocks of one, of which senders may leave out those with sound (RFC 6469 §2.2). Gives `blocks`
 * itself when it is whole, a new buffer with blocks of no sound put in when only these are missing, `undefined` when it
 * does not begin with a frame's first block or lacks others too. Frames of four channels (100 Mb/s) must be whole.
 */
export function wholeDifFrame(blocks: Uint8Array): Uint8Array | undefined {
  if (!isFirstDifBlock(blocks) || blocks.length % DIF_BLOCK_BYTES !== 0) return undefined;
  const sequences = (blocks[3]! & IS_625) === 0 ? 10 : 12;
  const channelBlocks = sequences * SEQUENCE_BLOCKS;
  const count = blocks.length / DIF_BLOCK_BYTES;
  if (count % channelBlocks === 0) return blocks;
  const channels = count > channelBlocks ? 2 : 1;
  // Looked at before memory is taken for the frame.
  if (count > channels * channelBlocks || count < channels * sequences * (SEQUENCE_BLOCKS - AUDIO_BLOCKS))
    return undefined;
  const frame = new Uint8Array(channels * channelBlocks * DIF_BLOCK_BYTES);
  const isFilled = new Uint8Array(channels * channelBlocks);
  for (let at = 0; at < blocks.length; at += DIF_BLOCK_BYTES) {
    const second = blocks[at + 1]!;
    const channel = (second & SECOND_CHANNEL) === 0 ? 0 : 1;
    const sequence = second >>> 4;
    const place = placeInSequence(blocks[at]! >>> 5, blocks[at + 2]!);
    if (place < 0 || sequence >= sequences || channel >= channels) return undefined;
    const index = (channel * sequences + sequence) * SEQUENCE_BLOCKS + place;
    isFilled[index] = 1;
    frame.set(blocks.subarray(at, at + DIF_BLOCK_BYTES), index * DIF_BLOCK_BYTES);
  }
  return fillSound(frame, isFilled, sequences) ? frame : undefined;
}

/** Puts blocks without information where those of sound are missing; false when others are. */
function fillSound(frame: Uint8Array, isFilled: Uint8Array, sequences: number): boolean {
  for (let index = isFilled.indexOf(0); index >= 0; index = isFilled.indexOf(0, index + 1)) {
    const place = index % SEQUENCE_BLOCKS;
    if (place < AUDIO_AT || (place - AUDIO_AT) % 16 !== 0) return false;
    const sequence = Math.floor(index / SEQUENCE_BLOCKS);
    const channelBit = sequence >= sequences ? SECOND_CHANNEL : 0;
    const at = index * DIF_BLOCK_BYTES;
    frame.fill(NO_INFORMATION, at, at + DIF_BLOCK_BYTES);
    frame[at] = AUDIO_ID | (frame[0]! & 0x0f);
    frame[at + 1] = ((sequence % sequences) << 4) | channelBit | RESERVED_ID_BITS;
    frame[at + 2] = (place - AUDIO_AT) / 16;
  }
  return true;
}
