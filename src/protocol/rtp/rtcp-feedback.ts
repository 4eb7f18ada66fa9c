import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import { diff16 } from '../../wire/sequence-number.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Most sequence numbers taken out of one generic NACK. */
export const MAX_NACKED_PACKETS = 4096;

/** Most entries taken out of one full intra request. */
export const MAX_FIR_ENTRIES = 64;

/** Feedback message types of transport feedback, RTPFB (RFC 4585 §6.2; draft-holmer-rmcat-transport-wide-cc-extensions §3.1). */
export const TRANSPORT_FEEDBACK = { nack: 1, transportWide: 15 } as const;

/** Feedback message types of payload-specific feedback, PSFB (RFC 4585 §6.3, §6.4; RFC 5104 §4.3). */
export const PAYLOAD_FEEDBACK = { pictureLossIndication: 1, fullIntraRequest: 4, applicationLayer: 15 } as const;

const NACK_ENTRY_BYTES = 4;
const NACK_ENTRY_PACKETS = 17;
const FIR_ENTRY_BYTES = 8;

/**
 * RTPFB or PSFB (RFC 4585 §6.1).
 *
 *     SSRC of the sender(32)  SSRC of the media source(32)  feedback control information
 */
export interface RtcpFeedback {
  readonly type: 'transport-feedback' | 'payload-feedback';
  /** 0–31, see `TRANSPORT_FEEDBACK` and `PAYLOAD_FEEDBACK`. */
  readonly messageType: number;
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Whole words. When read, a view of the packet. */
  readonly controlInformation: Uint8Array;
}

/** One entry of a full intra request (RFC 5104 §4.3.1.1). */
export interface FirEntry {
  /** The source asked for a key frame. */
  readonly ssrc: number;
  /** 8 bits; a new one is a new request. */
  readonly sequenceNumber: number;
}

