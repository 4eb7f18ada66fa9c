import { openFlvFile } from '../../src/format/flv/flv-file.ts';
import { playAnything } from './media-file-run.ts';

export const name = 'flv-file';

export function run(bytes: Uint8Array): Promise<void> {
  return playAnything(openFlvFile, bytes);
}
