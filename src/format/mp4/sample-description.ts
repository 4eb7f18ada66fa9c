import type { AudioCodec, VideoCodec } from '../../codec/track.ts';
import { type Box, boxesIn, childBoxes, findBox } from './box.ts';
import { codecOfObjectType, parseElementaryStreamDescriptor } from './elementary-stream-descriptor.ts';
import { MAX_CONFIG_BYTES, MAX_SAMPLE_DESCRIPTIONS } from './mp4-error.ts';
import type { SampleOrder } from './sample-order.ts';
import { parseSoundSampleEntry, type SoundSampleEntry } from './sound-sample-entry.ts';

/** One entry of `stsd`: how some of the samples of a track are coded. */
export interface SampleDescription {
  readonly codec: VideoCodec | AudioCodec;
  /** `Track.config`, a copy. Empty when the frames have to tell. */
  readonly config: Uint8Array;
  /** 0 for video. */
  readonly sampleRate: number;
  readonly channels: number;
  /** For codecs whose frames are plain samples: bytes of one sample of all channels, and how they lie in the file. */
  readonly plain?: { readonly blockBytes: number; readonly order: SampleOrder };
}

/** `undefined` for a codec Millrace does not carry, or a description that can't be read. */
export type ParsedDescription = SampleDescription | 'encrypted' | undefined;

const VISUAL_ENTRY_BYTES = 78;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const OPUS_HEAD_MAGIC = [0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64]; // "OpusHead"
const FLAC_MAGIC = [0x66, 0x4c, 0x61, 0x43]; // "fLaC"
const STREAMINFO_BLOCK_BYTES = 38;
const LAST_METADATA_BLOCK = 0x80;

/** Sample entries whose configuration is a box of its own. */
const RECORD_ENTRIES: ReadonlyMap<string, readonly [codec: VideoCodec, box: string]> = new Map([
  ['avc1', ['h264', 'avcC']],
  ['avc2', ['h264', 'avcC']],
  ['avc3', ['h264', 'avcC']],
  ['avc4', ['h264', 'avcC']],
  ['dva1', ['h264', 'avcC']],
  ['dvav', ['h264', 'avcC']],
  ['hvc1', ['h265', 'hvcC']],
  ['hev1', ['h265', 'hvcC']],
  ['dvh1', ['h265', 'hvcC']],
  ['dvhe', ['h265', 'hvcC']],
  ['av01', ['av1', 'av1C']],
  ['vp08', ['vp8', 'vpcC']],
  ['vp09', ['vp9', 'vpcC']],
] as const);

/** Sample entries whose frames say everything. QuickTime has many names for MPEG-2 and DV by picture size. */
const SELF_DESCRIBED: ReadonlyMap<string, VideoCodec> = new Map<string, VideoCodec>([
  ['jpeg', 'jpeg'],
  ['mjpg', 'jpeg'],
  ['mjpa', 'jpeg'],
  ['m1v ', 'mpeg-video'],
  ['m1v1', 'mpeg-video'],
  ['mpeg', 'mpeg-video'],
  ['m2v1', 'mpeg-video'],
  ['mp2v', 'mpeg-video'],
  ['dvc ', 'dv'],
  ['dvcp', 'dv'],
  ['dvpp', 'dv'],
]);

/**
 * Parses the body of `stsd`.
 *
 *     version(8) flags(24) entry_count(32) { size(32) format(32) reserved(48) data_reference_index(16) … }
 *
 * @param handler the track's handler type, `vide` or `soun`
 * @param timescale of the track: the rate of audio whose entry has no room for it (above 65,535 Hz)
 */
export function parseSampleDescriptions(stsd: Uint8Array, handler: string, timescale: number): ParsedDescription[] {
  const isQuickTimeVersion = stsd[0] === 0;
  return childBoxes(stsd, 8)
    .slice(0, MAX_SAMPLE_DESCRIPTIONS)
    .map((entry) => (handler === 'vide' ? parseVisual(entry) : parseSound(entry, isQuickTimeVersion, timescale)));
}

