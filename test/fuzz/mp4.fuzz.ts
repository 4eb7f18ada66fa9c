import { openMp4File } from '../../src/format/mp4/mp4-file.ts';
import { playAnything } from './media-file-run.ts';

export const name = 'mp4';

export function run(bytes: Uint8Array): Promise<void> {
  return playAnything(openMp4File, bytes);
}
