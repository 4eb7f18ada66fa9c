import { MAX_PARAMETER_SET_BYTES, splitAnnexB } from '../../../codec/nal-unit.ts';
import { MAX_PARAMETER_SETS } from '../../../codec/parameter-set-collector.ts';
import { fromBase64 } from '../../../wire/base64.ts';

/** Base64 makes four characters of three bytes. */
const MAX_CHARACTERS = 4 * Math.ceil(MAX_PARAMETER_SET_BYTES / 3);

/**
 * The NAL units of `sprop-parameter-sets` (RFC 6184 §8.1) or `sprop-vps`, `-sps`, `-pps` (RFC 7798 §7.1): base64, comma
 * between. What cannot be read is left out; start codes, which some cameras leave in, are taken off. At most 64.
 */
export function parseParameterSets(value: string | undefined): readonly Uint8Array[] {
  if (value === undefined) return [];
  const nalUnits: Uint8Array[] = [];
  for (const text of value.split(',', MAX_PARAMETER_SETS)) {
    const bytes = text.length > MAX_CHARACTERS ? undefined : fromBase64(text);
    if (bytes === undefined || bytes.length === 0) continue;
    // Both header bytes of zero are no parameter set, so this is where a start code begins.
    if (bytes[0] === 0 && bytes[1] === 0) nalUnits.push(...splitAnnexB(bytes));
    else nalUnits.push(bytes);
  }
  return nalUnits.slice(0, MAX_PARAMETER_SETS);
}
