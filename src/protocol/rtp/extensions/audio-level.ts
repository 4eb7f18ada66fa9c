/** Bytes of a sender's element. */
export const AUDIO_LEVEL_BYTES = 1;

/** Most contributing sources whose levels one element can carry. */
export const MAX_MIXER_LEVELS = 15;

/** Bit of the value `readAudioLevel` gives: the sender says that somebody speaks. */
export const VOICE_ACTIVITY = 0x80;

/** The quietest level: −127 dBov, digital silence. */
export const SILENT_LEVEL = 127;

/**
 * The level of a packet's sound (RFC 6464 §3) as it is sent: in the low 7 bits −dBov, 0 (loudest) to 127, and
 * `VOICE_ACTIVITY`. `undefined` when there is none. Of the two-byte form's padded element the first byte counts.
 */
export function readAudioLevel(bytes: Uint8Array, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes < AUDIO_LEVEL_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  return bytes[at];
}

/**
 * Writes a level.
 * @param level −dBov, 0–127; beyond it is cut to the range
 * @returns false when there is no room
 */
export function writeAudioLevel(bytes: Uint8Array, at: number, level: number, isVoice: boolean): boolean {
  if (at < 0 || at >= bytes.length) return false;
  bytes[at] = Math.min(SILENT_LEVEL, Math.max(0, Math.round(level))) | (isVoice ? VOICE_ACTIVITY : 0);
  return true;
}

/**
 * Levels of the contributing sources, in their order (RFC 6465 §3), −dBov each, into `levels`.
 * @returns how many there are; 0 for an element no mixer sends
 */
export function readMixerLevels(bytes: Uint8Array, at: number, sizeBytes: number, levels: Uint8Array): number {
  if (sizeBytes < 1 || sizeBytes > MAX_MIXER_LEVELS || at < 0 || at + sizeBytes > bytes.length) return 0;
  const count = Math.min(sizeBytes, levels.length);
  for (let i = 0; i < count; i++) levels[i] = bytes[at + i]! & SILENT_LEVEL;
  return count;
}
