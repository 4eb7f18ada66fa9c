import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DependencyDescriptor, DependencyDescriptorReader } from './dependency-descriptor.ts';
import { DependencyDescriptorWriter } from './dependency-descriptor-writer.ts';
import { allDecodeTargets, type DependencyStructure, MAX_FRAME_DIFFERENCES } from './dependency-structure.ts';

/**
 * Captured from Chromium 156 (run with --disable-webrtc-encryption), the first frames of a call each: AV1 and VP9 with spatial layers, VP8 and H.264 with temporal
 * ones.
 */
const CAPTURED: Readonly<Record<string, readonly string[]>> = {
  'AV1 L3T3': [
    'c10001c0081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca87753013f00b3027f016704ff02cf1f80',
    'c60002',
    'c300031a20100800',
    'c800041a2800604000',
  ],
  'AV1 L2T2_KEY': ['c00001c003187aaa0100a0a014d1413451802190888a19409fc059c13fc0b3cc', 'c200021a000800', '830004'],
  'AV1 S2T1': ['8300048001238822891348400484204fe02ce09fe059e0', '030004'],
  'VP8 L1T3': ['c000018002044eaaaf2860414d34538a0940404fc02cc0', 'c50002', 'c30003', 'c50004'],
  'VP9 L3T3_KEY': [
    'c00001c0081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf0380',
    'c300021a00080000',
    'c200031a20100000',
  ],
  'H.264 L1T3': ['800001800214eaa860414d1410208426', '400001', 'c30002', 'c20003'],
};

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** What a reader that has read `earlier` reads from `hex`; `undefined` when it refuses. */
function read(hex: string, earlier: readonly string[] = []): DependencyDescriptor | undefined {
  const reader = new DependencyDescriptorReader();
  const descriptor = new DependencyDescriptor();
  for (const one of earlier) reader.read(fromHex(one), 0, one.length / 2, descriptor);
  return reader.read(fromHex(hex), 0, hex.length / 2, descriptor) ? descriptor : undefined;
}

describe.each(Object.entries(CAPTURED))('descriptors of %s from Chromium', (_, list) => {
  it('are read, and written to the same bytes', () => {
    const reader = new DependencyDescriptorReader();
    const descriptor = new DependencyDescriptor();
    const out = new Uint8Array(255);
    for (const hex of list) {
      const bytes = fromHex(hex);
      expect(reader.read(bytes, 0, bytes.length, descriptor)).toBe(true);
      const length = new DependencyDescriptorWriter().write(descriptor, out, 0);
      expect(Buffer.from(out.subarray(0, length)).toString('hex')).toBe(hex);
    }
  });

  it('are refused wherever the first is cut off', () => {
    const bytes = fromHex(list[0]!);
    for (let length = 0; length < bytes.length; length++) {
      const reader = new DependencyDescriptorReader();
      const isTaken = reader.read(bytes, 0, length, new DependencyDescriptor());
      // The last byte may be padding.
      if (length < bytes.length - 1) expect(isTaken).toBe(false);
      if (!isTaken) expect(reader.structure).toBeUndefined();
    }
  });
});

