import type { AudioCodec, AudioDetails } from './track.ts';

/** WebCodecs names of the codecs that have one but no RFC 6381 `codecs` value. */
const CODEC_STRINGS: ReadonlyMap<AudioCodec, string> = new Map([
  ['g711a', 'alaw'],
  ['g711u', 'ulaw'],
  ['amr', 'samr'],
  ['amr-wb', 'sawb'],
]);

/**
 * Details of a codec whose frames say nothing of themselves (G.711, G.722, linear PCM, DVI4, AMR): what the container or
 * session description told goes in.
 * @param sampleRate Hz
 */
export function sampleAudioDetails(codec: AudioCodec, sampleRate: number, channels: number): AudioDetails {
  return { sampleRate, channels, profile: '', codecString: CODEC_STRINGS.get(codec) ?? codec };
}
