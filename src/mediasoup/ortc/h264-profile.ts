import type { RtpCodecParameterValues } from '../rtp-parameters.ts';

type H264Profile = 'constrained-baseline' | 'baseline' | 'main' | 'constrained-high' | 'high' | 'predictive-high-444';

interface ProfileLevel {
  readonly profile: H264Profile;
  /** `level_idc`; `LEVEL_1B` stands for level 1b, which has none of its own. */
  readonly level: number;
}

const LEVEL_1 = 10;
const LEVEL_1B = 0;
const LEVEL_1_1 = 11;
const CONSTRAINT_SET_3 = 0x10;

const levels: ReadonlySet<number> = new Set([10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]);

/** RFC 6184 §8.1, table 5: `profile_idc`, then which constraint bits must be what. */
const profiles: readonly {
  readonly idc: number;
  readonly mask: number;
  readonly bits: number;
  readonly profile: H264Profile;
}[] = [
  { idc: 0x42, mask: 0x4f, bits: 0x40, profile: 'constrained-baseline' },
  { idc: 0x4d, mask: 0x8f, bits: 0x80, profile: 'constrained-baseline' },
  { idc: 0x58, mask: 0xcf, bits: 0xc0, profile: 'constrained-baseline' },
  { idc: 0x42, mask: 0x4f, bits: 0x00, profile: 'baseline' },
  { idc: 0x58, mask: 0xcf, bits: 0x80, profile: 'baseline' },
  { idc: 0x4d, mask: 0xaf, bits: 0x00, profile: 'main' },
  { idc: 0x64, mask: 0xff, bits: 0x00, profile: 'high' },
  { idc: 0x64, mask: 0xff, bits: 0x0c, profile: 'constrained-high' },
  { idc: 0xf4, mask: 0xff, bits: 0x00, profile: 'predictive-high-444' },
];

/** How a profile is written: `profile_idc` and constraints. */
const prefixes: Readonly<Record<H264Profile, string>> = {
  'constrained-baseline': '42e0',
  baseline: '4200',
  main: '4d00',
  'constrained-high': '640c',
  high: '6400',
  'predictive-high-444': 'f400',
};

/** Level 1b is level 1.1 with a constraint bit, which only these profiles have. */
const prefixes1b: Partial<Readonly<Record<H264Profile, string>>> = {
  'constrained-baseline': '42f0',
  baseline: '4210',
  main: '4d10',
};

/** What a stream without `profile-level-id` is taken for, as browsers do: Constrained Baseline 3.1. */
const byDefault: ProfileLevel = { profile: 'constrained-baseline', level: 31 };

function profileLevelOf(parameters: RtpCodecParameterValues): ProfileLevel | undefined {
  const text = parameters['profile-level-id'];
  if (text === undefined) return byDefault;
  if (typeof text !== 'string' && typeof text !== 'number') return undefined;
  const digits = String(text);
  if (!/^[0-9a-f]{6}$/i.test(digits)) return undefined;
  const idc = Number.parseInt(digits.slice(0, 2), 16);
  const constraints = Number.parseInt(digits.slice(2, 4), 16);
  const levelIdc = Number.parseInt(digits.slice(4), 16);
  const found = profiles.find((row) => row.idc === idc && (constraints & row.mask) === row.bits);
  if (found === undefined || !levels.has(levelIdc)) return undefined;
  const is1b = levelIdc === LEVEL_1_1 && idc < 0x64 && (constraints & CONSTRAINT_SET_3) !== 0;
  return { profile: found.profile, level: is1b ? LEVEL_1B : levelIdc };
}

/** 1 < 1b < 1.1. */
function rankOf(level: number): number {
  return level === LEVEL_1B ? LEVEL_1 + 0.5 : level;
}

/** Both are of one H.264 profile, whatever their levels. */
export function isSameH264Profile(first: RtpCodecParameterValues, second: RtpCodecParameterValues): boolean {
  const a = profileLevelOf(first);
  return a !== undefined && a.profile === profileLevelOf(second)?.profile;
}

/**
 * The `profile-level-id` to answer with (RFC 6184 §8.2.2): the local level where both sides allow asymmetry, else the lower
 * one; `undefined` when neither side names any. Both must be of one profile.
 */
export function h264ProfileLevelIdForAnswer(
  local: RtpCodecParameterValues,
  remote: RtpCodecParameterValues,
): string | undefined {
  if (local['profile-level-id'] === undefined && remote['profile-level-id'] === undefined) return undefined;
  const own = profileLevelOf(local);
  const other = profileLevelOf(remote);
  if (own === undefined || other === undefined) return undefined;
  const isAsymmetric = allowsAsymmetry(local) && allowsAsymmetry(remote);
  const level = isAsymmetric || rankOf(own.level) <= rankOf(other.level) ? own.level : other.level;
  if (level !== LEVEL_1B) return prefixes[own.profile] + level.toString(16).padStart(2, '0');
  const prefix = prefixes1b[own.profile];
  return prefix === undefined ? undefined : `${prefix}0b`;
}

function allowsAsymmetry(parameters: RtpCodecParameterValues): boolean {
  return Number(parameters['level-asymmetry-allowed']) === 1;
}
