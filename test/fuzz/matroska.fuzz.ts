import { openMatroskaFile } from '../../src/format/matroska/matroska-file.ts';
import { playAnything } from './media-file-run.ts';

export const name = 'matroska';

export function run(bytes: Uint8Array): Promise<void> {
  return playAnything(openMatroskaFile, bytes);
}
