import type { ProbeResult } from './probe-bitrate-estimator.ts';
import { type ProbeCluster, toProbeCluster } from './probe-cluster.ts';

/** Rates of the first probes, as multiples of the start rate. One: on a slow link a second would make a long queue. */
const INITIAL_SCALES = [3] as const;
/** A probe that came through is followed by one of this multiple of its result. */
const NEXT_SCALE = 2;
/** … or of this multiple when it has to be confirmed, … */
const CONFIRMING_SCALE = 1.3;
/** … when it showed at least this part of its rate. */
const PASSED_PART = 0.7;
/** While the source wants more than the estimate, this multiple is tried … */
const MORE_SCALE = 1.5;
/** … this long after the last probe, … */
const MORE_INTERVAL_US = 1_000_000;
/** … or this long while the link was never full, … */
const START_INTERVAL_US = 400_000;
/** … and this long after the last time the rate was taken back. */
const MORE_QUIET_US = 500_000;
/** A probe that would show little more than the last is not sent. */
const MIN_STEP = 1.1;
/** A source that limits itself: how often what it might send is tried. */
const ALR_SCALE = 2;
const ALR_INTERVAL_US = 5_000_000;
/** After a drop to less than this part, the rate of before is tried again … */
const DROP_PART = 0.66;
/** … once the path has been quiet for so long, within `MAX_RECOVERY_US`, at this part of it. */
const RECOVERY_QUIET_US = 1_000_000;
const MAX_RECOVERY_US = 30_000_000;
const RECOVERY_SCALE = 0.85;
/** A probe whose result has not come after this and two round trips shows nothing. */
const RESULT_TIMEOUT_US = 200_000;
/** Nothing above this multiple of what is wanted at all is worth a probe. */
const MAX_OVER_WANTED = 2;

/** What the controller looks at. */
export interface ProbeState {
  readonly estimateBps: number;
  /** What the application would send if it could. */
  readonly desiredBps: number;
  readonly maxBps: number;
  readonly isApplicationLimited: boolean;
  /** No overuse, no standing queue. */
  readonly isPathQuiet: boolean;
  /** When the rate was last taken back. */
  readonly lastDecreaseUs: number;
  readonly rttUs: number;
  /** The link was full some time. */
  readonly isCapacityKnown: boolean;
}

/**
 * Decides when to probe and at which rate: at the start, further as long as probes come through, while the source wants
 * more, while it limits itself, and to get back after a drop.
 */
export class ProbeController {
  #nextId = 0;
  #hasStarted = false;
  #lastProbeUs = Number.NEGATIVE_INFINITY;
  /** Rate of the highest probe whose result is awaited; 0 when none is. */
  #awaitedBps = 0;
  #bestBps = 0;
  #droppedFromBps = 0;
  #droppedUs = Number.NEGATIVE_INFINITY;
  #isRequested = false;
  #confirmationId = -1;
  /** The last probe had no result either. */
  #isRepeated = false;

  /** The path is there. @returns the first probes */
  start(startBps: number, state: ProbeState, nowUs: number): ProbeCluster[] {
    this.#hasStarted = true;
    return this.#probes(
      INITIAL_SCALES.map((scale) => scale * startBps),
      state,
      nowUs,
    );
  }

  /** The application wants more and has reason to believe that there is more: a probe as soon as the path is quiet. */
  request(): void {
    this.#isRequested = true;
  }

  /** Whether this probe was sent to confirm another. */
  isConfirmation(clusterId: number): boolean {
    return clusterId === this.#confirmationId;
  }

  /**
   * A probe measured something.
   * @param isTaken it is in the estimate by now; else another probe has to confirm it
   * @returns the probes to go on with
   */
  onResult(result: ProbeResult, isTaken: boolean, state: ProbeState, nowUs: number): ProbeCluster[] {
    const { bitrateBps, isLinkFull } = result;
    const awaitedBps = this.#awaitedBps;
    this.#isRepeated = false;
    this.#awaitedBps = 0;
    if (!isTaken) {
      this.#confirmationId = this.#nextId;
      return this.#probes([bitrateBps * CONFIRMING_SCALE], state, nowUs);
    }
    if (awaitedBps === 0 || isLinkFull || bitrateBps < awaitedBps * PASSED_PART) return [];
    if (this.#limitBps(state) < awaitedBps * MIN_STEP) return [];
    return this.#probes([bitrateBps * NEXT_SCALE], state, nowUs);
  }

  /** Looks at the state after each feedback or when time has passed. @returns the probes to send now */
  update(state: ProbeState, nowUs: number): ProbeCluster[] {
    this.#noteDrop(state, nowUs);
    if (this.#awaitedBps > 0 && nowUs - this.#lastProbeUs > RESULT_TIMEOUT_US + 2 * state.rttUs) this.#giveUp();
    if (!this.#hasStarted || this.#awaitedBps > 0 || !state.isPathQuiet) return [];
    if (this.#isRequested) {
      this.#isRequested = false;
      return this.#probes([state.estimateBps * ALR_SCALE], state, nowUs);
    }
    const quietUs = nowUs - Math.max(this.#lastProbeUs, state.lastDecreaseUs);
    if (this.#droppedFromBps > 0 && nowUs - this.#droppedUs < MAX_RECOVERY_US && quietUs >= RECOVERY_QUIET_US) {
      const tried = this.#droppedFromBps * RECOVERY_SCALE;
      this.#droppedFromBps = 0;
      if (tried > state.estimateBps) return this.#probes([tried], state, nowUs);
    }
    if (state.isApplicationLimited) {
      return quietUs >= ALR_INTERVAL_US ? this.#probes([state.estimateBps * ALR_SCALE], state, nowUs) : [];
    }
    if (state.estimateBps >= state.desiredBps) return [];
    const intervalUs = state.isCapacityKnown ? MORE_INTERVAL_US : START_INTERVAL_US;
    if (nowUs - this.#lastProbeUs < intervalUs || nowUs - state.lastDecreaseUs < MORE_QUIET_US) return [];
    return this.#probes([state.estimateBps * MORE_SCALE], state, nowUs);
  }

  /** No result came: once more, for the probe may have been lost by chance. */
  #giveUp(): void {
    this.#awaitedBps = 0;
    if (!this.#isRepeated) this.#isRequested = true;
    this.#isRepeated = !this.#isRepeated;
  }

  #noteDrop({ estimateBps }: ProbeState, nowUs: number): void {
    if (estimateBps < this.#bestBps * DROP_PART) {
      this.#droppedFromBps = this.#bestBps;
      this.#droppedUs = nowUs;
      this.#bestBps = estimateBps;
    } else if (estimateBps > this.#bestBps) {
      this.#bestBps = estimateBps;
    }
  }

  #probes(wanted: readonly number[], state: ProbeState, nowUs: number): ProbeCluster[] {
    const limitBps = this.#limitBps(state);
    const probes: ProbeCluster[] = [];
    let lastBps = state.estimateBps;
    for (const wantedBps of wanted) {
      const bitrateBps = Math.min(wantedBps, limitBps);
      if (bitrateBps <= lastBps) break;
      lastBps = bitrateBps;
      probes.push(toProbeCluster(this.#nextId++, Math.round(bitrateBps)));
    }
    this.#lastProbeUs = nowUs;
    this.#awaitedBps = probes.length === 0 ? 0 : lastBps;
    return probes;
  }

  #limitBps({ maxBps, desiredBps }: ProbeState): number {
    return Math.min(maxBps, desiredBps * MAX_OVER_WANTED);
  }
}
