import type { BitReader } from '../../wire/bit-reader.ts';

/** The general part of profile_tier_level() (ITU-T H.265 §7.3.3); hvcC holds the same twelve bytes. */
export interface H265ProfileTierLevel {
  /** `general_profile_space`, 0–3. */
  readonly profileSpace: number;
  readonly isHighTier: boolean;
  readonly profileIdc: number;
  /** `general_profile_compatibility_flag[0]` in bit 31 to `[31]` in bit 0. */
  readonly compatibilityFlags: number;
  /** The six bytes from general_progressive_source_flag on. */
  readonly constraintFlags: Uint8Array;
  /** `general_level_idc`: 30 times the level. */
  readonly levelIdc: number;
}

const SUB_LAYER_PROFILE_BITS = 88;

/** Reads the twelve general bytes. */
export function readGeneralProfile(bits: BitReader): H265ProfileTierLevel {
  const profileSpace = bits.bits(2);
  const isHighTier = bits.flag();
  const profileIdc = bits.bits(5);
  const compatibilityFlags = bits.bits(32);
  const constraintFlags = new Uint8Array(6);
  for (let i = 0; i < constraintFlags.length; i++) constraintFlags[i] = bits.bits(8);
  return { profileSpace, isHighTier, profileIdc, compatibilityFlags, constraintFlags, levelIdc: bits.bits(8) };
}

/** Reads profile_tier_level(1, maxSubLayersMinus1) with `maxSubLayersMinus1` 0–7; sub-layers are passed over. */
export function readProfileTierLevel(bits: BitReader, maxSubLayersMinus1: number): H265ProfileTierLevel {
  const general = readGeneralProfile(bits);
  const present: { readonly profile: boolean; readonly level: boolean }[] = [];
  for (let i = 0; i < maxSubLayersMinus1; i++) present.push({ profile: bits.flag(), level: bits.flag() });
  if (maxSubLayersMinus1 > 0) bits.skip(2 * (8 - maxSubLayersMinus1));
  for (const subLayer of present) {
    if (subLayer.profile) bits.skip(SUB_LAYER_PROFILE_BITS);
    if (subLayer.level) bits.skip(8);
  }
  return general;
}

const PROFILE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'Main 10'],
  [3, 'Main Still Picture'],
  [5, 'High Throughput'],
  [6, 'Multiview Main'],
  [7, 'Scalable Main'],
  [8, '3D Main'],
  [9, 'Screen-Extended'],
  [10, 'Scalable Range Extensions'],
  [11, 'High Throughput Screen-Extended'],
]);

const RANGE_EXTENSIONS = 4;

/** Profile for people (ITU-T H.265 §A.3): `Main 10`, `Main 4:2:2 10`, … */
export function h265ProfileName(profile: H265ProfileTierLevel): string {
  if (profile.profileIdc === RANGE_EXTENSIONS) return rangeExtensionsName(profile.constraintFlags);
  return PROFILE_NAMES.get(profile.profileIdc) ?? `profile ${profile.profileIdc}`;
}

/** Table A.2: the profiles of the range extensions differ only in these flags. */
function rangeExtensionsName(flags: Uint8Array): string {
  const high = flags[0]!;
  const low = flags[1]!;
  // Bits from general_max_12bit_constraint_flag (last nibble of the first byte) on.
  const max12 = (high & 0x08) !== 0;
  const max10 = (high & 0x04) !== 0;
  const max8 = (high & 0x02) !== 0;
  const max422 = (high & 0x01) !== 0;
  const max420 = (low & 0x80) !== 0;
  const maxMonochrome = (low & 0x40) !== 0;
  const intra = (low & 0x20) !== 0;
  const onePicture = (low & 0x10) !== 0;
  if (!max12 && !intra) return 'Range Extensions';
  const chroma = max420 ? '' : max422 ? ' 4:2:2' : ' 4:4:4';
  const depth = max8 ? '' : max10 ? ' 10' : max12 ? ' 12' : ' 16';
  const ending = onePicture ? ' Still Picture' : intra ? ' Intra' : '';
  return `${maxMonochrome ? 'Monochrome' : `Main${chroma}`}${depth}${ending}`;
}

/** Level for people: `4.1` for 123. */
export function h265LevelName(levelIdc: number): string {
  return `${Math.floor(levelIdc / 30)}.${Math.floor((levelIdc % 30) / 3)}`;
}

function reverseBits32(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed = reversed * 2 + (Math.floor(value / 2 ** i) % 2);
  return reversed;
}

/** `hvc1.1.6.L93.B0` (ISO/IEC 14496-15 §E.3): flags reversed, constraint bytes up to the last that is not zero. */
export function h265CodecString(profile: H265ProfileTierLevel): string {
  const space = ['', 'A', 'B', 'C'][profile.profileSpace] ?? '';
  const compatibility = reverseBits32(profile.compatibilityFlags).toString(16).toUpperCase();
  const constraints = [...profile.constraintFlags];
  while (constraints.at(-1) === 0) constraints.pop();
  const parts = [
    'hvc1',
    `${space}${profile.profileIdc}`,
    compatibility,
    `${profile.isHighTier ? 'H' : 'L'}${profile.levelIdc}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}
