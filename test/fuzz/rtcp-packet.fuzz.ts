import {
  MAX_NACKED_PACKETS,
  readFullIntraRequest,
  readNack,
  writeFullIntraRequest,
  writeNack,
} from '../../src/protocol/rtp/rtcp-feedback.ts';
import { MAX_COMPOUND_PACKETS, parseRtcp, type RtcpPacket, writeRtcp } from '../../src/protocol/rtp/rtcp-packet.ts';
import {
  type ReceiverEstimatedBitrate,
  readReceiverEstimatedBitrate,
  writeReceiverEstimatedBitrate,
} from '../../src/protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
import {
  MAX_TRANSPORT_WIDE_PACKETS,
  readTransportWideFeedback,
  type TransportWideFeedback,
  writeTransportWideFeedback,
} from '../../src/protocol/rtp/rtcp-transport-wide-feedback.ts';
import { ByteWriter } from '../../src/wire/byte-writer.ts';

export const name = 'rtcp-packet';

/** A compound RTCP packet: what is read can be written, and reads as the same again. */
export function run(bytes: Uint8Array): void {
  const strict = parseRtcp(bytes);
  const { packets, skipped } = parseRtcp(bytes, { reducedSize: true });
  if (packets.length + skipped > MAX_COMPOUND_PACKETS) throw new RangeError('more packets than the limit');
  if (strict.packets.length > packets.length) throw new RangeError('strict reading found more');
  for (const packet of packets) {
    const out = new ByteWriter();
    if (!isWritable(packet)) continue;
    writeRtcp(packet, out);
    const again = parseRtcp(out.finish(), { reducedSize: true });
    if (again.isMalformed || JSON.stringify(again.packets) !== JSON.stringify([packet])) {
      throw new RangeError(`a ${packet.type} changed in writing`);
    }
    if (packet.type === 'transport-feedback') {
      checkNack(readNack(packet));
      checkArrivals(readTransportWideFeedback(packet));
    } else if (packet.type === 'payload-feedback') {
      const entries = readFullIntraRequest(packet);
      if (entries !== undefined) writeFullIntraRequest(1, entries, new ByteWriter());
      checkBitrate(readReceiverEstimatedBitrate(packet));
    }
  }
}

/** False where a text was no UTF-8 and has become too long. */
function isWritable(packet: RtcpPacket): boolean {
  if (packet.type === 'goodbye') return fits(packet.reason ?? '');
  if (packet.type !== 'source-description') return true;
  return packet.chunks.every(({ items }) => items.every(({ text }) => fits(text)));
}

function fits(text: string): boolean {
  return new TextEncoder().encode(text).length <= 255;
}

function checkNack(sequenceNumbers: readonly number[] | undefined): void {
  if (sequenceNumbers === undefined) return;
  if (sequenceNumbers.length > MAX_NACKED_PACKETS) throw new RangeError('more numbers than the limit');
  const out = new ByteWriter();
  writeNack({ senderSsrc: 1, mediaSsrc: 2 }, sequenceNumbers, out);
  const again = readNack(parseRtcp(out.finish(), { reducedSize: true }).packets[0] as never);
  if (again?.join() !== sequenceNumbers.join()) throw new RangeError('a NACK changed in writing');
}

function checkArrivals(feedback: TransportWideFeedback | undefined): void {
  if (feedback?.arrivalsUs.every((arrivalUs) => arrivalUs === undefined) !== false) return;
  if (feedback.arrivalsUs.length > MAX_TRANSPORT_WIDE_PACKETS) throw new RangeError('more packets than the limit');
  const out = new ByteWriter();
  writeTransportWideFeedback({ senderSsrc: 1, mediaSsrc: 2 }, feedback, out);
  const again = readTransportWideFeedback(parseRtcp(out.finish(), { reducedSize: true }).packets[0] as never);
  if (again === undefined) throw new RangeError('transport-wide feedback is not read again');
  // The clock may have wrapped inside, and the first delta may have been negative.
  const differences = (list: TransportWideFeedback['arrivalsUs']): string => {
    const first = list.find((arrivalUs) => arrivalUs !== undefined)!;
    return list.map((arrivalUs) => arrivalUs && arrivalUs - first).join();
  };
  if (differences(again.arrivalsUs) !== differences(feedback.arrivalsUs))
    throw new RangeError('arrivals changed in writing');
}

function checkBitrate(estimate: ReceiverEstimatedBitrate | undefined): void {
  if (estimate === undefined) return;
  const out = new ByteWriter();
  writeReceiverEstimatedBitrate(1, estimate, out);
  const again = readReceiverEstimatedBitrate(parseRtcp(out.finish(), { reducedSize: true }).packets[0] as never);
  if (again === undefined || again.bitrateBps > estimate.bitrateBps) throw new RangeError('a REMB changed in writing');
}
