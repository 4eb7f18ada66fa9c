import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import { type FeedbackParties, type RtcpFeedback, TRANSPORT_FEEDBACK, writeFeedbackHeader } from './rtcp-feedback.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Most packets one feedback is read or written for. */
export const MAX_TRANSPORT_WIDE_PACKETS = 8192;

/** The receiver's clock counts in these; all times are rounded to them. */
export const TRANSPORT_WIDE_TICK_US = 250;

const TICKS_PER_REFERENCE = 256;
/** Reference time wraps after so many ticks: 24 bits of 64 ms. */
const REFERENCE_WRAP = 0x100_0000;
const HEADER_BYTES = 8;

const NOT_RECEIVED = 0;
const SMALL_DELTA = 1;
const LARGE_DELTA = 2;
const MAX_SMALL_DELTA = 0xff;
const MIN_LARGE_DELTA = -0x8000;
const MAX_LARGE_DELTA = 0x7fff;

const MAX_RUN = 0x1fff;
const ONE_BIT_SYMBOLS = 14;
const TWO_BIT_SYMBOLS = 7;

/** When the packets with consecutive transport-wide sequence numbers arrived. */
export interface TransportWideFeedback {
  /** Transport-wide number of the first packet, 16 bits. */
  readonly baseSequenceNumber: number;
  /** 8 bits; grows by one with each feedback, so that lost ones are seen. */
  readonly feedbackCount: number;
  /**
   * Arrival of each packet from the first on by the receiver's clock, µs, whole ticks; undefined when it did not arrive.
   * The clock wraps after 2^24 × 64 ms; when written, any that does not is taken.
   */
  readonly arrivalsUs: readonly (number | undefined)[];
}

/** How many packets transport-wide feedback tells of, which is what it costs to read; `undefined` for other feedback. */
export function transportWidePacketCount(feedback: RtcpFeedback): number | undefined {
  const { type, messageType, controlInformation } = feedback;
  if (type !== 'transport-feedback' || messageType !== TRANSPORT_FEEDBACK.transportWide) return undefined;
  return controlInformation.length < HEADER_BYTES ? 0 : (controlInformation[2]! << 8) | controlInformation[3]!;
}

/**
 * What transport-wide congestion control feedback tells (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1);
 * `undefined` for other feedback, and when it does not fit, or tells of nothing or of too many packets.
 *
 *     base sequence number(16)  packet status count(16)
 *     reference time(24), 64 ms  feedback packet count(8)
 *     packet chunks(16 each)  receive deltas(8 or 16 each), 250 µs  padding
 */
export function readTransportWideFeedback(feedback: RtcpFeedback): TransportWideFeedback | undefined {
  const { type, messageType, controlInformation } = feedback;
  if (type !== 'transport-feedback' || messageType !== TRANSPORT_FEEDBACK.transportWide) return undefined;
  const reader = new ByteReader(controlInformation);
  const baseSequenceNumber = reader.u16();
  const count = reader.u16();
  let tick = reader.u24() * TICKS_PER_REFERENCE;
  const feedbackCount = reader.u8();
  if (reader.overrun || count === 0 || count > MAX_TRANSPORT_WIDE_PACKETS) return undefined;
  const symbols = readSymbols(reader, count);
  const arrivalsUs: (number | undefined)[] = [];
  for (const symbol of symbols) {
    if (symbol === NOT_RECEIVED) {
      arrivalsUs.push(undefined);
      continue;
    }
    tick += symbol === SMALL_DELTA ? reader.u8() : reader.i16();
    arrivalsUs.push(tick * TRANSPORT_WIDE_TICK_US);
  }
  if (reader.overrun || symbols.length < count || symbols.includes(3)) return undefined;
  return { baseSequenceNumber, feedbackCount, arrivalsUs };
}

/** The status of each packet: less than `count` when chunks are missing. */
function readSymbols(reader: ByteReader, count: number): number[] {
  const symbols: number[] = [];
  while (symbols.length < count && reader.remaining >= 2) {
    const chunk = reader.u16();
    if ((chunk & 0x8000) === 0) {
      const end = Math.min(symbols.length + (chunk & MAX_RUN), count);
      // A run of nothing would be read for ever.
      if (end === symbols.length) break;
      while (symbols.length < end) symbols.push((chunk >>> 13) & 3);
      continue;
    }
    const bits = (chunk & 0x4000) === 0 ? 1 : 2;
    for (let shift = 14 - bits; shift >= 0 && symbols.length < count; shift -= bits) {
      symbols.push((chunk >>> shift) & (bits === 1 ? 1 : 3));
    }
  }
  return symbols;
}

