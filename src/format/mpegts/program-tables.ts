import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { crc32Mpeg } from './crc32-mpeg.ts';
import { DescriptorTag } from './stream-types.tables.ts';

/** Longest PAT or PMT section: section_length of at most 1021 and the three bytes before it. */
export const MAX_SECTION_SIZE_BYTES = 1024;

const TABLE_ID_PAT = 0;
const TABLE_ID_PMT = 2;
const CRC_SIZE = 4;
/** table_id to last_section_number. */
const SECTION_HEADER_SIZE = 8;

/** One entry of a program association table. */
export interface ProgramAssociation {
  readonly programNumber: number;
  readonly pmtPid: number;
}

/** One elementary stream of a program map table. */
export interface ElementaryStream {
  readonly pid: number;
  readonly streamType: number;
  /** The descriptors as they stand in the table. */
  readonly descriptors: Uint8Array;
}

/** TS_program_map_section (ISO/IEC 13818-1 §2.4.4.8). */
export interface ProgramMap {
  readonly programNumber: number;
  /** 0–31, one up (modulo 32) with each change. */
  readonly version: number;
  readonly pcrPid: number;
  readonly streams: readonly ElementaryStream[];
}

/**
 * ```
 * | table_id (8) | 1 0 11 length (12) | id (16) | 11 version (5) current (1) | section (8) | last (8) | body … | CRC (32) |
 * ```
 */
function writeSection(tableId: number, id: number, version: number, body: Uint8Array): Uint8Array {
  const size = SECTION_HEADER_SIZE + body.length + CRC_SIZE;
  const section = new Uint8Array(size);
  section[0] = tableId;
  section[1] = 0xb0 | ((size - 3) >>> 8);
  section[2] = size - 3;
  section[3] = id >>> 8;
  section[4] = id;
  section[5] = 0xc0 | (version << 1) | 1;
  section.set(body, SECTION_HEADER_SIZE);
  const crc = crc32Mpeg(section, 0, size - CRC_SIZE);
  section[size - 4] = crc >>> 24;
  section[size - 3] = crc >>> 16;
  section[size - 2] = crc >>> 8;
  section[size - 1] = crc;
  return section;
}

/** A PAT section (ISO/IEC 13818-1 §2.4.4.3) with its CRC. */
export function writeProgramAssociationSection(
  transportStreamId: number,
  programs: readonly ProgramAssociation[],
): Uint8Array {
  const body = new ByteWriter(4 * programs.length);
  for (const program of programs) body.u16(program.programNumber).u16(0xe000 | program.pmtPid);
  return writeSection(TABLE_ID_PAT, transportStreamId, 0, body.finish());
}

/** A PMT section with its CRC. The caller keeps it within `MAX_SECTION_SIZE_BYTES`. */
export function writeProgramMapSection(map: ProgramMap): Uint8Array {
  const body = new ByteWriter(64);
  body.u16(0xe000 | map.pcrPid).u16(0xf000);
  for (const stream of map.streams) {
    body.u8(stream.streamType).u16(0xe000 | stream.pid);
    body.u16(0xf000 | stream.descriptors.length).raw(stream.descriptors);
  }
  return writeSection(TABLE_ID_PMT, map.programNumber, map.version, body.finish());
}

/** Size of a section from its first three bytes, CRC included. */
export function sectionSize(bytes: Uint8Array): number {
  return 3 + (((bytes[1]! & 0x0f) << 8) | bytes[2]!);
}

function sectionBody(section: Uint8Array, tableId: number): ByteReader | undefined {
  if (section.length < SECTION_HEADER_SIZE + CRC_SIZE || section[0] !== tableId) return undefined;
  // Sections of tables that come into force later (current_next_indicator 0) are not for now.
  if ((section[1]! & 0x80) === 0 || (section[5]! & 1) === 0) return undefined;
  return new ByteReader(section, SECTION_HEADER_SIZE, section.length - CRC_SIZE);
}

/** Programs of a whole PAT section whose CRC was checked; `undefined` when it is no current PAT. */
export function parseProgramAssociationSection(section: Uint8Array): readonly ProgramAssociation[] | undefined {
  const reader = sectionBody(section, TABLE_ID_PAT);
  if (reader === undefined) return undefined;
  const programs: ProgramAssociation[] = [];
  while (reader.remaining >= 4) {
    const programNumber = reader.u16();
    const pmtPid = reader.u16() & 0x1fff;
    // Program 0 names the network information table.
    if (programNumber !== 0) programs.push({ programNumber, pmtPid });
  }
  return programs;
}

/** A whole PMT section whose CRC was checked; `undefined` when it is no current PMT or its lengths do not add up. */
export function parseProgramMapSection(section: Uint8Array): ProgramMap | undefined {
  const reader = sectionBody(section, TABLE_ID_PMT);
  if (reader === undefined) return undefined;
  const pcrPid = reader.u16() & 0x1fff;
  reader.skip(reader.u16() & 0x0fff);
  const streams: ElementaryStream[] = [];
  while (reader.remaining > 0) {
    const streamType = reader.u8();
    const pid = reader.u16() & 0x1fff;
    const descriptors = reader.view(reader.u16() & 0x0fff);
    if (reader.overrun) return undefined;
    streams.push({ pid, streamType, descriptors: descriptors.slice() });
  }
  if (reader.overrun) return undefined;
  return {
    programNumber: (section[3]! << 8) | section[4]!,
    version: (section[5]! >>> 1) & 0x1f,
    pcrPid,
    streams,
  };
}

/** The body of the first descriptor with this tag, a view; `undefined` when there is none. */
export function findDescriptor(descriptors: Uint8Array, tag: number): Uint8Array | undefined {
  const reader = new ByteReader(descriptors);
  while (reader.remaining >= 2) {
    const found = reader.u8();
    const body = reader.view(reader.u8());
    if (reader.overrun) return undefined;
    if (found === tag) return body;
  }
  return undefined;
}

/** format_identifier of the registration descriptor, 0 without one. */
export function registrationOf(descriptors: Uint8Array): number {
  const body = findDescriptor(descriptors, DescriptorTag.registration);
  return body === undefined ? 0 : new ByteReader(body).u32();
}
