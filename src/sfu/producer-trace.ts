import { HEADER_EXTENSION_URI } from '../protocol/rtp/extensions/header-extension-uris.ts';
import { findStreamName } from '../protocol/rtp/extensions/stream-name.ts';
import { readTransportWideSequenceNumber } from '../protocol/rtp/extensions/transport-wide-sequence-number.ts';
import type { SenderReport } from '../protocol/rtp/rtcp-report.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import type { ProducerPayload } from './producer-payload.ts';
import type { RouterEnvironment } from './router-environment.ts';
import { headerExtensionId, type RtpParameters } from './transports/rtp-parameters.ts';

const TRACE_TYPES = ['rtp', 'keyframe', 'nack', 'pli', 'fir', 'sr'] as const;

/** What producers and consumers can be traced for. */
export type TraceType = (typeof TRACE_TYPES)[number];

/** To us, or to the peer. */
type TraceDirection = 'in' | 'out';

/** Header extensions that traces show; 0 for those not in use. */
interface TracedExtensionIds {
  readonly rid: number;
  readonly rrid: number;
  readonly wide: number;
}

/** Trace events of a producer or consumer: nothing unless control has asked for them. */
export class ProducerTrace {
  readonly #id: string;
  readonly #environment: RouterEnvironment;
  #types: readonly TraceType[] = [];
  /** Packets are traced. */
  isOn = false;

  readonly #mid: string;
  readonly #extensionIds: TracedExtensionIds;

  /** @param rtpParameters tell where in packets the names are */
  constructor(id: string, environment: RouterEnvironment, rtpParameters: RtpParameters) {
    const idOf = (name: 'rid' | 'repairedRid' | 'transportWideSequenceNumber'): number =>
      headerExtensionId(rtpParameters, HEADER_EXTENSION_URI[name]);
    this.#mid = rtpParameters.mid ?? '';
    this.#extensionIds = { rid: idOf('rid'), rrid: idOf('repairedRid'), wide: idOf('transportWideSequenceNumber') };
    this.#id = id;
    this.#environment = environment;
  }

  get types(): readonly TraceType[] {
    return this.#types;
  }

  /** Traces these from now on; unknown ones are left out. */
  enable(types: readonly string[]): void {
    this.#types = TRACE_TYPES.filter((type) => types.includes(type));
    this.isOn = this.#types.includes('rtp') || this.#types.includes('keyframe');
  }

  /** A packet passes; `view` looks at it as it came, or as it is sent. */
  packet(direction: TraceDirection, view: RtpPacketView, payload: ProducerPayload, isRtx: boolean): void {
    const isTraced = this.#types.includes('keyframe') && payload.isKeyFrame;
    const type = isTraced ? 'keyframe' : 'rtp';
    if (isTraced || this.#types.includes('rtp'))
      this.#tell(type, direction, { rtpPacket: this.#dump(view, payload), isRtx });
  }

  /** A key frame is asked for: a viewer asks us, or we ask the sender. */
  keyFrameRequest(direction: TraceDirection, type: 'pli' | 'fir', ssrc: number): void {
    if (this.#types.includes(type)) this.#tell(type, direction, { ssrc });
  }

  nack(direction: TraceDirection): void {
    if (this.#types.includes('nack')) this.#tell('nack', direction, {});
  }

  senderReport(report: SenderReport): void {
    if (!this.#types.includes('sr')) return;
    const { ssrc, ntpSeconds, ntpFraction, rtpTimestamp, packetCount, octetCount } = report;
    const info = { ssrc, ntpSec: ntpSeconds, ntpFrac: ntpFraction, rtpTs: rtpTimestamp, packetCount, octetCount };
    this.#tell('sr', 'in', info);
  }

  #dump(view: RtpPacketView, payload: ProducerPayload): object {
    const { payloadType, sequenceNumber, timestamp, marker, ssrc } = view;
    const { rid, rrid, wide } = this.#extensionIds;
    const [ridName, rridName] = [findStreamName(view, rid) ?? '', findStreamName(view, rrid) ?? ''];
    const wideAt = wide === 0 ? -1 : view.findElement(wide);
    const wideNumber = wideAt < 0 ? undefined : readTransportWideSequenceNumber(view.bytes, wideAt, view.elementBytes);
    return {
      payloadType,
      sequenceNumber,
      timestamp,
      marker,
      ssrc,
      isKeyFrame: payload.isKeyFrame,
      size: view.end - view.start,
      payloadSize: view.payloadBytes,
      spatialLayer: payload.spatialLayer,
      temporalLayer: payload.temporalLayer,
      ...(this.#mid === '' ? {} : { mid: this.#mid }),
      ...(ridName === '' ? {} : { rid: ridName }),
      ...(rridName === '' ? {} : { rrid: rridName }),
      ...(wideNumber === undefined ? {} : { wideSequenceNumber: wideNumber }),
    };
  }

  #tell(type: TraceType, direction: TraceDirection, info: object): void {
    const timestamp = Math.floor(this.#environment.clock.nowMs());
    this.#environment.notify(this.#id, 'trace', { type, timestamp, direction, info });
  }
}
