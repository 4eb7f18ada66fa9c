import type { RtpMapping } from './payload-format.ts';

/** Parameters of a format that has none. */
export const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Highest sample rate in Hz believed of another side. */
export const MAX_SAMPLE_RATE = 768_000;

/** Most audio channels believed of another side. */
export const MAX_AUDIO_CHANNELS = 64;

/** Whether a mapping names this encoding; case does not matter (RFC 8866 §6.6). */
export function isNamed(mapping: RtpMapping, encodingName: string): boolean {
  return mapping.encodingName.toUpperCase() === encodingName.toUpperCase();
}

/** Whether clock rate and channels are such as sound has: peers may say anything. */
export function isAudible(mapping: RtpMapping): boolean {
  const { clockRate, channels = 1 } = mapping;
  const hasRate = Number.isInteger(clockRate) && clockRate > 0 && clockRate <= MAX_SAMPLE_RATE;
  return hasRate && Number.isInteger(channels) && channels >= 1 && channels <= MAX_AUDIO_CHANNELS;
}

/** A whole number from 0 to `max` among the parameters of `a=fmtp`; `otherwise` when it is missing or none. */
export function parameterNumber(mapping: RtpMapping, name: string, otherwise: number, max: number): number {
  const text = mapping.parameters.get(name)?.trim();
  if (text === undefined || !/^\d{1,9}$/.test(text)) return otherwise;
  const value = Number(text);
  return value <= max ? value : otherwise;
}

/** `RtpMapping.channels` of a track: SDP leaves 1 out (RFC 8866 §6.6). */
export function channelsParameter(channels: number): number | undefined {
  return channels === 1 ? undefined : channels;
}
