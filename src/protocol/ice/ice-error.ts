import { ProtocolError, StateError } from '../../wire/errors.ts';

/** Why ICE input ended a connection by fault of the peer: codes of `ProtocolError`s. */
export type IceErrorCode = 'ice/frame-too-large';

/** How callers of ICE can misuse it: codes of `StateError`s. */
export type IceStateErrorCode =
  | 'ice/bad-credentials'
  | 'ice/bad-candidate'
  | 'ice/frame-too-large'
  | 'ice/too-many-candidates'
  | 'ice/wrong-state';

/** A `ProtocolError` with a code of this area. */
export function iceError(code: IceErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** A `StateError` with a code of this area. */
export function iceStateError(code: IceStateErrorCode, message: string): StateError {
  return new StateError(code, message);
}
