import {
  MAX_NACKED_PACKETS,
  readFullIntraRequest,
  readNack,
  writeFullIntraRequest,
  writeNack,
} from '../../src/protocol/rtp/rtcp-feedback.ts';
import { MAX_COMPOUND_PACKETS, parseRtcp, type RtcpPacket, writeRtcp } from '../../src/protocol/rtp/rtcp-packet.ts';
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
    if (packet.type === 'transport-feedback') checkNack(readNack(packet));
    else if (packet.type === 'payload-feedback') {
      const entries = readFullIntraRequest(packet);
      if (entries !== undefined) writeFullIntraRequest(1, entries, new ByteWriter());
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
