import { toHexadecimal } from '../../wire/hexadecimal.ts';

const PROFILE_NAMES: ReadonlyMap<number, string> = new Map([
  [44, 'CAVLC 4:4:4 Intra'],
  [66, 'Baseline'],
  [77, 'Main'],
  [83, 'Scalable Baseline'],
  [86, 'Scalable High'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High 10'],
  [118, 'Multiview High'],
  [122, 'High 4:2:2'],
  [128, 'Stereo High'],
  [134, 'MFC High'],
  [135, 'MFC Depth High'],
  [138, 'Multiview Depth High'],
  [139, 'Enhanced Multiview Depth High'],
  [244, 'High 4:4:4 Predictive'],
]);

const CONSTRAINT_SET1 = 0x40;
const CONSTRAINT_SET3 = 0x10;
const CONSTRAINT_SET4 = 0x08;
const CONSTRAINT_SET5 = 0x04;

/** Profile for people (ITU-T H.264 §A.2): `Constrained Baseline`, `High 10 Intra`, … */
export function h264ProfileName(profileIdc: number, constraintFlags: number): string {
  const name = PROFILE_NAMES.get(profileIdc) ?? `profile ${profileIdc}`;
  switch (profileIdc) {
    case 66:
      return (constraintFlags & CONSTRAINT_SET1) !== 0 ? 'Constrained Baseline' : name;
    case 100:
      if ((constraintFlags & CONSTRAINT_SET4) === 0) return name;
      return (constraintFlags & CONSTRAINT_SET5) === 0 ? 'Progressive High' : 'Constrained High';
    case 110:
    case 122:
      return (constraintFlags & CONSTRAINT_SET3) !== 0 ? `${name} Intra` : name;
    case 244:
      return (constraintFlags & CONSTRAINT_SET3) !== 0 ? 'High 4:4:4 Intra' : name;
    default:
      return name;
  }
}

/** Level for people (ITU-T H.264 §A.3): `4.1`; `1b` by either of its two signs. */
export function h264LevelName(profileIdc: number, constraintFlags: number, levelIdc: number): string {
  const isOldProfile = profileIdc === 66 || profileIdc === 77 || profileIdc === 88;
  if (levelIdc === 9 || (levelIdc === 11 && isOldProfile && (constraintFlags & CONSTRAINT_SET3) !== 0)) return '1b';
  return `${Math.floor(levelIdc / 10)}.${levelIdc % 10}`;
}

/** RFC 6381 §3.3 `avc1.PPCCLL` from the three bytes after the SPS header. */
export function h264CodecString(profileIdc: number, constraintFlags: number, levelIdc: number): string {
  return `avc1.${toHexadecimal(Uint8Array.of(profileIdc, constraintFlags, levelIdc))}`;
}
