import { readAbsSendTime } from '../../protocol/rtp/extensions/abs-send-time.ts';
import { readTransportWideSequenceNumber } from '../../protocol/rtp/extensions/transport-wide-sequence-number.ts';
import type { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { ArrivalRecorder } from '../bwe/arrival-recorder.ts';
import { ReceiveSideEstimator } from '../bwe/receive-side-estimator.ts';
import { LossFraction } from './loss-fraction.ts';
import type { RtcpReporter } from './rtcp-reporter.ts';
import { hasPathFeedback } from './rtp-parameters.ts';
import type { TransportStreams } from './transport-streams.ts';

/** How often a peer is told how much it may send at most, milliseconds. */
const LIMIT_INTERVAL_MS = 1500;
/** A limit that is gone is taken back by telling so often of one that is none, bits a second: peers keep to the last they heard. */
const FREEING_REPORTS = 4;
const NO_LIMIT_BPS = 100_000_000_000;

/** Helps the peer to find out how much it can send: transport-wide feedback, or REMB; and limits it where control says so. */
export class ReceivingPath {
  readonly #streams: TransportStreams;
  readonly #reporter: RtcpReporter;
  #recorder: ArrivalRecorder | undefined;
  #estimator: ReceiveSideEstimator | undefined;
  readonly #loss = new LossFraction();
  #mediaSsrc = 0;
  #maxBps = 0;
  #limitMs: number | undefined;
  /** Times left of taking a limit back. */
  #freeingReports = 0;

  constructor(streams: TransportStreams, reporter: RtcpReporter) {
    this.#streams = streams;
    this.#reporter = reporter;
  }

  /** Bits a second the peer may send at most; 0: no limit. */
  setMaxBitrate(maxBps: number): void {
    const wasLimited = this.#maxBps !== 0;
    this.#maxBps = maxBps;
    this.#estimator?.setBounds(0, maxBps === 0 ? Number.POSITIVE_INFINITY : maxBps);
    if (maxBps === 0 && !wasLimited) return;
    this.#freeingReports = maxBps === 0 ? FREEING_REPORTS : 0;
    this.#limitMs = 0;
  }

  /** Producers have come or gone: which feedback they want may be another. */
  producersChanged(): void {
    const producers = [...this.#streams.producers.values()];
    if (producers.some(({ rtpParameters }) => hasPathFeedback(rtpParameters, 'transport-cc'))) {
      this.#recorder ??= new ArrivalRecorder({ intervalMs: 100 });
      this.#estimator = undefined;
    } else if (
      this.#recorder === undefined &&
      producers.some(({ rtpParameters }) => hasPathFeedback(rtpParameters, 'goog-remb'))
    ) {
      this.#estimator ??= new ReceiveSideEstimator(this.#maxBps === 0 ? {} : { maxBps: this.#maxBps });
    }
  }

  onPacket(view: RtpPacketView, nowMs: number): void {
    const { absSendTime, transportWideCc01 } = this.#streams.extensionIds;
    if (this.#recorder !== undefined && transportWideCc01 !== 0) {
      const at = view.findElement(transportWideCc01);
      const number = at < 0 ? undefined : readTransportWideSequenceNumber(view.bytes, at, view.elementBytes);
      if (number === undefined) return;
      this.#mediaSsrc = view.ssrc;
      this.#recorder.onPacket(number, Math.round(nowMs * 1000));
    } else if (this.#estimator !== undefined && absSendTime !== 0) {
      const at = view.findElement(absSendTime);
      const ticks = at < 0 ? undefined : readAbsSendTime(view.bytes, at, view.elementBytes);
      if (ticks !== undefined) this.#estimator.onPacket(ticks, Math.round(nowMs * 1000), view.end - view.start);
    }
  }

  nextTimeoutMs(): number | undefined {
    const next = Math.min(
      this.#recorder?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.#estimator?.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.#recorder === undefined ? Number.POSITIVE_INFINITY : (this.#limitMs ?? Number.POSITIVE_INFINITY),
    );
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  handleTimeout(nowMs: number): void {
    for (const feedback of this.#recorder?.takeFeedback(nowMs) ?? []) {
      this.#loss.add(feedback.arrivalsUs);
      this.#reporter.sendTransportFeedback(feedback, this.#mediaSsrc, nowMs);
    }
    const remb = this.#estimator?.takeRemb(nowMs);
    if (remb !== undefined) this.#reporter.sendRemb(remb, nowMs);
    if (this.#limitMs !== undefined && this.#recorder !== undefined && nowMs >= this.#limitMs) this.#tellLimit(nowMs);
  }

  #tellLimit(nowMs: number): void {
    this.#reporter.sendRemb(this.#maxBps === 0 ? NO_LIMIT_BPS : this.#maxBps, nowMs);
    if (this.#maxBps === 0) this.#freeingReports--;
    this.#limitMs = this.#maxBps === 0 && this.#freeingReports <= 0 ? undefined : nowMs + LIMIT_INTERVAL_MS;
  }

  /** With the names of the API. */
  stats(): object {
    const estimateBps = this.#estimator?.estimateBps;
    const loss = this.#loss.value;
    return {
      ...(estimateBps === undefined ? {} : { availableIncomingBitrate: Math.floor(estimateBps) }),
      ...(this.#maxBps === 0 ? {} : { maxIncomingBitrate: this.#maxBps }),
      ...(loss === undefined ? {} : { rtpPacketLossReceived: loss }),
    };
  }
}
