import { BitCursor } from './bit-cursor.ts';
import { BitSink } from './bit-sink.ts';
import {
  type DependencyDescriptor,
  MAX_DEPENDENCY_DESCRIPTOR_BYTES,
  MIN_DEPENDENCY_DESCRIPTOR_BYTES,
} from './dependency-descriptor.ts';
import {
  allDecodeTargets,
  type DependencyStructure,
  type DependencyTemplate,
  MAX_SPATIAL_ID,
  templateOf,
} from './dependency-structure.ts';

const HAS_STRUCTURE = 0x10;
const HAS_MASK = 0x08;
const HAS_INDICATIONS = 0x04;
const HAS_FRAME_DIFFS = 0x02;
const HAS_CHAIN_DIFFS = 0x01;
const MAX_TEMPLATE_DIFF = 16;
const MAX_FRAME_DIFF = 4096;
const FLAGS_AT_BIT = 8 * MIN_DEPENDENCY_DESCRIPTOR_BYTES;
const FLAGS_BITS = 5;

/** Writes dependency descriptors (AV1 RTP specification, appendix A.4). */
export class DependencyDescriptorWriter {
  readonly #bits: BitSink = new BitSink();
  readonly #source: BitCursor = new BitCursor();

  /**
   * Writes `descriptor` at `at`, as short as its template allows: with the structure when `hasStructure`, with the mask of
   * active decode targets when that is not −1, and not all of them beside a structure.
   * @returns bytes written; 0 when there is no room, no structure, or something in it that has no wire form
   */
  write(descriptor: DependencyDescriptor, out: Uint8Array, at: number): number {
    const { structure, hasStructure, templateId, activeDecodeTargets } = descriptor;
    const template = structure && templateOf(structure, templateId);
    if (structure === undefined || template === undefined || !this.#begin(out, at)) return 0;
    const bits = this.#bits;
    bits.flag(descriptor.isFrameStart);
    bits.flag(descriptor.isFrameEnd);
    bits.bits(6, templateId);
    bits.bits(16, descriptor.frameNumber);
    const hasMask = activeDecodeTargets >= 0 && !(hasStructure && activeDecodeTargets === allDecodeTargets(structure));
    const flags =
      (hasStructure ? HAS_STRUCTURE : 0) | (hasMask ? HAS_MASK : 0) | differences(descriptor, structure, template);
    if (flags !== 0) {
      bits.bits(FLAGS_BITS, flags);
      if (hasStructure && !this.#writeStructure(structure)) return 0;
      if (hasMask) bits.bits(structure.decodeTargets.length, activeDecodeTargets);
      if (!this.#writeFrame(flags, descriptor, structure)) return 0;
    }
    return bits.overrun ? 0 : bits.end - at;
  }

  /**
   * Repeats the descriptor at `at` of `bytes`, which `descriptor` was read from, with another mask of active decode
   * targets: what an SFU sends to a viewer who gets fewer layers than there are (appendix A.4.4).
   * @param out another buffer
   * @returns bytes written; 0 when there is no room
   */
  writeActiveDecodeTargets(
    descriptor: DependencyDescriptor,
    from: { readonly bytes: Uint8Array; readonly at: number },
    mask: number,
    to: { readonly out: Uint8Array; readonly at: number },
  ): number {
    const { structure, maskAtBit, bitCount, isExtended, hasMask } = descriptor;
    if (structure === undefined || !this.#begin(to.out, to.at)) return 0;
    const bits = this.#bits;
    const source = this.#source;
    const sourceEnd = from.at + ((bitCount + 7) >>> 3);
    if (from.at < 0 || sourceEnd > from.bytes.length) return 0;
    source.set(from.bytes, from.at, sourceEnd);
    bits.bits(FLAGS_AT_BIT, source.bits(FLAGS_AT_BIT));
    bits.bits(FLAGS_BITS, (isExtended ? source.bits(FLAGS_BITS) : 0) | HAS_MASK);
    while (source.position < maskAtBit) copyBits(source, bits, maskAtBit);
    const targets = structure.decodeTargets.length;
    bits.bits(targets, mask);
    if (hasMask) source.bits(targets);
    while (source.position < bitCount) copyBits(source, bits, bitCount);
    return bits.overrun ? 0 : bits.end - to.at;
  }

  #begin(out: Uint8Array, at: number): boolean {
    if (at < 0 || at > out.length) return false;
    this.#bits.set(out, at, Math.min(out.length, at + MAX_DEPENDENCY_DESCRIPTOR_BYTES));
    return true;
  }

  #writeFrame(
    flags: number,
    descriptor: DependencyDescriptor,
    { decodeTargets, chainCount }: DependencyStructure,
  ): boolean {
    const bits = this.#bits;
    if ((flags & HAS_INDICATIONS) !== 0) {
      for (let i = 0; i < decodeTargets.length; i++) bits.bits(2, descriptor.indications[i]!);
    }
    if ((flags & HAS_FRAME_DIFFS) !== 0) {
      for (let i = 0; i < descriptor.frameDiffCount; i++) {
        const diff = descriptor.frameDiffs[i]!;
        if (diff < 1 || diff > MAX_FRAME_DIFF) return false;
        const nibbles = diff <= 16 ? 1 : diff <= 256 ? 2 : 3;
        bits.bits(2, nibbles);
        bits.bits(4 * nibbles, diff - 1);
      }
      bits.bits(2, 0);
    }
    if ((flags & HAS_CHAIN_DIFFS) !== 0) for (let i = 0; i < chainCount; i++) bits.bits(8, descriptor.chainDiffs[i]!);
    return true;
  }

  #writeStructure({
    templateIdOffset,
    chainCount,
    templates,
    decodeTargets,
    resolutions,
  }: DependencyStructure): boolean {
    const bits = this.#bits;
    const spatialLayers = (templates[templates.length - 1]?.spatialId ?? MAX_SPATIAL_ID) + 1;
    if (resolutions.length > 0 && resolutions.length !== spatialLayers) return false;
    bits.bits(6, templateIdOffset);
    bits.bits(5, decodeTargets.length - 1);
    for (const [i, { spatialId, temporalId }] of templates.entries()) {
      const next = templates[i + 1];
      if (next === undefined) bits.bits(2, 3);
      else if (next.spatialId === spatialId && next.temporalId === temporalId) bits.bits(2, 0);
      else if (next.spatialId === spatialId && next.temporalId === temporalId + 1) bits.bits(2, 1);
      else if (next.spatialId === spatialId + 1 && next.temporalId === 0) bits.bits(2, 2);
      else return false;
    }
    for (const { indications } of templates) for (const indication of indications) bits.bits(2, indication);
    for (const { frameDiffs } of templates) {
      for (const diff of frameDiffs) {
        if (diff < 1 || diff > MAX_TEMPLATE_DIFF) return false;
        bits.bits(5, 0x10 | (diff - 1));
      }
      bits.flag(false);
    }
    bits.nonSymmetric(decodeTargets.length + 1, chainCount);
    if (chainCount > 0) {
      for (const { chain } of decodeTargets) bits.nonSymmetric(chainCount, chain);
      for (const { chainDiffs } of templates) for (const diff of chainDiffs) bits.bits(4, diff);
    }
    bits.flag(resolutions.length > 0);
    for (const { width, height } of resolutions) {
      bits.bits(16, width - 1);
      bits.bits(16, height - 1);
    }
    return true;
  }
}

/** Flags of what the frame has otherwise than its template. */
function differences(
  { indications, frameDiffs, frameDiffCount, chainDiffs }: DependencyDescriptor,
  { decodeTargets, chainCount }: DependencyStructure,
  template: DependencyTemplate,
): number {
  let flags = frameDiffCount === template.frameDiffs.length ? 0 : HAS_FRAME_DIFFS;
  for (let i = 0; i < decodeTargets.length; i++)
    if (indications[i] !== template.indications[i]) flags |= HAS_INDICATIONS;
  for (let i = 0; i < frameDiffCount; i++) if (frameDiffs[i] !== template.frameDiffs[i]) flags |= HAS_FRAME_DIFFS;
  for (let i = 0; i < chainCount; i++) if (chainDiffs[i] !== template.chainDiffs[i]) flags |= HAS_CHAIN_DIFFS;
  return flags;
}

/** Up to 32 bits, not beyond position `end`. */
function copyBits(source: BitCursor, to: BitSink, end: number): void {
  const count = Math.min(32, end - source.position);
  to.bits(count, source.bits(count));
}
