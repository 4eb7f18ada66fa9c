/**
 * What transport-wide feedback says (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), as the reader of the RTCP
 * packet hands it on.
 */
export interface TransportArrivals {
  /** Transport-wide sequence number of the first packet, 16 bits. */
  readonly baseSequenceNumber: number;
  /**
   * When each packet from the first on arrived by the receiver's clock, microseconds; may wrap (`ARRIVAL_WRAP_US`).
   * `undefined`: not received so far.
   */
  readonly arrivalsUs: readonly (number | undefined)[];
}

/** One packet of ours and what became of it. */
export interface PacketResult {
  /** Transport-wide sequence number without an end. */
  readonly sequenceNumber: number;
  /** All that the link carries of it. */
  readonly sizeBytes: number;
  /** By our clock. */
  readonly sentUs: number;
  /** By the receiver's clock, without wraps; `undefined`: lost, as far as the receiver knows. */
  readonly arrivalUs: number | undefined;
  /** The probe it belongs to. */
  readonly probeClusterId: number | undefined;
  /** It was reported lost before: reordering, not loss. */
  readonly isRecovered: boolean;
  /** Feedback on packets sent after it came first, and it was among `FeedbackReport.passedOverBytes`. */
  readonly isLate: boolean;
}

/** What the delay says of the path: `overusing` fills a queue, `underusing` empties one. */
export type BandwidthUsage = 'normal' | 'overusing' | 'underusing';
