import { AmfEcmaArray, type AmfValue } from '../protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../protocol/amf/amf0-writer.ts';
import { StateError } from '../wire/errors.ts';

/** onMetaData of a stream by name, in the order the names first came. */
export type Metadata = ReadonlyMap<string, AmfValue>;

/** Most names kept; what a publisher sends beyond is dropped. */
export const MAX_METADATA_ENTRIES = 256;

/** Largest onMetaData kept, in bytes of AMF0: every viewer gets it. */
export const MAX_METADATA_BYTES: number = 256 * 1024;

/** Names that say something of a file, and are wrong for a live stream. */
const FILE_ONLY_NAMES: ReadonlySet<string> = new Set([
  'duration',
  'filesize',
  'lasttimestamp',
  'lastkeyframetimestamp',
  'lastkeyframelocation',
  'datasize',
  'videosize',
  'audiosize',
  'keyframes',
  'hasKeyframes',
  'hasCuePoints',
  'canSeekToEnd',
]);

/** `older` with the names of `newer` set or replaced; names that only make sense for a file are left out. */
export function mergeMetadata(older: Metadata | undefined, newer: Metadata): Metadata {
  const merged = new Map(older ?? []);
  for (const [name, value] of newer) {
    if (FILE_ONLY_NAMES.has(name)) continue;
    if (merged.size >= MAX_METADATA_ENTRIES && !merged.has(name)) continue;
    merged.set(name, value);
  }
  return merged;
}

/**
 * The AMF0 body of the data message: `"onMetaData"` and an ECMA array. Undefined when it would be larger than
 * `MAX_METADATA_BYTES`, or when a publisher nested its values so that AMF0 can't say them.
 */
export function writeOnMetaData(metadata: Metadata): Uint8Array | undefined {
  try {
    const body = writeAmf0Values(['onMetaData', new AmfEcmaArray([...metadata, ['server', 'Millrace']])]);
    return body.length <= MAX_METADATA_BYTES ? body : undefined;
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}
