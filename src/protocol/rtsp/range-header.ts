/** Microseconds of a second, as everywhere in Millrace. */
const US_PER_SECOND = 1_000_000;
/** Farthest time of a clock from 1970 in either direction, whose microseconds are still exact: the year 2255. */
const LAST_UTC_MS = Math.floor(Number.MAX_SAFE_INTEGER / 1000) - 1000;

/** How SMPTE times count frames (RFC 2326 §3.5). `smpte` is the same as `smpte-30-drop`. */
export type SmpteType = 'smpte' | 'smpte-25' | 'smpte-30-drop';

/** Relative time (RFC 2326 §3.6) in microseconds from the beginning of the presentation. */
export interface NptRange {
  readonly type: 'npt';
  /** `now` is the point of a live stream that is sent at the moment. Undefined in `npt=-b`: the beginning, or where play stands. */
  readonly startUs: number | 'now' | undefined;
  readonly endUs: number | undefined;
}

/** Absolute time (RFC 2326 §3.7) in microseconds since 1970, UTC. */
export interface ClockRange {
  readonly type: 'clock';
  readonly startUs: number | undefined;
  readonly endUs: number | undefined;
}

/** SMPTE relative time stamps (RFC 2326 §3.5). */
export interface SmpteRange {
  readonly type: SmpteType;
  readonly start: SmpteTime | undefined;
  readonly end: SmpteTime | undefined;
}

/** `hours:minutes:seconds:frames.subframes`. */
export interface SmpteTime {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly frames: number;
  /** Hundredths of a frame. */
  readonly subframes: number;
}

/**
 * The value of a Range header or of `a=range` (RFC 2326 §12.29, §C.1.5): from `start` on, up to but without `end`. An end
 * before the start is for play in reverse.
 */
export type RtspRange = (NptRange | ClockRange | SmpteRange) & {
  /** When the operation is to take place: microseconds since 1970, UTC. */
  readonly timeUs?: number;
};

/** Reads a Range; undefined when it is malformed. `-` alone is malformed: it says nothing. */
export function parseRange(text: string): RtspRange | undefined {
  const [specifier = '', ...parameters] = text.split(';');
  const equals = specifier.indexOf('=');
  const type = specifier.slice(0, Math.max(equals, 0)).trim().toLowerCase();
  const range = parseSpecifier(type, specifier.slice(equals + 1).trim());
  if (range === undefined) return undefined;
  for (const parameter of parameters) {
    const time = /^\s*time\s*=(.*)$/i.exec(parameter);
    if (time === null) continue;
    const timeUs = parseUtc(time[1]!.trim());
    if (timeUs === undefined) return undefined;
    return { ...range, timeUs };
  }
  return range;
}

/** A Range as the value of its header. */
export function writeRange(range: RtspRange): string {
  const time = range.timeUs === undefined ? '' : `;time=${writeUtc(range.timeUs)}`;
  switch (range.type) {
    case 'npt':
      return `npt=${writeNpt(range.startUs)}-${writeNpt(range.endUs)}${time}`;
    case 'clock':
      return `clock=${writeUtc(range.startUs)}-${writeUtc(range.endUs)}${time}`;
    case 'smpte':
    case 'smpte-25':
    case 'smpte-30-drop':
      return `${range.type}=${writeSmpte(range.start)}-${writeSmpte(range.end)}${time}`;
    default:
      return range satisfies never;
  }
}

/**
 * An SMPTE time in microseconds. Drop frame counting leaves out the numbers 0 and 1 of each minute's frames but for every
 * tenth minute, which keeps 29.97 frames a second in step with the clock.
 */
export function smpteToUs(type: SmpteType, time: SmpteTime): number {
  const seconds = (time.hours * 60 + time.minutes) * 60 + time.seconds;
  const part = time.frames + time.subframes / 100;
  if (type === 'smpte-25') return Math.round((seconds + part / 25) * US_PER_SECOND);
  const minutes = time.hours * 60 + time.minutes;
  const frames = seconds * 30 + part - 2 * (minutes - Math.floor(minutes / 10));
  return Math.round((frames * 1001 * US_PER_SECOND) / 30_000);
}