describe('DependencyDescriptorReader', () => {
  it('tells layers, indications, references and sizes', () => {
    const [key, second] = CAPTURED['AV1 L3T3']!;
    const first = read(key!)!;
    expect(first).toMatchObject({ isFrameStart: true, isFrameEnd: true, frameNumber: 1, spatialId: 0, temporalId: 0 });
    expect([first.width, first.height, first.activeDecodeTargets]).toEqual([320, 180, 0b11_1111]);
    expect(first.structure!.decodeTargets.map(({ spatialId, temporalId }) => `${spatialId}${temporalId}`)).toEqual([
      '00',
      '01',
      '02',
      '10',
      '11',
      '12',
      '20',
      '21',
      '22',
    ]);
    const next = read(second!, [key!])!;
    expect(next).toMatchObject({ spatialId: 1, temporalId: 0, frameDiffCount: 1, hasStructure: false, hasMask: false });
    expect([...next.frameDiffs.subarray(0, 1)]).toEqual([1]);
    expect([...next.indications.subarray(0, 9)]).toEqual([0, 0, 0, 2, 2, 2, 2, 2, 2]);
    expect([next.width, next.height]).toEqual([640, 360]);
  });

  it('refuses what refers to a structure that has not come', () => {
    expect(read('c60002')).toBeUndefined();
  });

  it.each([0, 1, 32_767, 32_768, 65_535])('reads frame number %i', (frameNumber) => {
    const hex = `c6${frameNumber.toString(16).padStart(4, '0')}`;
    expect(read(hex, CAPTURED['AV1 L3T3'])?.frameNumber).toBe(frameNumber);
  });

  it('reads late packets of the structure before, and keeps the newer one when a key frame comes again', () => {
    const old = CAPTURED['AV1 L2T2_KEY']!;
    const reader = new DependencyDescriptorReader();
    const descriptor = new DependencyDescriptor();
    const readHex = (hex: string): boolean => reader.read(fromHex(hex), 0, hex.length / 2, descriptor);
    expect(readHex(old[0]!)).toBe(true);
    const newer = structureAt(20);
    expect(readHex(newer)).toBe(true);
    const { structure } = reader;
    expect(structure?.templateIdOffset).toBe(20);
    expect(readHex(old[1]!)).toBe(true);
    expect(descriptor.temporalId).toBe(1);
    expect(readHex(old[0]!)).toBe(true);
    expect(reader.structure).toBe(structure);
  });

  it('refuses more references than a frame can have', () => {
    const bytes = new Uint8Array(60).fill(0xaa);
    bytes.set([0xc0, 0, 5, 0x12]);
    const reader = new DependencyDescriptorReader();
    const descriptor = new DependencyDescriptor();
    const key = fromHex(CAPTURED['VP8 L1T3']![0]!);
    expect(reader.read(key, 0, key.length, descriptor)).toBe(true);
    // Flags 00010: own differences; each then 01 (one nibble) and 0101.
    expect(MAX_FRAME_DIFFERENCES).toBe(16);
    expect(reader.read(bytes, 0, bytes.length, descriptor)).toBe(false);
  });

  it.each([1, 31, 32])('takes all of %i decode targets as active with a new structure', (count) => {
    const descriptor = read(CAPTURED['H.264 L1T3']![0]!)!;
    const targets = Array.from({ length: count }, () => ({ spatialId: 0, temporalId: 0, chain: -1 }));
    const template = { spatialId: 0, temporalId: 0, indications: targets.map(() => 2), frameDiffs: [], chainDiffs: [] };
    descriptor.structure = {
      templateIdOffset: 0,
      chainCount: 0,
      templates: [template],
      decodeTargets: targets,
      resolutions: [],
    };
    descriptor.indications.fill(2);
    descriptor.activeDecodeTargets = -1;
    const out = new Uint8Array(255);
    const length = new DependencyDescriptorWriter().write(descriptor, out, 0);
    const reader = new DependencyDescriptorReader();
    expect(reader.read(out, 0, length, descriptor)).toBe(true);
    expect([descriptor.activeDecodeTargets, reader.activeDecodeTargets]).toEqual([2 ** count - 1, 2 ** count - 1]);
  });

  it('survives any bytes', () => {
    const reader = new DependencyDescriptorReader();
    const descriptor = new DependencyDescriptor();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 260 }), (bytes) => {
        reader.read(bytes, 0, bytes.length, descriptor);
      }),
      { numRuns: 2000 },
    );
  });
});

/** A key frame's descriptor like that of H.264 above, later and with other template ids. */
function structureAt(templateIdOffset: number): string {
  const descriptor = read(CAPTURED['H.264 L1T3']![0]!)!;
  descriptor.structure = { ...descriptor.structure!, templateIdOffset };
  descriptor.templateId = templateIdOffset;
  descriptor.frameNumber = 100;
  const out = new Uint8Array(255);
  return Buffer.from(out.subarray(0, new DependencyDescriptorWriter().write(descriptor, out, 0))).toString('hex');
}

