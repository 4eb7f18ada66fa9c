import { BitReader } from '../../wire/bit-reader.ts';
import { BitWriter } from '../bit-writer.ts';
import {
  type ProgramConfigElement,
  programChannels,
  readProgramConfigElement,
  writeProgramConfigElement,
} from './program-config-element.ts';
import { readSamplingFrequency, writeSamplingFrequency } from './sampling-frequency.ts';

/** Audio object types that Millrace tells apart (ISO/IEC 14496-3 Table 1.17). */
export const AUDIO_OBJECT_TYPE = {
  aacMain: 1,
  aacLc: 2,
  aacSsr: 3,
  aacLtp: 4,
  sbr: 5,
  aacScalable: 6,
  erAacLc: 17,
  erAacScalable: 20,
  erBsac: 22,
  erAacLd: 23,
  ps: 29,
  escape: 31,
  layer3: 34,
  erAacEld: 39,
  usac: 42,
} as const;

/**
 * How HE-AAC is told (ISO/IEC 14496-3 §1.6.5): `hierarchical` puts object type 5 or 29 in front, so that old decoders
 * refuse; `backward-compatible` puts an extension behind a plain AAC-LC configuration. HE-AAC that is not told at
 * all can only be found by decoding a frame, and reads as AAC-LC here.
 */
export type SbrSignalling = 'hierarchical' | 'backward-compatible';

/** AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). */
export interface AudioSpecificConfig {
  /** Type of the core coder: 2 for AAC-LC and for every common HE-AAC. */
  readonly objectType: number;
  /** Rate of the core coder in Hz; with SBR usually half of the output rate. */
  readonly sampleRate: number;
  /** 1–7 and 11–14 by Table 1.19; 0 when `programConfig` (or the payload) describes the channels. */
  readonly channelConfiguration: number;
  /** Samples a frame has in the core coder: 1024 or 960; 512 or 480 for low-delay types. */
  readonly frameLength: number;
  /** Present when the stream is told to have SBR (HE-AAC), with the rate after SBR in Hz. */
  readonly sbr?: { readonly signalling: SbrSignalling; readonly sampleRate: number };
  /** Parametric stereo (HE-AAC v2): one coded channel makes two. */
  readonly ps: boolean;
  readonly programConfig?: ProgramConfigElement;
}

const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;

/** Channels by channelConfiguration (ISO/IEC 14496-3 Table 1.19); 0 where reserved or told elsewhere. */
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0];

/** Object types whose own configuration is GASpecificConfig. */
const GENERAL_AUDIO: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);

/** Largest sample rate in Hz that is believed. */
const MAX_SAMPLE_RATE = 768_000;

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === AUDIO_OBJECT_TYPE.escape ? 32 + bits.bits(6) : type;
}

function writeObjectType(bits: BitWriter, type: number): void {
  if (type < AUDIO_OBJECT_TYPE.escape) bits.bits(5, type);
  else bits.bits(5, AUDIO_OBJECT_TYPE.escape).bits(6, type - 32);
}

function hasLayerNumber(type: number): boolean {
  return type === AUDIO_OBJECT_TYPE.aacScalable || type === AUDIO_OBJECT_TYPE.erAacScalable;
}

interface GeneralAudio {
  readonly frameLength: number;
  readonly programConfig?: ProgramConfigElement;
}

/** GASpecificConfig (§4.4.1). */
function readGeneralAudio(bits: BitReader, type: number, channelConfiguration: number): GeneralAudio | undefined {
  const isShort = bits.flag();
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  const hasExtension = bits.flag();
  const programConfig = channelConfiguration === 0 ? readProgramConfigElement(bits) : undefined;
  if (channelConfiguration === 0 && programConfig === undefined) return undefined;
  if (hasLayerNumber(type)) bits.skip(3); // layerNr
  if (hasExtension) {
    if (type === AUDIO_OBJECT_TYPE.erBsac)
      bits.skip(16); // numOfSubFrame, layer_length
    else if (type === 17 || type === 19 || type === 20 || type === 23) bits.skip(3); // resilience flags
    bits.skip(1); // extensionFlag3
  }
  const isLowDelay = type === AUDIO_OBJECT_TYPE.erAacLd;
  return { frameLength: (isShort ? 960 : 1024) / (isLowDelay ? 2 : 1), ...(programConfig && { programConfig }) };
}

