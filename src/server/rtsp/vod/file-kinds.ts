import { openAmrFile } from '../../../format/amr/amr-file.ts';
import { openDvFile } from '../../../format/dv/dv-file.ts';
import { openH264File, openH265File } from '../../../format/elementary/annex-b-file.ts';
import { openAc3File, openAdtsFile, openMpegAudioFile } from '../../../format/elementary/framed-audio-file.ts';
import { openFlvFile } from '../../../format/flv/flv-file.ts';
import { openMatroskaFile } from '../../../format/matroska/matroska-file.ts';
import type { OpenMediaFile } from '../../../format/media-file.ts';
import { openMp4File } from '../../../format/mp4/mp4-file.ts';
import { openMpeg4VideoFile } from '../../../format/mpeg4-video/mpeg4-video-file.ts';
import { openPsFile } from '../../../format/mpegps/ps-file.ts';
import { openOggFile } from '../../../format/ogg/ogg-file.ts';
import { openWavFile } from '../../../format/wav/wav-file.ts';

/** Files sent as the transport stream they are; opened with their index. */
export const TRANSPORT_STREAM_EXTENSION = 'ts';

/** Readers by extension in lower case; `ts` has its own way. */
const READERS: ReadonlyMap<string, OpenMediaFile> = new Map([
  ['264', openH264File],
  ['h264', openH264File],
  ['265', openH265File],
  ['h265', openH265File],
  ['hevc', openH265File],
  ['aac', openAdtsFile],
  ['mp2', openMpegAudioFile],
  ['mp3', openMpegAudioFile],
  ['ac3', openAc3File],
  ['eac3', openAc3File],
  ['wav', openWavFile],
  ['amr', openAmrFile],
  ['awb', openAmrFile],
  ['dv', openDvFile],
  ['m4e', openMpeg4VideoFile],
  ['mpg', openPsFile],
  ['mpeg', openPsFile],
  ['vob', openPsFile],
  ['mkv', openMatroskaFile],
  ['webm', openMatroskaFile],
  ['mp4', openMp4File],
  ['m4a', openMp4File],
  ['m4v', openMp4File],
  ['mov', openMp4File],
  ['flv', openFlvFile],
  ['ogg', openOggFile],
  ['oga', openOggFile],
  ['ogv', openOggFile],
  ['opus', openOggFile],
]);

/** The extension of a path in lower case, or undefined. */
export function extensionOf(path: string): string | undefined {
  return /\.([A-Za-z0-9]{1,8})$/.exec(path)?.[1]?.toLowerCase();
}

/** Whether files with this extension can be played. */
export function isPlayable(extension: string): boolean {
  return extension === TRANSPORT_STREAM_EXTENSION || READERS.has(extension);
}

/** How to read files with this extension other than `ts`. */
export function readerOf(extension: string): OpenMediaFile | undefined {
  return READERS.get(extension);
}
