import type { StunAttribute } from '../stun/stun-attributes.ts';
import type { StunCrypto } from '../stun/stun-crypto.ts';
import type { CandidatePair, IceRole, LocalAddress } from './candidate-pair.ts';
import type { IceTuple } from './ice-tuple.ts';

/** Attribute numbers renomination is sent under: as registered, and as libwebrtc has it. */
export type NominationAttribute = typeof StunAttribute.nomination | typeof StunAttribute.googNomination;

/** What a session has in common with the agent it belongs to. */
export interface SessionHost {
  readonly crypto: StunCrypto;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly tieBreaker: bigint;
  readonly nomination: 'regular' | 'aggressive';
  readonly nominationAttribute: NominationAttribute | undefined;
  readonly locals: readonly LocalAddress[];
  role: IceRole;
  send(bytes: Uint8Array, tuple: IceTuple): void;
  connect(tuple: IceTuple): void;
  /** The pair to send by has changed; `isNominated` says whether both sides know. */
  selected(pair: CandidatePair, isNominated: boolean, nowMs: number): void;
}