/** The SBR and PS extension behind a configuration that old decoders also take (§1.6.2.1, syncExtensionType). */
function readSyncExtension(bits: BitReader): { readonly sampleRate: number; readonly ps: boolean } | undefined {
  if (bits.bitsLeft < 16 || bits.bits(11) !== SYNC_EXTENSION_SBR) return undefined;
  if (readObjectType(bits) !== AUDIO_OBJECT_TYPE.sbr || !bits.flag()) return undefined;
  const sampleRate = readSamplingFrequency(bits);
  const ps = bits.bitsLeft >= 12 && bits.bits(11) === SYNC_EXTENSION_PS && bits.flag();
  return bits.overrun ? undefined : { sampleRate, ps };
}

/**
 * Parses an AudioSpecificConfig; `undefined` when it is cut off, or has a reserved sample rate or object type 0. Types
 * without GASpecificConfig (ELD, USAC, Layer 3) are read as far as rate and channels. Never throws.
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig | undefined {
  return readAudioSpecificConfig(new BitReader(bytes), true);
}

/**
 * Reads an AudioSpecificConfig at the reader's place, as `parseAudioSpecificConfig` does.
 * @param mayExtend whether a backward-compatible extension is looked for: only where the configuration is known to reach
 *   to the end of the reader's bytes
 */
export function readAudioSpecificConfig(bits: BitReader, mayExtend: boolean): AudioSpecificConfig | undefined {
  let objectType = readObjectType(bits);
  let sampleRate = readSamplingFrequency(bits);
  const channelConfiguration = bits.bits(4);
  let sbr: AudioSpecificConfig['sbr'];
  let ps = false;
  if (objectType === AUDIO_OBJECT_TYPE.sbr || objectType === AUDIO_OBJECT_TYPE.ps) {
    ps = objectType === AUDIO_OBJECT_TYPE.ps;
    sbr = { signalling: 'hierarchical', sampleRate: readSamplingFrequency(bits) };
    objectType = readObjectType(bits);
    if (objectType === AUDIO_OBJECT_TYPE.sbr || objectType === AUDIO_OBJECT_TYPE.ps) return undefined;
    if (objectType === AUDIO_OBJECT_TYPE.erBsac) bits.skip(4); // extensionChannelConfiguration
  }
  let general: GeneralAudio | undefined;
  if (GENERAL_AUDIO.has(objectType)) {
    // Some encoders write only the first two fields; that is enough for a decoder, so it is enough here.
    if (bits.overrun) return undefined;
    general = readGeneralAudio(bits, objectType, channelConfiguration);
    if (general === undefined) return undefined;
    if (objectType >= AUDIO_OBJECT_TYPE.erAacLc) bits.skip(2); // epConfig
    if (mayExtend && sbr === undefined && !bits.overrun) {
      const extension = readSyncExtension(bits);
      if (extension !== undefined) {
        sbr = { signalling: 'backward-compatible', sampleRate: extension.sampleRate };
        ps = extension.ps;
      }
    }
  } else if (bits.overrun) {
    return undefined;
  }
  if (objectType === AUDIO_OBJECT_TYPE.usac && sampleRate === 0) sampleRate = 48_000;
  const rates = sbr === undefined ? [sampleRate] : [sampleRate, sbr.sampleRate];
  if (objectType === 0 || rates.some((rate) => rate === 0 || rate > MAX_SAMPLE_RATE)) return undefined;
  const frameLength = general?.frameLength ?? (objectType === AUDIO_OBJECT_TYPE.erAacEld ? 512 : 1024);
  const programConfig = general?.programConfig;
  return {
    objectType,
    sampleRate,
    channelConfiguration,
    frameLength,
    ...(sbr && { sbr }),
    ps,
    ...(programConfig && { programConfig }),
  };
}

/**
 * Writes an AudioSpecificConfig into a new buffer, with no GASpecificConfig extension flag (nobody sets it). For types
 * without GASpecificConfig (ELD, USAC, Layer 3) only the head comes out: keep the publisher's own bytes for those.
 */
