import type { AudioEntry, VideoEntry } from './streams-document.ts';

const NAMES: ReadonlyMap<string, string> = new Map([
  ['h264', 'H.264'],
  ['h265', 'H.265'],
  ['h263', 'H.263'],
  ['av1', 'AV1'],
  ['vp6', 'VP6'],
  ['vp6a', 'VP6 with alpha'],
  ['vp8', 'VP8'],
  ['vp9', 'VP9'],
  ['screen', 'Screen video'],
  ['screen2', 'Screen video 2'],
  ['mpeg4', 'MPEG-4'],
  ['mpeg-video', 'MPEG video'],
  ['mp4v', 'MPEG-4 Visual'],
  ['theora', 'Theora'],
  ['dv', 'DV'],
  ['jpeg', 'Motion JPEG'],
  ['mp2t', 'MPEG-TS'],
  ['aac', 'AAC'],
  ['mp2', 'MP2'],
  ['mp3', 'MP3'],
  ['mp3-8k', 'MP3'],
  ['opus', 'Opus'],
  ['vorbis', 'Vorbis'],
  ['ac3', 'AC-3'],
  ['eac3', 'E-AC-3'],
  ['flac', 'FLAC'],
  ['speex', 'Speex'],
  ['g711a', 'G.711 A-law'],
  ['g711u', 'G.711 µ-law'],
  ['g722', 'G.722'],
  ['l8', 'PCM 8 bit'],
  ['l16', 'PCM 16 bit'],
  ['l20', 'PCM 20 bit'],
  ['l24', 'PCM 24 bit'],
  ['dvi4', 'DVI4'],
  ['amr', 'AMR'],
  ['amr-wb', 'AMR-WB'],
  ['pcm', 'PCM'],
  ['pcm-le', 'PCM'],
  ['adpcm', 'ADPCM'],
]);

/** The name people know a codec by; a codec this page does not know keeps its short name. */
export function codecName(codec: string): string {
  return NAMES.get(codec) ?? (codec === '' ? 'unknown codec' : codec);
}

/** `H.264 High 4.1`; only the name when the rest is not known. */
export function describeVideoCodec(video: VideoEntry): string {
  return [codecName(video.codec), video.profile, video.level].filter((part) => part !== '').join(' ');
}

/** `AAC LC`. */
export function describeAudioCodec(audio: AudioEntry): string {
  return [codecName(audio.codec), audio.profile].filter((part) => part !== '').join(' ');
}
