import type { NtpTime } from '../../wire/ntp-time.ts';
import type { SenderReport } from './rtcp-report.ts';

/** What one source has sent, as its sender reports tell it (RFC 3550 §6.4.1). */
export class SenderStatistics {
  readonly ssrc: number;
  #packets = 0;
  #payloadBytes = 0;

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }

  /** Packets sent. */
  get packets(): number {
    return this.#packets;
  }

  /** Bytes sent in them, without headers and padding. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Counts packets that were sent. */
  sent(packets: number, payloadBytes: number): void {
    this.#packets += packets;
    this.#payloadBytes += payloadBytes;
  }

  /**
   * A report for now.
   * @param rtpTimestamp what the media clock says at `now`, 32 bits; not the timestamp of the newest packet
   */
  report(now: NtpTime, rtpTimestamp: number): SenderReport {
    return {
      type: 'sender-report',
      ssrc: this.ssrc,
      ntpSeconds: now.ntpSeconds,
      ntpFraction: now.ntpFraction,
      rtpTimestamp: rtpTimestamp >>> 0,
      packetCount: this.#packets % 2 ** 32,
      octetCount: this.#payloadBytes % 2 ** 32,
      reports: [],
    };
  }
}
