import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { type FeedbackParties, PAYLOAD_FEEDBACK, type RtcpFeedback, writeFeedbackHeader } from './rtcp-feedback.ts';

/** `REMB` in ASCII. */
const IDENTIFIER = 0x5245_4d42;
const MAX_MANTISSA = 0x3ffff;
/** What the field has room for is 2^81; numbers of JavaScript stay exact, and sums of them finite, up to here. */
const MAX_BITRATE_BPS: number = Number.MAX_SAFE_INTEGER;

/** How much a receiver believes that can be sent to it, REMB (draft-alvestrand-rmcat-remb §2.2). */
export interface ReceiverEstimatedBitrate {
  /** Of all the streams together, bits a second. */
  readonly bitrateBps: number;
  /** The streams it is for, 255 at most. */
  readonly ssrcs: readonly number[];
}

/**
 * What a REMB tells; `undefined` for other feedback, or when a length does not fit.
 *
 *     'REMB'(32)  count(8) exponent(6) mantissa(18)  SSRC(32) × count
 */
export function readReceiverEstimatedBitrate(feedback: RtcpFeedback): ReceiverEstimatedBitrate | undefined {
  const { type, messageType, controlInformation } = feedback;
  if (type !== 'payload-feedback' || messageType !== PAYLOAD_FEEDBACK.applicationLayer) return undefined;
  const reader = new ByteReader(controlInformation);
  if (reader.u32() !== IDENTIFIER) return undefined;
  const count = reader.u8();
  const scaled = reader.u24();
  const ssrcs = Array.from({ length: Math.min(count, reader.remaining >>> 2) }, () => reader.u32());
  if (reader.overrun || ssrcs.length < count) return undefined;
  const bitrateBps = Math.min((scaled & MAX_MANTISSA) * 2 ** (scaled >>> 18), MAX_BITRATE_BPS);
  return { bitrateBps, ssrcs };
}

/**
 * Writes a REMB. The bitrate is rounded down to 18 significant bits.
 * @throws StateError `rtcp/too-many` when there are more SSRCs than one packet has room for
 */
export function writeReceiverEstimatedBitrate(
  senderSsrc: number,
  estimate: ReceiverEstimatedBitrate,
  out: ByteWriter,
): void {
  const parties: FeedbackParties = { senderSsrc, mediaSsrc: 0 };
  const { ssrcs } = estimate;
  writeFeedbackHeader('payload-feedback', PAYLOAD_FEEDBACK.applicationLayer, parties, 8 + 4 * ssrcs.length, out);
  let mantissa = Math.max(0, Math.min(estimate.bitrateBps, MAX_BITRATE_BPS));
  let exponent = 0;
  while (mantissa > MAX_MANTISSA) {
    mantissa /= 2;
    exponent++;
  }
  out
    .u32(IDENTIFIER)
    .u8(ssrcs.length)
    .u24((exponent << 18) | Math.floor(mantissa));
  for (const ssrc of ssrcs) out.u32(ssrc);
}
