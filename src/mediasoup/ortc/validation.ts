import type { RtcpFeedback, RtpCodecParameterValues } from '../rtp-parameters.ts';

/** An object whose members are not known yet. */
export type Fields = Record<string, unknown>;

const mimeTypePattern = /^(audio|video)\/(.+)/i;

/** @throws TypeError when the value is no object */
export function objectOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} is not an object`);
  return value as Fields;
}

/** @throws TypeError when the value is there but no array */
export function listOf(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError(`${name} is not an array`);
  return value as unknown[];
}

/** @throws TypeError when the value is there but no integer */
export function optionalInteger(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value)) throw new TypeError(`invalid ${name}`);
  return value as number;
}

/** @throws TypeError when the value is no integer */
export function integerOf(value: unknown, name: string): number {
  if (!Number.isInteger(value)) throw new TypeError(`missing ${name}`);
  return value as number;
}

/** @throws TypeError when the value is there but no text */
export function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new TypeError(`invalid ${name}`);
  return value;
}

/** @throws TypeError when the value is no text or empty */
export function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`missing ${name}`);
  return value;
}

/** @throws TypeError when the value is there but no boolean */
export function optionalFlag(value: unknown, name: string, byDefault: boolean): boolean {
  if (value === undefined || value === null) return byDefault;
  if (typeof value !== 'boolean') throw new TypeError(`invalid ${name}`);
  return value;
}

/** The part of codecs that capabilities and parameters share, with its defaults. */
export interface NormalizedCodec {
  readonly kind: 'audio' | 'video';
  readonly mimeType: string;
  readonly clockRate: number;
  /** Only of audio. */
  readonly channels: number | undefined;
  readonly parameters: RtpCodecParameterValues;
  readonly rtcpFeedback: RtcpFeedback[];
}

/** @throws TypeError naming the wrong member */
export function codecOf(codec: Fields): NormalizedCodec {
  const mimeType = textOf(codec['mimeType'], 'codec.mimeType');
  const match = mimeTypePattern.exec(mimeType);
  if (match === null) throw new TypeError('invalid codec.mimeType');
  const kind = match[1]!.toLowerCase() === 'audio' ? 'audio' : 'video';
  const { channels, rtcpFeedback: feedback } = codec;
  return {
    kind,
    mimeType,
    clockRate: integerOf(codec['clockRate'], 'codec.clockRate'),
    channels: kind === 'video' ? undefined : typeof channels === 'number' ? channels : 1,
    parameters: codecParametersOf(codec['parameters']),
    rtcpFeedback: (Array.isArray(feedback) ? (feedback as unknown[]) : []).map((one) => feedbackOf(one)),
  };
}

function codecParametersOf(value: unknown): RtpCodecParameterValues {
  const parameters: RtpCodecParameterValues = {};
  for (const [key, parameter] of Object.entries(parametersOf(value))) {
    parameters[key] = parameter === undefined ? '' : parameter;
    if (!isTextOrNumber(parameters[key])) throw new TypeError(`invalid codec parameter [key:${key}]`);
    if (key === 'apt' && !Number.isInteger(parameter)) throw new TypeError('invalid codec apt parameter');
  }
  return parameters;
}

/** @throws TypeError for anything but texts and numbers; what is undefined becomes '' */
export function extensionParametersOf(value: unknown): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [key, parameter] of Object.entries(parametersOf(value))) {
    parameters[key] = parameter === undefined ? '' : parameter;
    if (!isTextOrNumber(parameters[key])) throw new TypeError('invalid header extension parameter');
  }
  return parameters;
}

/** Anything but an object counts as none, as in mediasoup: clients of other languages say null. */
function parametersOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function isTextOrNumber(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function feedbackOf(value: unknown): RtcpFeedback {
  const feedback = objectOf(value, 'fb');
  const parameter = feedback['parameter'];
  return { type: textOf(feedback['type'], 'fb.type'), parameter: typeof parameter === 'string' ? parameter : '' };
}
