import { diff16 } from '../../../wire/sequence-number.ts';
import { BitCursor } from './bit-cursor.ts';
import {
  allDecodeTargets,
  type DependencyStructure,
  type DependencyTemplate,
  MAX_DECODE_TARGETS,
  MAX_FRAME_DIFFERENCES,
  readDependencyStructure,
  templateOf,
} from './dependency-structure.ts';

/** Bytes of a descriptor of a frame that is as its template says. */
export const MIN_DEPENDENCY_DESCRIPTOR_BYTES = 3;

/** Longest descriptor, what an element of the two-byte form holds. */
export const MAX_DEPENDENCY_DESCRIPTOR_BYTES = 255;

/** What a dependency descriptor tells of its packet. Made once and filled by `DependencyDescriptorReader`. */
export class DependencyDescriptor {
  /** The packet is the first of its frame. */
  isFrameStart = false;
  /** The packet is the last of its frame; frames of other spatial layers may follow in the picture. */
  isFrameEnd = false;
  /** 0–63. */
  templateId = 0;
  /** In decoding order, 16 bits. */
  frameNumber = 0;
  /** What the descriptor refers to. */
  structure: DependencyStructure | undefined;
  /** Whether the structure was sent in this descriptor: the packet begins a coded video sequence. */
  hasStructure = false;
  /** Decode targets that are sent at all, a bit each; −1 when this descriptor does not say. */
  activeDecodeTargets = -1;
  spatialId = 0;
  temporalId = 0;
  /** What the frame is to each decode target of the structure. */
  readonly indications: Uint8Array = new Uint8Array(MAX_DECODE_TARGETS);
  readonly frameDiffs: Uint16Array = new Uint16Array(MAX_FRAME_DIFFERENCES);
  frameDiffCount = 0;
  /** For each chain of the structure. */
  readonly chainDiffs: Uint8Array = new Uint8Array(MAX_DECODE_TARGETS);
  /** Bits of the descriptor that are not padding. */
  bitCount = 0;
  /** Where, in bits from the descriptor's beginning, the mask of active decode targets is or would be. */
  maskAtBit = 0;
  /** Whether the descriptor has a mask. */
  hasMask = false;
  /** Whether it has more than the 3 bytes every one has. */
  isExtended = false;

  /** Largest width of the frame's spatial layer; 0 when the structure does not tell. */
  get width(): number {
    return this.structure?.resolutions[this.spatialId]?.width ?? 0;
  }

  /** Largest height of the frame's spatial layer; 0 when the structure does not tell. */
  get height(): number {
    return this.structure?.resolutions[this.spatialId]?.height ?? 0;
  }
}

/**
 * Reads the dependency descriptors of one RTP stream (AV1 RTP specification, appendix A.4) and keeps the structure they
 * refer to. The structure before is kept as well, for packets that come late.
 *
 *     start(1) end(1) template id(6) frame number(16)
 *     [structure(1) active(1) dtis(1) fdiffs(1) chains(1)  structure  active decode targets  dtis  fdiffs  chains]
 */
export class DependencyDescriptorReader {
  readonly #bits: BitCursor = new BitCursor();
  #current: DependencyStructure | undefined;
  #previous: DependencyStructure | undefined;
  /** Frame that the current one came with. */
  #currentSince = 0;
  #activeDecodeTargets = 0;

  /** The structure that came last; `undefined` before the first. */
  get structure(): DependencyStructure | undefined {
    return this.#current;
  }

  /** Decode targets of `structure` that are sent, a bit each. */
  get activeDecodeTargets(): number {
    return this.#activeDecodeTargets;
  }

