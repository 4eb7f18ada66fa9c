/** What the fuzz targets of RTP payload formats have in common. */
import type { Track } from '../../src/codec/track.ts';
import { type DepacketizedUnit, MAX_UNIT_SIZE, type RtpPayload } from '../../src/protocol/rtp/payload/depacketizer.ts';
import type { PayloadFormat, RtpMapping } from '../../src/protocol/rtp/payload/payload-format.ts';
import { ByteReader } from '../../src/wire/byte-reader.ts';
import { packetize } from '../rtp-payload-test-kit.ts';
import { expectSameBytes } from './expect-same.ts';

/** One DIF block of DV, the largest thing that must not be cut. */
const SMALLEST_PAYLOAD = 80;

/** Packets out of any bytes: `flags(8) size(16) payload` each; flags: 1 marker, 2 after a loss, the rest a time step. */
export function readPackets(reader: ByteReader): RtpPayload[] {
  const packets: RtpPayload[] = [];
  let timestamp = 0xffff_ff00;
  while (reader.remaining >= 3) {
    const flags = reader.u8();
    const size = Math.min(reader.u16(), reader.remaining);
    timestamp = (timestamp + (flags >>> 2) * 900) >>> 0;
    packets.push({
      payload: reader.view(size),
      timestamp,
      marker: (flags & 1) !== 0,
      afterLoss: (flags & 2) !== 0,
    });
  }
  return packets;
}

/** What a format does that others don't. */
export interface PayloadFormatTraits {
  /** Headers are made anew, so that units are not the same bytes again. */
  readonly rebuildsHeaders?: boolean;
  /** Key frames get the configuration put in, whoever asks. */
  readonly insertsConfig?: boolean;
}

/**
 * Any bytes as packets of each mapping: units are bounded, their configuration makes a track that has a mapping again,
 * and each, sent and received again, is the same or dropped.
 */
export function runPayloadFormat(
  format: PayloadFormat,
  mappings: readonly RtpMapping[],
  bytes: Uint8Array,
  traits: PayloadFormatTraits = {},
): void {
  const reader = new ByteReader(bytes);
  const first = reader.u8();
  const mapping = mappings[first % mappings.length]!;
  const maxPayloadSize = SMALLEST_PAYLOAD + first * 3;
  let track = format.toTrack(mapping, 0);
  if (track === undefined) throw new RangeError('a mapping of the test makes no track');
  const depacketizer = format.makeDepacketizer(mapping);
  for (const packet of readPackets(reader)) {
    for (const unit of depacketizer.receive(packet)) {
      if (unit.payload.length > MAX_UNIT_SIZE || unit.payload.length === 0)
        throw new RangeError('unit of a wrong size');
      if (unit.config !== undefined) track = { ...track, config: unit.config };
      checkAgain(format, track, unit, maxPayloadSize, traits);
    }
  }
}

function checkAgain(
  format: PayloadFormat,
  track: Track,
  unit: DepacketizedUnit,
  maxPayloadSize: number,
  traits: PayloadFormatTraits,
): void {
  const mapping = format.toMapping(track, 96);
  if (mapping === undefined) return;
  const packetizer = format.makePacketizer(traits.insertsConfig ? { ...track, config: new Uint8Array(0) } : track);
  const packets = packetize(packetizer, [unit], { maxPayloadSize });
  const depacketizer = format.makeDepacketizer(mapping);
  const end: RtpPayload = { payload: Uint8Array.of(0), timestamp: 1, marker: false, afterLoss: false };
  const again = [...packets, end].flatMap((packet) => depacketizer.receive(packet));
  if (again.length > 1) throw new RangeError('one unit became several');
  if (!traits.rebuildsHeaders && again[0] !== undefined)
    expectSameBytes(again[0].payload, unit.payload, 'a unit sent again');
}
