/** What a transport has thrown away since it was opened, by why. Packets, where nothing else is said. */
export interface DroppedPackets {
  /** Came from an address that is not the peer's, or has not shown consent. */
  foreign: number;
  /** SRTP and SRTCP that could not be opened: before there were keys, of another key, altered, or there before. */
  unauthentic: number;
  /** What can't be read: RTP or RTCP that is cut short, protocols nobody speaks there. */
  malformed: number;
  /** RTP that no producer has named. */
  unclaimedPackets: number;
  /** Messages on streams of SCTP that no data producer has. */
  unclaimedMessages: number;
  /** Feedback and requests in RTCP about more than the peer was sent. */
  excessiveFeedback: number;
  /** RTP that was not sent: no way to the peer, keys that are used up, or too long. */
  unsendable: number;
  /** Not sent for want of room, in a queue, a connection or the kernel; or since the kernel refused. */
  overflowed: number;
}

/** Nothing dropped yet. */
export function noDrops(): DroppedPackets {
  return {
    foreign: 0,
    unauthentic: 0,
    malformed: 0,
    unclaimedPackets: 0,
    unclaimedMessages: 0,
    excessiveFeedback: 0,
    unsendable: 0,
    overflowed: 0,
  };
}

/** Both together. */
export function sumOfDrops(one: DroppedPackets, other: Partial<DroppedPackets>): DroppedPackets {
  const sum = { ...one };
  for (const reason of Object.keys(sum) as (keyof DroppedPackets)[]) sum[reason] += other[reason] ?? 0;
  return sum;
}