  /**
   * Reads the descriptor at `at` into `out`.
   * @returns false when it is malformed or its structure has not come; `out` is then of no use, and the structure unchanged
   */
  read(bytes: Uint8Array, at: number, sizeBytes: number, out: DependencyDescriptor): boolean {
    if (sizeBytes < MIN_DEPENDENCY_DESCRIPTOR_BYTES || sizeBytes > MAX_DEPENDENCY_DESCRIPTOR_BYTES) return false;
    if (at < 0 || at + sizeBytes > bytes.length) return false;
    const first = bytes[at]!;
    out.isFrameStart = (first & 0x80) !== 0;
    out.isFrameEnd = (first & 0x40) !== 0;
    out.templateId = first & 0x3f;
    out.frameNumber = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    out.isExtended = sizeBytes > MIN_DEPENDENCY_DESCRIPTOR_BYTES;
    const bits = this.#bits;
    bits.set(bytes, at + MIN_DEPENDENCY_DESCRIPTOR_BYTES, at + sizeBytes);
    // Structure, mask, dtis, fdiffs, chains.
    const flags = out.isExtended ? bits.bits(5) : 0;
    out.hasStructure = (flags & 0x10) !== 0;
    const structure = out.hasStructure ? readDependencyStructure(bits) : this.#structureOf(out.templateId);
    if (structure === undefined) return false;
    const template = templateOf(structure, out.templateId);
    if (template === undefined) return false;
    out.structure = structure;
    out.spatialId = template.spatialId;
    out.temporalId = template.temporalId;
    out.hasMask = (flags & 0x08) !== 0;
    out.maskAtBit = 8 * MIN_DEPENDENCY_DESCRIPTOR_BYTES + bits.position;
    out.activeDecodeTargets = out.hasStructure ? allDecodeTargets(structure) : -1;
    if (out.hasMask) out.activeDecodeTargets = bits.bits(structure.decodeTargets.length);
    this.#readFrame(flags, structure, template, out);
    out.bitCount = 8 * MIN_DEPENDENCY_DESCRIPTOR_BYTES + bits.position;
    if (bits.overrun || out.frameDiffCount < 0) return false;
    if (out.hasStructure) this.#keep(structure, out.frameNumber);
    if (structure === this.#current && out.activeDecodeTargets >= 0)
      this.#activeDecodeTargets = out.activeDecodeTargets;
    return true;
  }

  /** What the frame has of its own, else what its template has. */
  #readFrame(
    flags: number,
    structure: DependencyStructure,
    template: DependencyTemplate,
    out: DependencyDescriptor,
  ): void {
    const bits = this.#bits;
    const { indications, frameDiffs, chainDiffs } = template;
    const targetCount = structure.decodeTargets.length;
    const hasOwnIndications = (flags & 0x04) !== 0;
    for (let i = 0; i < targetCount; i++) out.indications[i] = hasOwnIndications ? bits.bits(2) : indications[i]!;
    out.frameDiffCount = frameDiffs.length;
    if ((flags & 0x02) !== 0) out.frameDiffCount = this.#readFrameDiffs(out.frameDiffs);
    else for (let i = 0; i < frameDiffs.length; i++) out.frameDiffs[i] = frameDiffs[i]!;
    const hasOwnChains = (flags & 0x01) !== 0;
    for (let i = 0; i < structure.chainCount; i++) out.chainDiffs[i] = hasOwnChains ? bits.bits(8) : chainDiffs[i]!;
  }

  /** @returns how many were read; −1 when there are too many */
  #readFrameDiffs(diffs: Uint16Array): number {
    const bits = this.#bits;
    for (let count = 0; ; count++) {
      const nibbles = bits.bits(2);
      if (nibbles === 0) return count;
      if (count === MAX_FRAME_DIFFERENCES) return -1;
      diffs[count] = bits.bits(4 * nibbles) + 1;
    }
  }

  #structureOf(templateId: number): DependencyStructure | undefined {
    const current = this.#current;
    if (current !== undefined && templateOf(current, templateId) !== undefined) return current;
    return this.#previous;
  }

  #keep(structure: DependencyStructure, frameNumber: number): void {
    const { templateIdOffset } = structure;
    if (this.#current !== undefined && this.#current.templateIdOffset !== templateIdOffset) {
      // A key frame sent again must not take the place of the one after it.
      const isLate = diff16(frameNumber, this.#currentSince) < 0;
      if (isLate && this.#previous?.templateIdOffset === templateIdOffset) return;
      this.#previous = this.#current;
    }
    this.#current = structure;
    this.#currentSince = frameNumber;
  }
}
