import { BitReader } from '../../wire/bit-reader.ts';

/** Bytes of a frame that hold everything read here. */
const LOOK_BYTES = 12;

const SYNCWORD = 0x0b77;

/** `bsid` up to which the syntax is that of AC-3, and up to which that of E-AC-3 (ETSI TS 102 366 §E.1.3.1.6). */
const LAST_AC3_BSID = 10;
const LAST_EAC3_BSID = 16;

/** Kilobits a second by frmsizecod >> 1 (ETSI TS 102 366 Table 4.13). */
const BITRATES: readonly number[] = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
const SAMPLE_RATES: readonly number[] = [48_000, 44_100, 32_000];
const BLOCKS: readonly number[] = [1, 2, 3, 6];

/** Full-bandwidth channels by `acmod`. */
const CHANNELS: readonly number[] = [2, 1, 2, 3, 3, 4, 4, 5];
const SAMPLES_PER_BLOCK = 256;

/** What the head of an AC-3 or E-AC-3 syncframe says (ETSI TS 102 366 §4.3, §4.4.1–2 and §E.1.2). */
export interface Ac3SyncInfo {
  readonly codec: 'ac3' | 'eac3';
  /** `bsid`. */
  readonly bitStreamId: number;
  readonly sampleRate: number;
  /** Channels of this syncframe, LFE included. E-AC-3 above 5.1 adds channels by dependent syncframes behind it. */
  readonly channels: number;
  readonly hasLfe: boolean;
  /** Whole syncframe. */
  readonly frameBytes: number;
  /** Samples of each channel. */
  readonly samples: number;
  /** E-AC-3 only: 0 independent, 1 dependent, 2 AC-3 converted. */
  readonly streamType: number;
}

/** Parses a syncframe's head at the start of `frame`; `undefined` when it is cut off or has reserved values. */
export function parseAc3SyncInfo(frame: Uint8Array): Ac3SyncInfo | undefined {
  // In both syntaxes bsid is the 41st bit.
  const bitStreamId = (frame[5] ?? 0xff) >>> 3;
  const bits = new BitReader(frame.subarray(0, LOOK_BYTES));
  if (bits.bits(16) !== SYNCWORD || bitStreamId > LAST_EAC3_BSID) return undefined;
  const info = bitStreamId <= LAST_AC3_BSID ? readAc3(bits, bitStreamId) : readEac3(bits, bitStreamId);
  return bits.overrun ? undefined : info;
}

function readAc3(bits: BitReader, bitStreamId: number): Ac3SyncInfo | undefined {
  bits.skip(16); // crc1
  const fscod = bits.bits(2);
  const frmsizecod = bits.bits(6);
  const fullRate = SAMPLE_RATES[fscod];
  const kbps = BITRATES[frmsizecod >>> 1];
  if (fullRate === undefined || kbps === undefined) return undefined;
  bits.skip(8); // bsid, bsmod
  const acmod = bits.bits(3);
  if ((acmod & 1) !== 0 && acmod !== 1) bits.skip(2); // cmixlev
  if ((acmod & 4) !== 0) bits.skip(2); // surmixlev
  if (acmod === 2) bits.skip(2); // dsurmod
  const hasLfe = bits.flag();
  // 44.1 kHz frames do not come out even: odd codes have one word more.
  const words =
    Math.floor((kbps * 1000 * 6 * SAMPLES_PER_BLOCK) / (16 * fullRate)) + (fscod === 1 ? frmsizecod & 1 : 0);
  return {
    codec: 'ac3',
    bitStreamId,
    // 9 and 10 mark half and quarter rates.
    sampleRate: fullRate >>> Math.max(0, bitStreamId - 8),
    channels: CHANNELS[acmod]! + (hasLfe ? 1 : 0),
    hasLfe,
    frameBytes: words * 2,
    samples: 6 * SAMPLES_PER_BLOCK,
    streamType: 0,
  };
}

function readEac3(bits: BitReader, bitStreamId: number): Ac3SyncInfo | undefined {
  const streamType = bits.bits(2);
  bits.skip(3); // substreamid
  const words = bits.bits(11) + 1;
  const fscod = bits.bits(2);
  const low = bits.bits(2); // fscod2 or numblkscod
  const rate = fscod === 3 ? SAMPLE_RATES[low] : SAMPLE_RATES[fscod];
  if (rate === undefined || streamType === 3) return undefined;
  const blocks = fscod === 3 ? 6 : BLOCKS[low]!;
  const acmod = bits.bits(3);
  const hasLfe = bits.flag();
  return {
    codec: 'eac3',
    bitStreamId,
    sampleRate: fscod === 3 ? rate / 2 : rate,
    channels: CHANNELS[acmod]! + (hasLfe ? 1 : 0),
    hasLfe,
    frameBytes: words * 2,
    samples: blocks * SAMPLES_PER_BLOCK,
    streamType,
  };
}