export function writeAudioSpecificConfig(config: AudioSpecificConfig): Uint8Array {
  const bits = new BitWriter();
  const isHierarchical = config.sbr?.signalling === 'hierarchical';
  if (isHierarchical) writeObjectType(bits, config.ps ? AUDIO_OBJECT_TYPE.ps : AUDIO_OBJECT_TYPE.sbr);
  else writeObjectType(bits, config.objectType);
  writeSamplingFrequency(bits, config.sampleRate);
  bits.bits(4, config.channelConfiguration);
  if (isHierarchical && config.sbr !== undefined) {
    writeSamplingFrequency(bits, config.sbr.sampleRate);
    writeObjectType(bits, config.objectType);
    if (config.objectType === AUDIO_OBJECT_TYPE.erBsac) bits.bits(4, config.channelConfiguration);
  }
  if (GENERAL_AUDIO.has(config.objectType)) writeGeneralAudio(bits, config);
  if (config.sbr?.signalling === 'backward-compatible') {
    bits.bits(11, SYNC_EXTENSION_SBR).bits(5, AUDIO_OBJECT_TYPE.sbr).bits(1, 1);
    writeSamplingFrequency(bits, config.sbr.sampleRate);
    if (config.ps) bits.bits(11, SYNC_EXTENSION_PS).bits(1, 1);
  }
  return bits.finish();
}

/** GASpecificConfig with neither core coder nor extension, and epConfig 0 behind it for the types that have one. */
function writeGeneralAudio(bits: BitWriter, config: AudioSpecificConfig): void {
  const type = config.objectType;
  bits.flag(config.frameLength === 960 || config.frameLength === 480);
  bits.bits(2, 0); // dependsOnCoreCoder, extensionFlag
  if (config.channelConfiguration === 0 && config.programConfig !== undefined) {
    writeProgramConfigElement(bits, config.programConfig);
  }
  if (hasLayerNumber(type)) bits.bits(3, 0);
  if (type >= AUDIO_OBJECT_TYPE.erAacLc) bits.bits(2, 0);
}

/** Channels a decoder puts out, 0 when the configuration does not tell. Parametric stereo makes two of one. */
export function aacChannels(config: AudioSpecificConfig): number {
  if (config.programConfig !== undefined) return programChannels(config.programConfig);
  const channels = CHANNELS[config.channelConfiguration] ?? 0;
  return config.ps && channels === 1 ? 2 : channels;
}

/** Output rate in Hz: after SBR where it is told. */
export function aacOutputSampleRate(config: AudioSpecificConfig): number {
  return config.sbr?.sampleRate ?? config.sampleRate;
}

const PROFILE_NAMES: ReadonlyMap<number, string> = new Map([
  [AUDIO_OBJECT_TYPE.aacMain, 'Main'],
  [AUDIO_OBJECT_TYPE.aacLc, 'LC'],
  [AUDIO_OBJECT_TYPE.aacSsr, 'SSR'],
  [AUDIO_OBJECT_TYPE.aacLtp, 'LTP'],
  [AUDIO_OBJECT_TYPE.erAacLd, 'LD'],
  [AUDIO_OBJECT_TYPE.layer3, 'Layer III'],
  [AUDIO_OBJECT_TYPE.erAacEld, 'ELD'],
  [AUDIO_OBJECT_TYPE.usac, 'xHE-AAC'],
]);

/** Profile for people: `LC`, `HE-AAC`, `HE-AACv2`, … */
export function aacProfileName(config: AudioSpecificConfig): string {
  if (config.ps) return 'HE-AACv2';
  if (config.sbr !== undefined) return 'HE-AAC';
  return PROFILE_NAMES.get(config.objectType) ?? `object type ${config.objectType}`;
}

/** RFC 6381 §3.3 `mp4a.40.N`, where N is 5 or 29 for HE-AAC however it is told. */
export function aacCodecString(config: AudioSpecificConfig): string {
  if (config.ps) return `mp4a.40.${AUDIO_OBJECT_TYPE.ps}`;
  return `mp4a.40.${config.sbr === undefined ? config.objectType : AUDIO_OBJECT_TYPE.sbr}`;
}