function parseVisual(entry: Box): ParsedDescription {
  if (entry.type === 'encv') return 'encrypted';
  const boxes = childBoxes(entry.body, VISUAL_ENTRY_BYTES);
  const record = RECORD_ENTRIES.get(entry.type);
  if (record !== undefined) {
    const [codec, box] = record;
    const body = findBox(boxes, box);
    if (body === undefined) return codec === 'vp8' || codec === 'vp9' ? video(codec, NO_BYTES) : undefined;
    return video(codec, box === 'vpcC' ? body.subarray(4) : body);
  }
  const selfDescribed = SELF_DESCRIBED.get(entry.type);
  if (selfDescribed !== undefined) return video(selfDescribed, NO_BYTES);
  if (entry.type !== 'mp4v') return undefined;
  const esds = findBox(boxes, 'esds');
  const descriptor = esds && parseElementaryStreamDescriptor(esds);
  const codec = descriptor && codecOfObjectType(descriptor.objectTypeIndication);
  if (codec === 'mp4v') return video(codec, descriptor!.decoderSpecificInfo);
  return codec === 'mpeg-video' || codec === 'jpeg' ? video(codec, NO_BYTES) : undefined;
}

function video(codec: VideoCodec, config: Uint8Array): SampleDescription | undefined {
  if (config.length > MAX_CONFIG_BYTES) return undefined;
  return { codec, config: config.slice(), sampleRate: 0, channels: 0 };
}

function parseSound(entry: Box, isQuickTimeVersion: boolean, timescale: number): ParsedDescription {
  if (entry.type === 'enca') return 'encrypted';
  const sound = parseSoundSampleEntry(entry.body, isQuickTimeVersion, timescale);
  if (sound === undefined) return undefined;
  const boxes = [...sound.boxes, ...boxesIn(sound.boxes, 'wave')];
  switch (entry.type) {
    case 'mp4a':
      return parseMpeg4Audio(sound, boxes);
    case '.mp3':
    case 'ms\0U':
      return audio('mp3', sound, NO_BYTES);
    case 'ac-3':
    case 'sac3':
      return audio('ac3', sound, NO_BYTES);
    case 'ec-3':
      return audio('eac3', sound, NO_BYTES);
    case 'Opus':
      return withConfig('opus', sound, opusHead(findBox(boxes, 'dOps')));
    case 'fLaC':
      return withConfig('flac', sound, flacHeader(findBox(boxes, 'dfLa')));
    case 'alaw':
      return plain('g711a', sound, 1, 'network');
    case 'ulaw':
      return plain('g711u', sound, 1, 'network');
    default:
      return parseLinearPcm(entry.type, sound, boxes);
  }
}

function parseMpeg4Audio(sound: SoundSampleEntry, boxes: readonly Box[]): SampleDescription | undefined {
  const esds = findBox(boxes, 'esds');
  const descriptor = esds && parseElementaryStreamDescriptor(esds);
  const codec = descriptor && codecOfObjectType(descriptor.objectTypeIndication);
  switch (codec) {
    case 'aac':
      return audio(codec, sound, descriptor!.decoderSpecificInfo);
    case 'mp3':
    case 'ac3':
    case 'eac3':
      return audio(codec, sound, NO_BYTES);
    default:
      return undefined;
  }
}

/** The many names of linear PCM; `boxes` may hold the byte order (`enda`, `pcmC`). Floating point is left out. */
function parseLinearPcm(type: string, sound: SoundSampleEntry, boxes: readonly Box[]): SampleDescription | undefined {
  const enda = findBox(boxes, 'enda');
  const isLittle = enda?.[1] === 1;
  switch (type) {
    case 'raw ':
    case 'NONE':
      return sound.bitsPerSample === 16 ? linear(sound, 16, isLittle, true) : linear(sound, 8, false, false);
    case 'twos':
      return linear(sound, sound.bitsPerSample, isLittle, true);
    case 'sowt':
      return linear(sound, sound.bitsPerSample, true, true);
    case 'in24':
      return linear(sound, 24, isLittle, true);
    case 'lpcm': {
      const flags = sound.linear?.flags;
      if (flags === undefined || (flags & LPCM_FLOAT) !== 0) return undefined;
      return linear(sound, sound.linear!.bits, (flags & LPCM_BIG_ENDIAN) === 0, (flags & LPCM_SIGNED) !== 0);
    }
    case 'ipcm': {
      // ISO/IEC 23003-5 §5: version+flags(32) format_flags(8) PCM_sample_size(8)
      const pcmC = findBox(boxes, 'pcmC');
      return pcmC === undefined || pcmC.length < 6 ? undefined : linear(sound, pcmC[5]!, (pcmC[4]! & 1) === 1, true);
    }
    default:
      return undefined;
  }
}