describe('DependencyDescriptorWriter', () => {
  const writer = new DependencyDescriptorWriter();

  it('repeats a descriptor with other active decode targets', () => {
    for (const list of Object.values(CAPTURED)) {
      const reader = new DependencyDescriptorReader();
      const second = new DependencyDescriptorReader();
      const descriptor = new DependencyDescriptor();
      const rewritten = new DependencyDescriptor();
      for (const hex of list) {
        const bytes = fromHex(hex);
        reader.read(bytes, 0, bytes.length, descriptor);
        const out = new Uint8Array(300);
        const length = writer.writeActiveDecodeTargets(descriptor, { bytes, at: 0 }, 0b11, { out, at: 7 });
        expect(second.read(out, 7, length, rewritten)).toBe(true);
        expect(rewritten.activeDecodeTargets).toBe(0b11);
        const { hasStructure, structure, frameNumber, spatialId, temporalId, indications, chainDiffs } = descriptor;
        expect(rewritten).toMatchObject({ hasStructure, structure, frameNumber, spatialId, temporalId });
        expect(rewritten).toMatchObject({ indications, chainDiffs, frameDiffCount: descriptor.frameDiffCount });
      }
    }
  });

  it('writes nothing where there is no room', () => {
    const bytes = fromHex(CAPTURED['AV1 L3T3']![0]!);
    const descriptor = read(CAPTURED['AV1 L3T3']![0]!)!;
    for (let room = 0; room < bytes.length; room++) {
      const out = new Uint8Array(room);
      expect(writer.write(descriptor, out, 0)).toBe(0);
      expect(writer.writeActiveDecodeTargets(descriptor, { bytes, at: 0 }, 1, { out, at: 0 })).toBe(0);
    }
  });

  it('writes what the reader reads back, for any structure', () => {
    fc.assert(
      fc.property(structures(), fc.nat(65_535), fc.nat(), fc.nat(), (structure, frameNumber, which, seed) => {
        const descriptor = new DependencyDescriptor();
        const index = which % structure.templates.length;
        descriptor.structure = structure;
        descriptor.hasStructure = true;
        descriptor.templateId = (structure.templateIdOffset + index) & 63;
        descriptor.frameNumber = frameNumber;
        descriptor.isFrameStart = true;
        const targets = structure.decodeTargets.length;
        for (let i = 0; i < targets; i++) descriptor.indications[i] = (seed + i) & 3;
        for (let i = 0; i < structure.chainCount; i++) descriptor.chainDiffs[i] = (seed * 7 + i) & 255;
        descriptor.frameDiffCount = seed % (MAX_FRAME_DIFFERENCES + 1);
        for (let i = 0; i < descriptor.frameDiffCount; i++) descriptor.frameDiffs[i] = 1 + ((seed + i * 911) % 4096);
        descriptor.activeDecodeTargets = seed % (allDecodeTargets(structure) + 1);
        const out = new Uint8Array(255);
        const length = writer.write(descriptor, out, 0);
        // Large structures do not fit an element.
        if (length === 0) return;
        const again = new DependencyDescriptor();
        expect(new DependencyDescriptorReader().read(out, 0, length, again)).toBe(true);
        const { indications, chainDiffs, frameDiffCount, activeDecodeTargets } = descriptor;
        expect(again).toMatchObject({ frameNumber, frameDiffCount, activeDecodeTargets, indications, chainDiffs });
        expect(again.frameDiffs).toEqual(descriptor.frameDiffs);
        expect(again.structure!.templates).toEqual(structure.templates);
        expect(again.structure!.decodeTargets.map(({ chain }) => chain)).toEqual(
          structure.decodeTargets.map(({ chain }) => chain),
        );
        expect(again.structure).toMatchObject({ chainCount: structure.chainCount, resolutions: structure.resolutions });
      }),
    );
  });
});

/** Structures of any layers, with and without chains and sizes. */
function structures(): fc.Arbitrary<DependencyStructure> {
  return fc
    .record({
      templateIdOffset: fc.nat(63),
      temporal: fc.integer({ min: 1, max: 3 }),
      spatial: fc.integer({ min: 1, max: 3 }),
      targetCount: fc.integer({ min: 1, max: 10 }),
      hasResolutions: fc.boolean(),
      seed: fc.nat(1_000_000),
    })
    .map(({ templateIdOffset, temporal, spatial, targetCount, hasResolutions, seed }) => {
      const chainCount = seed % (targetCount + 1);
      const templates = Array.from({ length: temporal * spatial }, (_, i) => ({
        spatialId: Math.floor(i / temporal),
        temporalId: i % temporal,
        indications: Array.from({ length: targetCount }, (_, target) => (seed + i + target) & 3),
        frameDiffs: Array.from({ length: (seed + i) % 4 }, (_, diff) => 1 + ((seed + diff) % 16)),
        chainDiffs: Array.from({ length: chainCount }, (_, chain) => (seed + chain * 5 + i) & 15),
      }));
      const decodeTargets = Array.from({ length: targetCount }, (_, target) => ({
        spatialId: 0,
        temporalId: 0,
        chain: chainCount === 0 ? -1 : (seed + target) % chainCount,
      }));
      const resolutions = Array.from({ length: hasResolutions ? spatial : 0 }, (_, i) => ({
        width: 1 + ((seed * (i + 1)) % 65_536),
        height: 65_536 - i,
      }));
      return { templateIdOffset, chainCount, templates, decodeTargets, resolutions };
    });
}
