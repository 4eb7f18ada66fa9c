/** Packets sent within this time are one group (draft-ietf-rmcat-gcc-02 §5.2, burst_time). */
export const GROUP_SEND_US = 5000;
/** Packets that come at once after a stall of the path join the group before them, up to this length. */
export const MAX_BURST_US = 100_000;
/** A receiver's clock that goes so far off ours between two groups has jumped. */
export const CLOCK_JUMP_US = 3_000_000;
/** So many groups that arrive before their predecessors in a row: the clock was set back. */
const MAX_BACKWARD_GROUPS = 3;

/** How two neighbouring groups differ. */
export interface GroupDelta {
  readonly sendUs: number;
  readonly arrivalUs: number;
  /** When the later group was complete, by the receiver's clock. */
  readonly completedUs: number;
}

interface Group {
  readonly firstSentUs: number;
  lastSentUs: number;
  readonly firstArrivalUs: number;
  lastArrivalUs: number;
  /** By our clock. */
  heardUs: number;
}

/**
 * Puts packets into groups by when they were sent and compares groups (draft-ietf-rmcat-gcc-02 §5.2): what a queue on
 * the way does shows between groups, not within the bursts a sender or a radio link makes. Times need no common origin.
 */
export class ArrivalGroups {
  #current: Group | undefined;
  #previous: Group | undefined;
  #backwardGroups = 0;

  /**
   * Takes the next packet, in the order of arrival.
   * @param nowUs when we learned of it, to notice a clock that jumps
   * @returns the comparison of the two groups before it, when it starts a new one
   */
  add(sentUs: number, arrivalUs: number, nowUs: number): GroupDelta | undefined {
    const current = this.#current;
    if (current === undefined) {
      this.#start(sentUs, arrivalUs, nowUs);
      return undefined;
    }
    // Overtaken on the way: its group is over.
    if (sentUs < current.firstSentUs) return undefined;
    if (sentUs - current.firstSentUs <= GROUP_SEND_US || isBurst(current, sentUs, arrivalUs)) {
      current.lastSentUs = Math.max(current.lastSentUs, sentUs);
      current.lastArrivalUs = Math.max(current.lastArrivalUs, arrivalUs);
      current.heardUs = nowUs;
      return undefined;
    }
    const delta = this.#compare(current);
    if (this.#current === undefined) {
      this.#start(sentUs, arrivalUs, nowUs);
      return undefined;
    }
    this.#previous = current;
    this.#start(sentUs, arrivalUs, nowUs);
    return delta;
  }

  /** Forgets all groups. */
  reset(): void {
    this.#current = undefined;
    this.#previous = undefined;
    this.#backwardGroups = 0;
  }

  #start(sentUs: number, arrivalUs: number, nowUs: number): void {
    this.#current = {
      firstSentUs: sentUs,
      lastSentUs: sentUs,
      firstArrivalUs: arrivalUs,
      lastArrivalUs: arrivalUs,
      heardUs: nowUs,
    };
  }

  #compare(current: Group): GroupDelta | undefined {
    const previous = this.#previous;
    if (previous === undefined) return undefined;
    const arrivalUs = current.lastArrivalUs - previous.lastArrivalUs;
    if (Math.abs(arrivalUs - (current.heardUs - previous.heardUs)) >= CLOCK_JUMP_US) {
      this.reset();
      return undefined;
    }
    if (arrivalUs < 0) {
      if (++this.#backwardGroups >= MAX_BACKWARD_GROUPS) this.reset();
      return undefined;
    }
    this.#backwardGroups = 0;
    return { sendUs: current.lastSentUs - previous.lastSentUs, arrivalUs, completedUs: current.lastArrivalUs };
  }
}

/** Whether a packet came on the heels of the group though it was sent later: what stood on the way came at once. */
function isBurst(group: Group, sentUs: number, arrivalUs: number): boolean {
  const arrivalDeltaUs = arrivalUs - group.lastArrivalUs;
  const sendDeltaUs = sentUs - group.lastSentUs;
  if (sendDeltaUs === 0) return true;
  return (
    arrivalDeltaUs < sendDeltaUs && arrivalDeltaUs <= GROUP_SEND_US && arrivalUs - group.firstArrivalUs < MAX_BURST_US
  );
}
