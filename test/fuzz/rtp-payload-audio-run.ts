/** What the fuzz targets of RTP payload formats of sound have in common. */
import type { Track } from '../../src/codec/track.ts';
import { type DepacketizedUnit, MAX_UNIT_SIZE, type RtpPayload } from '../../src/protocol/rtp/payload/depacketizer.ts';
import type { PayloadFormat, RtpMapping } from '../../src/protocol/rtp/payload/payload-format.ts';
import { ByteReader } from '../../src/wire/byte-reader.ts';
import { packetize } from '../rtp-payload-test-kit.ts';
import { expectSameBytes } from './expect-same.ts';
import { readPackets } from './rtp-payload-run.ts';

const SMALLEST_PAYLOAD = 40;

/** One format with a mapping of another side. */
export type AudioCase = readonly [format: PayloadFormat, mapping: RtpMapping];

/**
 * What comes of a unit that is sent and received again: `same` the unit, or nothing where it was in parts and the first
 * one might have been the end of another; `joined` units that are its bytes together; `any` something else, as where
 * parts get headers of their own.
 */
export type Again = 'same' | 'joined' | 'any';

/** Any bytes as packets of one of the mappings: units are bounded, and each, sent and received again, is what `again` says. */
export function runAudioFormat(cases: readonly AudioCase[], bytes: Uint8Array, again: Again): void {
  const reader = new ByteReader(bytes);
  const first = reader.u8();
  const [format, mapping] = cases[first % cases.length]!;
  let track = format.toTrack(mapping, 0);
  if (track === undefined) throw new RangeError('a mapping of the test makes no track');
  const depacketizer = format.makeDepacketizer(mapping);
  for (const packet of readPackets(reader)) {
    for (const unit of depacketizer.receive(packet)) {
      if (unit.payload.length > MAX_UNIT_SIZE || unit.payload.length === 0)
        throw new RangeError('unit of a wrong size');
      if (unit.config !== undefined) track = { ...track, config: unit.config };
      checkAgain(format, track, unit, SMALLEST_PAYLOAD + first * 3, again);
    }
  }
}

function checkAgain(
  format: PayloadFormat,
  track: Track,
  unit: DepacketizedUnit,
  maxPayloadSize: number,
  again: Again,
): void {
  const mapping = format.toMapping(track, 96);
  if (mapping === undefined) return;
  const packets = packetize(format.makePacketizer(track), [unit], { maxPayloadSize });
  const depacketizer = format.makeDepacketizer(mapping);
  const end: RtpPayload = { payload: new Uint8Array(0), timestamp: 1, marker: false, afterLoss: false };
  const units = [...packets, end].flatMap((packet) => depacketizer.receive(packet));
  if (again === 'same' && units.length > 1) throw new RangeError('one unit became several');
  if (again === 'any' || units.length === 0) return;
  const joined = new Uint8Array(Buffer.concat(units.map((one) => one.payload)));
  expectSameBytes(joined, unit.payload, 'a unit sent again');
}