/**
 * Writes transport-wide feedback.
 * @throws StateError `rtcp/too-many` for more than `MAX_TRANSPORT_WIDE_PACKETS`; `rtcp/bad-value` when no packet
 *   arrived, or two that follow each other did more than 8.19 s apart: those need a feedback each
 */
export function writeTransportWideFeedback(
  parties: FeedbackParties,
  feedback: TransportWideFeedback,
  out: ByteWriter,
): void {
  const { arrivalsUs } = feedback;
  if (arrivalsUs.length > MAX_TRANSPORT_WIDE_PACKETS) throw refusal('rtcp/too-many', `${arrivalsUs.length} packets`);
  const first = arrivalsUs.find((arrivalUs) => arrivalUs !== undefined);
  if (first === undefined) throw refusal('rtcp/bad-value', 'feedback on packets none of which arrived');
  const reference = Math.floor(Math.round(first / TRANSPORT_WIDE_TICK_US) / TICKS_PER_REFERENCE);
  const { symbols, deltas } = deltasOf(arrivalsUs, reference * TICKS_PER_REFERENCE);
  const chunks = chunksOf(symbols);
  let deltaBytes = 0;
  for (const symbol of symbols) deltaBytes += symbol;
  const usedBytes = HEADER_BYTES + 2 * chunks.length + deltaBytes;
  const sizeBytes = 4 * Math.ceil(usedBytes / 4);
  writeFeedbackHeader('transport-feedback', TRANSPORT_FEEDBACK.transportWide, parties, sizeBytes, out);
  out.u16(feedback.baseSequenceNumber).u16(arrivalsUs.length);
  out.u24(((reference % REFERENCE_WRAP) + REFERENCE_WRAP) % REFERENCE_WRAP).u8(feedback.feedbackCount);
  for (const chunk of chunks) out.u16(chunk);
  let next = 0;
  for (const symbol of symbols) {
    if (symbol === SMALL_DELTA) out.u8(deltas[next++]!);
    else if (symbol === LARGE_DELTA) out.u16(deltas[next++]!);
  }
  for (let i = usedBytes; i < sizeBytes; i++) out.u8(0);
}

function deltasOf(
  arrivalsUs: readonly (number | undefined)[],
  referenceTick: number,
): { readonly symbols: number[]; readonly deltas: number[] } {
  const deltas: number[] = [];
  let tick = referenceTick;
  const symbols = arrivalsUs.map((arrivalUs) => {
    if (arrivalUs === undefined) return NOT_RECEIVED;
    const arrivalTick = Math.round(arrivalUs / TRANSPORT_WIDE_TICK_US);
    const delta = arrivalTick - tick;
    if (delta < MIN_LARGE_DELTA || delta > MAX_LARGE_DELTA) {
      throw refusal('rtcp/bad-value', `packets that arrived ${delta * TRANSPORT_WIDE_TICK_US} µs apart`);
    }
    tick = arrivalTick;
    deltas.push(delta);
    return delta >= 0 && delta <= MAX_SMALL_DELTA ? SMALL_DELTA : LARGE_DELTA;
  });
  return { symbols, deltas };
}

/** Runs where they say more than a vector would, else vectors of as many symbols as fit. */
function chunksOf(symbols: readonly number[]): number[] {
  const chunks: number[] = [];
  let at = 0;
  while (at < symbols.length) {
    const symbol = symbols[at]!;
    let run = 1;
    while (run < MAX_RUN && symbols[at + run] === symbol) run++;
    const next = symbols.slice(at, at + ONE_BIT_SYMBOLS);
    const isOneBit = !next.includes(LARGE_DELTA);
    if (run >= (isOneBit ? ONE_BIT_SYMBOLS : TWO_BIT_SYMBOLS) || at + run === symbols.length) {
      chunks.push((symbol << 13) | run);
      at += run;
      continue;
    }
    const bits = isOneBit ? 1 : 2;
    const capacity = isOneBit ? ONE_BIT_SYMBOLS : TWO_BIT_SYMBOLS;
    let chunk = isOneBit ? 0x8000 : 0xc000;
    for (let i = 0; i < capacity; i++) chunk |= (next[i] ?? NOT_RECEIVED) << (14 - bits * (i + 1));
    chunks.push(chunk);
    at += capacity;
  }
  return chunks;
}

function refusal(code: RtpErrorCode, message: string): StateError {
  return new StateError(code, message);
}
