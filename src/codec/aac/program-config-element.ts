import type { BitReader } from '../../wire/bit-reader.ts';
import type { BitWriter } from '../bit-writer.ts';

/** One channel element of a program: a pair of channels (CPE) or a single one (SCE). */
export interface ChannelElement {
  readonly isPair: boolean;
  /** `element_instance_tag`, 0–15. */
  readonly tag: number;
}

/** program_config_element() (ISO/IEC 14496-3 §4.4.1.1): channels that no channelConfiguration describes. */
export interface ProgramConfigElement {
  readonly tag: number;
  /** Audio object type minus 1, 0–3. */
  readonly objectType: number;
  readonly samplingFrequencyIndex: number;
  readonly front: readonly ChannelElement[];
  readonly side: readonly ChannelElement[];
  readonly back: readonly ChannelElement[];
  /** Tags of the LFE elements, at most 3. */
  readonly lfe: readonly number[];
  /** Tags of data stream elements, at most 7. */
  readonly data: readonly number[];
  readonly coupling: readonly { readonly isIndependentlySwitched: boolean; readonly tag: number }[];
  /** Element number of a ready-made mono or stereo mixdown. */
  readonly monoMixdown?: number;
  readonly stereoMixdown?: number;
  /** Three bits: matrix_mixdown_idx (2), pseudo_surround_enable (1). */
  readonly matrixMixdown?: number;
  /** Up to 255 bytes meant for people. */
  readonly comment: Uint8Array;
}

function readElements(bits: BitReader, count: number): ChannelElement[] {
  const elements: ChannelElement[] = [];
  for (let i = 0; i < count; i++) elements.push({ isPair: bits.flag(), tag: bits.bits(4) });
  return elements;
}

function readTags(bits: BitReader, count: number): number[] {
  const tags: number[] = [];
  for (let i = 0; i < count; i++) tags.push(bits.bits(4));
  return tags;
}

/**
 * Reads a program_config_element that starts at the reader's place, its id_syn_ele already read or absent. Alignment
 * counts from the reader's first byte. Every count has at most 4 bits, the comment at most 255 bytes.
 */
export function readProgramConfigElement(bits: BitReader): ProgramConfigElement | undefined {
  const tag = bits.bits(4);
  const objectType = bits.bits(2);
  const samplingFrequencyIndex = bits.bits(4);
  const fronts = bits.bits(4);
  const sides = bits.bits(4);
  const backs = bits.bits(4);
  const lfes = bits.bits(2);
  const datas = bits.bits(3);
  const couplings = bits.bits(4);
  const monoMixdown = bits.flag() ? bits.bits(4) : undefined;
  const stereoMixdown = bits.flag() ? bits.bits(4) : undefined;
  const matrixMixdown = bits.flag() ? bits.bits(3) : undefined;
  const front = readElements(bits, fronts);
  const side = readElements(bits, sides);
  const back = readElements(bits, backs);
  const lfe = readTags(bits, lfes);
  const data = readTags(bits, datas);
  const coupling = readElements(bits, couplings).map((element) => ({
    isIndependentlySwitched: element.isPair,
    tag: element.tag,
  }));
  bits.alignToByte();
  const comment = new Uint8Array(bits.bits(8));
  for (let i = 0; i < comment.length; i++) comment[i] = bits.bits(8);
  if (bits.overrun) return undefined;
  return {
    tag,
    objectType,
    samplingFrequencyIndex,
    front,
    side,
    back,
    lfe,
    data,
    coupling,
    ...(monoMixdown !== undefined && { monoMixdown }),
    ...(stereoMixdown !== undefined && { stereoMixdown }),
    ...(matrixMixdown !== undefined && { matrixMixdown }),
    comment,
  };
}

function writeOptional(bits: BitWriter, count: number, value: number | undefined): void {
  bits.flag(value !== undefined);
  if (value !== undefined) bits.bits(count, value);
}

/** Writes a program_config_element without id_syn_ele; ends on a byte boundary of `bits`. */
export function writeProgramConfigElement(bits: BitWriter, element: ProgramConfigElement): void {
  bits.bits(4, element.tag).bits(2, element.objectType).bits(4, element.samplingFrequencyIndex);
  bits.bits(4, element.front.length).bits(4, element.side.length).bits(4, element.back.length);
  bits.bits(2, element.lfe.length).bits(3, element.data.length).bits(4, element.coupling.length);
  writeOptional(bits, 4, element.monoMixdown);
  writeOptional(bits, 4, element.stereoMixdown);
  writeOptional(bits, 3, element.matrixMixdown);
  for (const { isPair, tag } of [...element.front, ...element.side, ...element.back]) bits.flag(isPair).bits(4, tag);
  for (const tag of [...element.lfe, ...element.data]) bits.bits(4, tag);
  for (const { isIndependentlySwitched, tag } of element.coupling) bits.flag(isIndependentlySwitched).bits(4, tag);
  bits.alignToByte();
  bits.bits(8, element.comment.length);
  for (const byte of element.comment) bits.bits(8, byte);
}

/** Channels of the program, LFE included. */
export function programChannels(element: ProgramConfigElement): number {
  let channels = element.lfe.length;
  for (const { isPair } of [...element.front, ...element.side, ...element.back]) channels += isPair ? 2 : 1;
  return channels;
}