/** Who gives feedback and on whom. */
export interface FeedbackParties {
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** Reads the body of an RTPFB or PSFB, the part behind its header. */
export function parseFeedback(
  type: RtcpFeedback['type'],
  messageType: number,
  body: Uint8Array,
): RtcpFeedback | undefined {
  const reader = new ByteReader(body);
  const senderSsrc = reader.u32();
  const mediaSsrc = reader.u32();
  const controlInformation = reader.view(reader.remaining);
  return reader.overrun ? undefined : { type, messageType, senderSsrc, mediaSsrc, controlInformation };
}

/** @throws StateError `rtcp/too-many` for a message type over 31, `rtcp/bad-value` for half words */
export function writeFeedback(feedback: RtcpFeedback, out: ByteWriter): void {
  const { controlInformation } = feedback;
  if (controlInformation.length % 4 !== 0) {
    throw new StateError('rtcp/bad-value' satisfies RtpErrorCode, `${controlInformation.length} bytes of feedback`);
  }
  writeFeedbackHeader(feedback.type, feedback.messageType, feedback, controlInformation.length, out);
  out.raw(controlInformation);
}

/** How many packets a generic NACK asks for, which is what it costs to answer; `undefined` for other feedback. */
export function nackedPacketCount(feedback: RtcpFeedback): number | undefined {
  const { type, messageType, controlInformation } = feedback;
  if (type !== 'transport-feedback' || messageType !== TRANSPORT_FEEDBACK.nack) return undefined;
  let count = 0;
  for (let at = 0; at + NACK_ENTRY_BYTES <= controlInformation.length; at += NACK_ENTRY_BYTES) {
    count++;
    for (let bits = (controlInformation[at + 2]! << 8) | controlInformation[at + 3]!; bits !== 0; bits &= bits - 1)
      count++;
  }
  return count;
}

/**
 * The sequence numbers a generic NACK asks for (RFC 4585 §6.2.1), in its order; `undefined` for other feedback.
 *
 *     packet identifier(16)  bits of the 16 packets after it(16), the next one lowest
 */
export function readNack(feedback: RtcpFeedback): number[] | undefined {
  if (feedback.type !== 'transport-feedback' || feedback.messageType !== TRANSPORT_FEEDBACK.nack) return undefined;
  const reader = new ByteReader(feedback.controlInformation);
  const sequenceNumbers: number[] = [];
  while (reader.remaining >= NACK_ENTRY_BYTES && sequenceNumbers.length <= MAX_NACKED_PACKETS - NACK_ENTRY_PACKETS) {
    const first = reader.u16();
    sequenceNumbers.push(first);
    for (let bits = reader.u16(), next = first + 1; bits !== 0; bits >>>= 1, next++) {
      if ((bits & 1) === 1) sequenceNumbers.push(next & 0xffff);
    }
  }
  return sequenceNumbers;
}

/**
 * Writes a generic NACK. Numbers that follow within 16 of an entry's first share it when they come in ascending order.
 * @throws StateError `rtcp/too-many` when they need more than one packet can hold
 */
export function writeNack(parties: FeedbackParties, sequenceNumbers: readonly number[], out: ByteWriter): void {
  const entries: { readonly first: number; bits: number }[] = [];
  let last = 0;
  for (const sequenceNumber of sequenceNumbers) {
    const entry = entries[entries.length - 1];
    const ahead = entry === undefined ? 0 : diff16(sequenceNumber, entry.first);
    if (entry !== undefined && ahead <= 16 && ahead > last) entry.bits |= 1 << (ahead - 1);
    else entries.push({ first: sequenceNumber & 0xffff, bits: 0 });
    last = entry === entries[entries.length - 1] ? ahead : 0;
  }
  const { nack } = TRANSPORT_FEEDBACK;
  writeFeedbackHeader('transport-feedback', nack, parties, NACK_ENTRY_BYTES * entries.length, out);
  for (const { first, bits } of entries) out.u16(first).u16(bits);
}

/** Whether it says that a picture was lost, PLI (RFC 4585 §6.3.1). */
export function isPictureLossIndication(feedback: RtcpFeedback): boolean {
  return feedback.type === 'payload-feedback' && feedback.messageType === PAYLOAD_FEEDBACK.pictureLossIndication;
}

/** Writes a PLI. */
export function writePictureLossIndication(parties: FeedbackParties, out: ByteWriter): void {
  writeFeedbackHeader('payload-feedback', PAYLOAD_FEEDBACK.pictureLossIndication, parties, 0, out);
}

/**
 * The entries of a full intra request, FIR (RFC 5104 §4.3.1); `undefined` for other feedback.
 *
 *     SSRC(32)  sequence number(8)  reserved(24)
 */
export function readFullIntraRequest(feedback: RtcpFeedback): FirEntry[] | undefined {
  const isFir = feedback.type === 'payload-feedback' && feedback.messageType === PAYLOAD_FEEDBACK.fullIntraRequest;
  if (!isFir) return undefined;
  const reader = new ByteReader(feedback.controlInformation);
  const entries: FirEntry[] = [];
  while (reader.remaining >= FIR_ENTRY_BYTES && entries.length < MAX_FIR_ENTRIES) {
    entries.push({ ssrc: reader.u32(), sequenceNumber: reader.u8() });
    reader.skip(3);
  }
  return entries;
}

/**
 * Writes an FIR; the media source of its header is 0, as RFC 5104 §4.3.1.2 wants it.
 * @throws StateError `rtcp/too-many`
 */
export function writeFullIntraRequest(senderSsrc: number, entries: readonly FirEntry[], out: ByteWriter): void {
  const parties = { senderSsrc, mediaSsrc: 0 };
  const { fullIntraRequest } = PAYLOAD_FEEDBACK;
  writeFeedbackHeader('payload-feedback', fullIntraRequest, parties, FIR_ENTRY_BYTES * entries.length, out);
  for (const { ssrc, sequenceNumber } of entries) out.u32(ssrc).u8(sequenceNumber).u24(0);
}

/** Header and parties of feedback whose control information, `informationBytes` in whole words, is written next. */
export function writeFeedbackHeader(
  type: RtcpFeedback['type'],
  messageType: number,
  parties: FeedbackParties,
  informationBytes: number,
  out: ByteWriter,
): void {
  const packetType = type === 'transport-feedback' ? RTCP_TYPE.transportFeedback : RTCP_TYPE.payloadFeedback;
  writeRtcpHeader(out, packetType, messageType, 8 + informationBytes);
  out.u32(parties.senderSsrc).u32(parties.mediaSsrc);
}