function parseSpecifier(type: string, value: string): NptRange | ClockRange | SmpteRange | undefined {
  // Times of all kinds are free of dashes.
  const dash = value.indexOf('-');
  if (dash < 0 || value === '-') return undefined;
  const first = value.slice(0, dash).trim();
  const last = value.slice(dash + 1).trim();
  switch (type) {
    case 'npt': {
      const startUs = first === '' ? undefined : first.toLowerCase() === 'now' ? 'now' : parseNpt(first);
      const endUs = last === '' ? undefined : parseNpt(last);
      return isRead(first, startUs) && isRead(last, endUs) ? { type, startUs, endUs } : undefined;
    }
    case 'clock': {
      const startUs = parseUtc(first);
      const endUs = parseUtc(last);
      return isRead(first, startUs) && isRead(last, endUs) ? { type, startUs, endUs } : undefined;
    }
    case 'smpte':
    case 'smpte-25':
    case 'smpte-30-drop': {
      const framesPerSecond = type === 'smpte-25' ? 25 : 30;
      const start = parseSmpte(first, framesPerSecond);
      const end = parseSmpte(last, framesPerSecond);
      return isRead(first, start) && isRead(last, end) ? { type, start, end } : undefined;
    }
    default:
      return undefined;
  }
}

function isRead(text: string, value: unknown): boolean {
  return text === '' || value !== undefined;
}

/** `123`, `123.45`, `1:02:03.4`; up to a thousand million seconds, so that microseconds stay exact. */
function parseNpt(text: string): number | undefined {
  const seconds = /^(\d{1,9})(?:\.(\d*))?$/.exec(text);
  if (seconds !== null) return Number(seconds[1]) * US_PER_SECOND + fractionUs(seconds[2]);
  const clock = /^(\d{1,5}):([0-5]?\d):([0-5]?\d)(?:\.(\d*))?$/.exec(text);
  if (clock === null) return undefined;
  const whole = (Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3]);
  return whole * US_PER_SECOND + fractionUs(clock[4]);
}

function writeNpt(us: number | 'now' | undefined): string {
  if (us === undefined || us === 'now') return us ?? '';
  return `${Math.floor(us / US_PER_SECOND)}.${writeFraction(us, 3)}`;
}

function parseUtc(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:\.(\d*))?Z$/i.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hours, minutes, seconds, fraction] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  // Date.parse turns 30 February into 2 March in some engines.
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(day)) return undefined;
  return Math.abs(ms) > LAST_UTC_MS ? undefined : ms * 1000 + fractionUs(fraction);
}

/** Times farther away than `LAST_UTC_MS` come out as that. */
function writeUtc(us: number | undefined): string {
  if (us === undefined) return '';
  const seconds = Math.floor(us / US_PER_SECOND);
  const ms = Math.min(Math.max(seconds * 1000, -LAST_UTC_MS), LAST_UTC_MS);
  const text = new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '');
  const fraction = writeFraction(us, 0);
  return fraction === '' ? `${text}Z` : `${text}.${fraction}Z`;
}

function parseSmpte(text: string, framesPerSecond: number): SmpteTime | undefined {
  const match = /^(\d{1,2}):([0-5]?\d):([0-5]?\d)(?::(\d{1,2}))?(?:\.(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const frames = Number(match[4] ?? 0);
  if (frames >= framesPerSecond) return undefined;
  return {
    hours: Number(match[1]),
    minutes: Number(match[2]),
    seconds: Number(match[3]),
    frames,
    subframes: Number(match[5] ?? 0),
  };
}

function writeSmpte(time: SmpteTime | undefined): string {
  if (time === undefined) return '';
  const clock = [time.hours, time.minutes, time.seconds].map(twoDigits).join(':');
  if (time.frames === 0 && time.subframes === 0) return clock;
  const frames = `${clock}:${twoDigits(time.frames)}`;
  return time.subframes === 0 ? frames : `${frames}.${twoDigits(time.subframes)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Digits behind a decimal point as microseconds; finer ones are cut off. */
function fractionUs(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.slice(0, 6).padEnd(6, '0'));
}

/** The microseconds of a second as digits behind a decimal point: at least `minDigits`, no zeros behind those. */
function writeFraction(us: number, minDigits: number): string {
  const digits = String(us - Math.floor(us / US_PER_SECOND) * US_PER_SECOND).padStart(6, '0');
  let end = 6;
  while (end > minDigits && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
