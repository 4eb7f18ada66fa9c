import {
  DependencyDescriptor,
  DependencyDescriptorReader,
} from '../../src/protocol/rtp/extensions/dependency-descriptor.ts';
import { DependencyDescriptorWriter } from '../../src/protocol/rtp/extensions/dependency-descriptor-writer.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'dependency-descriptor';

const MASK = 0b101;

/** Descriptors of one stream, each behind a byte with its length: read, written and read again. */
export function run(bytes: Uint8Array): void {
  const readers = [
    new DependencyDescriptorReader(),
    new DependencyDescriptorReader(),
    new DependencyDescriptorReader(),
  ];
  const [reader, ofWritten, ofRewritten] = readers;
  const writer = new DependencyDescriptorWriter();
  const read = new DependencyDescriptor();
  const again = new DependencyDescriptor();
  const out = new Uint8Array(300);
  for (let at = 0; at < bytes.length; ) {
    const sizeBytes = Math.min(bytes[at]!, bytes.length - at - 1);
    const start = at + 1;
    at = start + sizeBytes;
    if (!reader!.read(bytes, start, sizeBytes, read)) continue;
    const length = writer.write(read, out, 0);
    if (length > 0) {
      if (!ofWritten!.read(out, 0, length, again)) throw new RangeError('what was written is not read');
      expectSameFrame(again, read);
      if (again.activeDecodeTargets !== read.activeDecodeTargets) throw new RangeError('another mask');
    } else if (read.hasStructure) {
      // Too long for an element in the writer's form: the other readers would not know the structure.
      return;
    }
    const from = { bytes, at: start };
    const rewritten = writer.writeActiveDecodeTargets(read, from, MASK, { out, at: 0 });
    if (rewritten === 0) return;
    if (!ofRewritten!.read(out, 0, rewritten, again)) throw new RangeError('what was rewritten is not read');
    expectSameFrame(again, read);
    const targets = read.structure!.decodeTargets.length;
    if (again.activeDecodeTargets !== MASK % 2 ** targets) throw new RangeError('not the mask that was asked for');
  }
}

function expectSameFrame(actual: DependencyDescriptor, expected: DependencyDescriptor): void {
  const isSame =
    actual.isFrameStart === expected.isFrameStart &&
    actual.isFrameEnd === expected.isFrameEnd &&
    actual.frameNumber === expected.frameNumber &&
    actual.templateId === expected.templateId &&
    actual.hasStructure === expected.hasStructure &&
    actual.spatialId === expected.spatialId &&
    actual.temporalId === expected.temporalId &&
    actual.frameDiffCount === expected.frameDiffCount;
  if (!isSame) throw new RangeError('the frame is another');
  const { structure } = expected;
  const targets = structure!.decodeTargets.length;
  expectSameBytes(actual.indications.subarray(0, targets), expected.indications.subarray(0, targets), 'indications');
  const chains = structure!.chainCount;
  expectSameBytes(actual.chainDiffs.subarray(0, chains), expected.chainDiffs.subarray(0, chains), 'chains');
  for (let i = 0; i < expected.frameDiffCount; i++) {
    if (actual.frameDiffs[i] !== expected.frameDiffs[i]) throw new RangeError('other references');
  }
}
