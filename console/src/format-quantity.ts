/** Numbers as people read them. `null` (not known yet) is always a dash, and units are apart by a no-break space. */

const UNKNOWN = '–';
const SPACE = '\u00a0';

/** `850 b/s`, `300 kb/s`, `1.2 Mb/s`, `25 Mb/s`. */
export function formatBitrate(bitrateBps: number | null): string {
  if (bitrateBps === null) {
    return UNKNOWN;
  }
  if (bitrateBps < 999.5) {
    return `${Math.round(bitrateBps)}${SPACE}b/s`;
  }
  if (bitrateBps < 999_500) {
    return `${Math.round(bitrateBps / 1000)}${SPACE}kb/s`;
  }
  const megabits = bitrateBps / 1_000_000;
  return `${megabits < 9.95 ? megabits.toFixed(1) : Math.round(megabits)}${SPACE}Mb/s`;
}

/** How long something runs: `12 s`, `3 min 05 s`, `1 h 02 min`, `3 d 4 h`. */
export function formatUptime(seconds: number | null): string {
  if (seconds === null) {
    return UNKNOWN;
  }
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) {
    return `${days}${SPACE}d ${hours}${SPACE}h`;
  }
  if (hours > 0) {
    return `${hours}${SPACE}h ${twoDigits(minutes)}${SPACE}min`;
  }
  return minutes > 0 ? `${minutes}${SPACE}min ${twoDigits(whole % 60)}${SPACE}s` : `${whole}${SPACE}s`;
}

/** A short time: `2.0 s`, `0.84 s` with two `digits`. */
export function formatSeconds(seconds: number | null, digits = 1): string {
  return seconds === null ? UNKNOWN : `${seconds.toFixed(digits)}${SPACE}s`;
}

/** `25 fps`, `29.97 fps`. */
export function formatFrameRate(frameRate: number | null): string {
  return frameRate === null ? UNKNOWN : `${trimNumber(frameRate, 2)}${SPACE}fps`;
}

/** `1920 × 1080`. */
export function formatResolution(width: number | null, height: number | null): string {
  return width === null || height === null ? UNKNOWN : `${width}${SPACE}×${SPACE}${height}`;
}

/** `44.1 kHz`. */
export function formatSampleRate(sampleRate: number | null): string {
  return sampleRate === null ? UNKNOWN : `${trimNumber(sampleRate / 1000, 3)}${SPACE}kHz`;
}

/** `mono`, `stereo`, `5.1`, `7.1`, `3 channels`. */
export function formatChannels(channels: number | null): string {
  const names: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo', 6: '5.1', 8: '7.1' };
  return channels === null ? UNKNOWN : (names[channels] ?? `${channels} channels`);
}

/** `3`, `12,345`. */
export function formatCount(count: number | null): string {
  return count === null ? UNKNOWN : Math.round(count).toLocaleString('en-US');
}

/** A count with its noun: `1 viewer`, `2 viewers`. */
export function formatCounted(count: number | null, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : `${noun}s`}`;
}

/** The sum of the numbers that are known; `null` when none is. */
export function sumKnown(...values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** At most `digits` decimals, without zeros at the end. */
function trimNumber(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
