import { joinBytes } from '../../wire/join-bytes.ts';
import { childElements, type EbmlElement, toAscii, toFloat, toUnsigned } from './ebml-element.ts';
import { MAX_CONFIG_BYTES } from './matroska-error.ts';
import { ID } from './matroska-ids.tables.ts';
import { codecOfTrack, type TrackCodec } from './track-codec.ts';

/** A track of a Matroska file that can be played (RFC 9559 §5.1.4.1). */
export interface TrackEntry {
  /** As blocks name it. */
  readonly number: number;
  readonly kind: 'video' | 'audio';
  readonly coding: TrackCodec;
  /** Hz, 0 for video. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Nanoseconds a frame lasts; 0 unknown. */
  readonly defaultDurationNs: number;
  /** Nanoseconds by which frames are presented before their timestamp: what the decoder throws away in front. */
  readonly codecDelayNs: number;
  /** Bytes every frame begins with that the file leaves out. */
  readonly strippedHeader: Uint8Array;
}

const TYPE_VIDEO = 1;
const TYPE_AUDIO = 2;
const SCOPE_FRAMES = 1;
const SCOPE_PRIVATE = 2;
const COMPRESSION_HEADER_STRIPPING = 3;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const MAX_SAMPLE_RATE = 1_536_000;
const MAX_CHANNELS = 64;

/** Header stripping, and what of the track it is for; `undefined` for encryption and compression that can't be undone. */
interface Encoding {
  readonly scope: number;
  readonly header: Uint8Array;
}

const NO_ENCODING: Encoding = { scope: 0, header: NO_BYTES };

/**
 * Parses the body of a TrackEntry; undefined for other kinds than video and audio, for codecs Millrace does not carry, and
 * for tracks that are encrypted or compressed otherwise than by leaving out how frames begin.
 */
export function parseTrackEntry(body: Uint8Array): TrackEntry | undefined {
  const values = new Map<number, Uint8Array>();
  for (const { id, body: value } of childElements(body)) values.set(id, value);
  const unsigned = (id: number): number => toUnsigned(values.get(id) ?? NO_BYTES);
  const type = unsigned(ID.trackType);
  const number = unsigned(ID.trackNumber);
  if (number === 0 || (type !== TYPE_VIDEO && type !== TYPE_AUDIO)) return undefined;
  const encodings = values.get(ID.contentEncodings);
  const encoding = encodings === undefined ? NO_ENCODING : parseEncodings(encodings);
  if (encoding === undefined) return undefined;
  const stored = values.get(ID.codecPrivate) ?? NO_BYTES;
  if (stored.length > MAX_CONFIG_BYTES || encoding.header.length > MAX_CONFIG_BYTES) return undefined;
  const isPrivateStripped = (encoding.scope & SCOPE_PRIVATE) !== 0;
  const codecPrivate = isPrivateStripped ? joinBytes([encoding.header, stored]) : stored.slice();
  const audio = type === TYPE_AUDIO ? parseAudio(values.get(ID.audio) ?? NO_BYTES) : NO_AUDIO;
  const coding = codecOfTrack({ codecId: toAscii(values.get(ID.codecId) ?? NO_BYTES), codecPrivate, ...audio });
  if (coding === undefined) return undefined;
  if (coding.plain !== undefined && (audio.sampleRate === 0 || audio.channels === 0)) return undefined;
  return {
    number,
    kind: type === TYPE_VIDEO ? 'video' : 'audio',
    coding,
    sampleRate: audio.sampleRate,
    channels: audio.channels,
    defaultDurationNs: unsigned(ID.defaultDuration),
    codecDelayNs: unsigned(ID.codecDelay),
    strippedHeader: (encoding.scope & SCOPE_FRAMES) !== 0 ? encoding.header.slice() : NO_BYTES,
  };
}

interface AudioSettings {
  readonly sampleRate: number;
  readonly outputSampleRate: number;
  readonly channels: number;
  readonly bitDepth: number;
}

const NO_AUDIO: AudioSettings = { sampleRate: 0, outputSampleRate: 0, channels: 0, bitDepth: 0 };

function parseAudio(body: Uint8Array): AudioSettings {
  // Defaults of RFC 9559 §5.1.4.1.29.
  let sampleRate = 8000;
  let outputSampleRate = 0;
  let channels = 1;
  let bitDepth = 0;
  for (const { id, body: value } of childElements(body)) {
    if (id === ID.samplingFrequency) sampleRate = Math.round(toFloat(value));
    else if (id === ID.outputSamplingFrequency) outputSampleRate = Math.round(toFloat(value));
    else if (id === ID.channels) channels = toUnsigned(value);
    else if (id === ID.bitDepth) bitDepth = toUnsigned(value);
  }
  const isSane = sampleRate > 0 && sampleRate <= MAX_SAMPLE_RATE && channels <= MAX_CHANNELS;
  return isSane ? { sampleRate, outputSampleRate, channels, bitDepth } : { ...NO_AUDIO, bitDepth };
}

/** One encoding at most is understood, and only header stripping. */
function parseEncodings(body: Uint8Array): Encoding | undefined {
  const encodings: EbmlElement[] = [];
  for (const element of childElements(body)) if (element.id === ID.contentEncoding) encodings.push(element);
  const [first] = encodings;
  if (first === undefined) return NO_ENCODING;
  if (encodings.length > 1) return undefined;
  let scope = SCOPE_FRAMES;
  let type = 0;
  let algorithm = 0;
  let header = NO_BYTES;
  for (const { id, body: value } of childElements(first.body)) {
    if (id === ID.contentEncodingScope) scope = toUnsigned(value);
    else if (id === ID.contentEncodingType) type = toUnsigned(value);
    else if (id === ID.contentCompression) {
      for (const setting of childElements(value)) {
        if (setting.id === ID.contentCompressionAlgorithm) algorithm = toUnsigned(setting.body);
        else if (setting.id === ID.contentCompressionSettings) header = setting.body;
      }
    }
  }
  return type === 0 && algorithm === COMPRESSION_HEADER_STRIPPING ? { scope, header } : undefined;
}
