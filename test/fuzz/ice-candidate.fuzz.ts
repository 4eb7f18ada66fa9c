import { MAX_CANDIDATE_EXTENSIONS, parseCandidate, writeCandidate } from '../../src/protocol/ice/candidate.ts';
import { formatIpAddress, parseIpAddress } from '../../src/protocol/stun/ip-address.ts';

export const name = 'ice-candidate';

/** Candidate lines: bounded, and what is read can be written and read again. */
export function run(bytes: Uint8Array): void {
  const text = new TextDecoder('latin1').decode(bytes);
  for (const line of text.split('\n', 100)) {
    const candidate = parseCandidate(line);
    if (candidate === undefined) continue;
    if ((candidate.extensions?.length ?? 0) > MAX_CANDIDATE_EXTENSIONS) throw new RangeError('too many extensions');
    const again = parseCandidate(writeCandidate(candidate));
    if (JSON.stringify(again) !== JSON.stringify(candidate)) throw new RangeError('candidates differ');
    const ip = parseIpAddress(candidate.address);
    if (ip === undefined) continue;
    const address = formatIpAddress(ip);
    if (formatIpAddress(parseIpAddress(address) ?? new Uint8Array(4)) !== address)
      throw new RangeError('addresses differ');
  }
}
