import { type Attribute, attributesOf, type MediaDescription } from './session-description.ts';

/** Most parameters read of one payload type. */
export const SDP_MAX_FORMAT_PARAMETERS = 256;

/** What a payload type means: `a=rtpmap` and `a=fmtp` together (RFC 8866 §6.6, §6.15). The same in form as `RtpMapping`. */
export interface RtpMap {
  /** 0–127. */
  readonly payloadType: number;
  /** As sent; compared without case. */
  readonly encodingName: string;
  readonly clockRate: number;
  /** Of audio; undefined where none are named. */
  readonly channels?: number | undefined;
  /** By lower-case name; '' for what stands there without `=`. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * What the payload types of a media section mean, in the order of its `m=` line.
 *
 * @param staticMaps meanings of payload types that need no `a=rtpmap` (RFC 3551 §6); types in neither are left out
 */
export function rtpMapsOf(media: MediaDescription, staticMaps: ReadonlyMap<number, RtpMap> = new Map()): RtpMap[] {
  const rtpmaps = byPayloadType(attributesOf(media, 'rtpmap'));
  const fmtps = byPayloadType(attributesOf(media, 'fmtp'));
  const maps: RtpMap[] = [];
  for (const payloadType of payloadTypesOf(media, rtpmaps)) {
    const parameters = parseFormatParameters(fmtps.get(payloadType) ?? []);
    const encoding = parseEncoding(rtpmaps.get(payloadType)?.[0] ?? '', media.type);
    const known = staticMaps.get(payloadType);
    if (encoding !== undefined) maps.push({ payloadType, ...encoding, parameters });
    else if (known !== undefined) maps.push({ ...known, payloadType, parameters });
  }
  return maps;
}

/** The attributes that say what a payload type means: `rtpmap`, and `fmtp` when there are parameters. */
export function rtpMapAttributes(map: RtpMap): Attribute[] {
  const { payloadType, encodingName, clockRate, channels } = map;
  const encoding = [encodingName, clockRate, ...(channels === undefined ? [] : [channels])].join('/');
  const attributes = [{ name: 'rtpmap', value: `${payloadType} ${encoding}` }];
  if (map.parameters.size > 0) {
    attributes.push({ name: 'fmtp', value: `${payloadType} ${writeFormatParameters(map.parameters)}` });
  }
  return attributes;
}

/** The parameters of the texts behind the payload types of `a=fmtp` lines (RFC 8866 §6.15), split at semicolons. */
export function parseFormatParameters(texts: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of texts.join(';').split(';')) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name === '' || parameters.size === SDP_MAX_FORMAT_PARAMETERS) continue;
    parameters.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return parameters;
}

/** Parameters as they stand in `a=fmtp`, behind the payload type. */
export function writeFormatParameters(parameters: ReadonlyMap<string, string>): string {
  return [...parameters].map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join(';');
}

/** Those of the `m=` line, or, when a device left them out there, those of its `a=rtpmap` lines. */
function payloadTypesOf(media: MediaDescription, rtpmaps: ReadonlyMap<number, readonly string[]>): Set<number> {
  const types = new Set<number>();
  for (const format of media.formats) {
    if (/^\d{1,3}$/.test(format) && Number(format) <= 127) types.add(Number(format));
  }
  return types.size > 0 ? types : new Set(rtpmaps.keys());
}

function byPayloadType(values: readonly string[]): Map<number, string[]> {
  const byType = new Map<number, string[]>();
  for (const value of values) {
    const match = /^(\d{1,3})(?:\s+(.*))?$/s.exec(value);
    if (match === null || Number(match[1]) > 127) continue;
    const type = Number(match[1]);
    const texts = byType.get(type);
    if (texts === undefined) byType.set(type, [match[2] ?? '']);
    else texts.push(match[2] ?? '');
  }
  return byType;
}

/** `name/clockRate[/channels]`; a clock rate left out is the usual one. */
function parseEncoding(
  text: string,
  mediaType: string,
): Pick<RtpMap, 'encodingName' | 'clockRate' | 'channels'> | undefined {
  const [name = '', rate = '', channels = ''] = text.split('/').map((part) => part.trim());
  if (name === '' || /\s/.test(name)) return undefined;
  const clockRate = /^\d{1,9}/.exec(rate);
  const usual = mediaType.toLowerCase() === 'audio' ? 8000 : 90_000;
  const encoding = { encodingName: name, clockRate: clockRate === null ? usual : Number(clockRate[0]) };
  if (encoding.clockRate === 0) return undefined;
  const count = /^\d{1,3}$/.test(channels) ? Number(channels) : 0;
  return count > 0 ? { ...encoding, channels: count } : encoding;
}
