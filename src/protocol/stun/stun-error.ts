/** How callers of STUN can misuse it: the codes of its `StateError`s. Bad messages are no errors, they are ignored. */
export type StunStateErrorCode = 'stun/too-large' | 'stun/bad-transaction-id' | 'stun/bad-address';