/** Core Audio's format flags, which QuickTime's `lpcm` holds. */
const LPCM_FLOAT = 1;
const LPCM_BIG_ENDIAN = 2;
const LPCM_SIGNED = 4;

function linear(
  sound: SoundSampleEntry,
  bits: number,
  isLittle: boolean,
  isSigned: boolean,
): SampleDescription | undefined {
  switch (bits) {
    case 8:
      return plain('l8', sound, 1, isSigned ? 'signed-8' : 'network');
    case 16:
      return plain('l16', sound, 2, isLittle ? 'little-16' : 'network');
    case 24:
      return plain('l24', sound, 3, isLittle ? 'little-24' : 'network');
    default:
      return undefined;
  }
}

function plain(
  codec: AudioCodec,
  sound: SoundSampleEntry,
  bytesEach: number,
  order: SampleOrder,
): SampleDescription | undefined {
  const { channels, sampleRate } = sound;
  if (channels === 0 || sampleRate === 0) return undefined;
  return { codec, config: NO_BYTES, sampleRate, channels, plain: { blockBytes: bytesEach * channels, order } };
}

function audio(codec: AudioCodec, sound: SoundSampleEntry, config: Uint8Array): SampleDescription | undefined {
  if (config.length > MAX_CONFIG_BYTES) return undefined;
  return { codec, config: config.slice(), sampleRate: sound.sampleRate, channels: sound.channels };
}

function withConfig(
  codec: AudioCodec,
  sound: SoundSampleEntry,
  config: Uint8Array | undefined,
): SampleDescription | undefined {
  return config && audio(codec, sound, config);
}

/**
 * `OpusHead` (RFC 7845 §5.1) out of `dOps` (Encapsulation of Opus in ISO BMFF §4.3.2), which is the same with big-endian
 * numbers, version 0 and no magic.
 *
 *     Version(8) OutputChannelCount(8) PreSkip(16) InputSampleRate(32) OutputGain(16) ChannelMappingFamily(8) [mapping]
 */
function opusHead(dOps: Uint8Array | undefined): Uint8Array | undefined {
  if (dOps === undefined || dOps.length < 11) return undefined;
  const head = new Uint8Array(OPUS_HEAD_MAGIC.length + dOps.length);
  head.set(OPUS_HEAD_MAGIC);
  head.set(dOps, OPUS_HEAD_MAGIC.length);
  head[8] = 1;
  head.subarray(10, 12).reverse();
  head.subarray(12, 16).reverse();
  head.subarray(16, 18).reverse();
  return head;
}

/** `fLaC` and STREAMINFO out of `dfLa` (Encapsulation of FLAC in ISO BMFF §3.3.2), whose other blocks are left out. */
function flacHeader(dfLa: Uint8Array | undefined): Uint8Array | undefined {
  const block = dfLa?.subarray(4, 4 + STREAMINFO_BLOCK_BYTES);
  if (block === undefined || block.length < STREAMINFO_BLOCK_BYTES || (block[0]! & 0x7f) !== 0) return undefined;
  const header = new Uint8Array(FLAC_MAGIC.length + block.length);
  header.set(FLAC_MAGIC);
  header.set(block, FLAC_MAGIC.length);
  header[FLAC_MAGIC.length] = LAST_METADATA_BLOCK;
  return header;
}
