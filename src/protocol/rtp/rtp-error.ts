/** Codes of the `StateError`s the writers of RTP and RTCP packets throw. */
export type RtpErrorCode =
  /** The buffer to write into is too small. */
  | 'rtp/no-room'
  /** More contributing sources than the header can count. */
  | 'rtp/too-many-sources'
  /** A header extension, or an element of one, that its form can't carry. */
  | 'rtp/bad-extension'
  /** Blocks that a RED payload can't carry. */
  | 'rtp/bad-redundancy'
  /** More report blocks, chunks, sources or entries than one RTCP packet can count. */
  | 'rtcp/too-many'
  /** A text, name or data that an RTCP packet can't carry. */
  | 'rtcp/bad-value';
