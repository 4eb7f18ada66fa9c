import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32Mpeg } from './crc32-mpeg.ts';
import {
  findDescriptor,
  parseProgramAssociationSection,
  parseProgramMapSection,
  registrationOf,
  sectionSize,
  writeProgramAssociationSection,
  writeProgramMapSection,
} from './program-tables.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Sections as ffmpeg 5.1 writes them. */
const FFMPEG_PAT = bytes('00b00d0001c100000001f0002ab104b2');
const FFMPEG_PMT = bytes('02b0170001c10000e100f0001be100f0000fe101f0002f44b99b');

describe('crc32Mpeg', () => {
  it.each([FFMPEG_PAT, FFMPEG_PMT])('is zero over a whole section', (section) => {
    expect(crc32Mpeg(section)).toBe(0);
  });

  it('has the check value of CRC-32/MPEG-2', () => {
    expect(crc32Mpeg(new TextEncoder().encode('123456789'))).toBe(0x0376e6e7);
  });
});

describe('program association table', () => {
  it('is what ffmpeg writes', () => {
    expect(writeProgramAssociationSection(1, [{ programNumber: 1, pmtPid: 0x1000 }])).toEqual(FFMPEG_PAT);
    expect(parseProgramAssociationSection(FFMPEG_PAT)).toEqual([{ programNumber: 1, pmtPid: 0x1000 }]);
  });

  it('has no program 0 for its reader', () => {
    const section = writeProgramAssociationSection(1, [
      { programNumber: 0, pmtPid: 16 },
      { programNumber: 7, pmtPid: 0x99 },
    ]);
    expect(parseProgramAssociationSection(section)).toEqual([{ programNumber: 7, pmtPid: 0x99 }]);
  });
});

describe('program map table', () => {
  it('is what ffmpeg writes', () => {
    const none = new Uint8Array(0);
    const map = {
      programNumber: 1,
      version: 0,
      pcrPid: 0x100,
      streams: [
        { pid: 0x100, streamType: 0x1b, descriptors: none },
        { pid: 0x101, streamType: 0x0f, descriptors: none },
      ],
    };
    expect(writeProgramMapSection(map)).toEqual(FFMPEG_PMT);
    expect(parseProgramMapSection(FFMPEG_PMT)).toEqual(map);
  });

  it('is read back as written', () => {
    const stream = fc.record({
      pid: fc.nat(0x1fff),
      streamType: fc.nat(255),
      descriptors: fc.uint8Array({ maxLength: 20 }),
    });
    const map = fc.record({
      programNumber: fc.nat(0xffff),
      version: fc.nat(31),
      pcrPid: fc.nat(0x1fff),
      streams: fc.array(stream, { maxLength: 8 }),
    });
    fc.assert(
      fc.property(map, (input) => {
        const section = writeProgramMapSection(input);
        expect(sectionSize(section)).toBe(section.length);
        expect(crc32Mpeg(section)).toBe(0);
        expect(parseProgramMapSection(section)).toEqual(input);
      }),
    );
  });

  it.each([
    ['another table', FFMPEG_PAT],
    ['a table for later', Uint8Array.from(FFMPEG_PMT, (byte, i) => (i === 5 ? byte & 0xfe : byte))],
    ['descriptors past the end', Uint8Array.from(FFMPEG_PMT, (byte, i) => (i === 16 ? 0xff : byte))],
    ['a few bytes', FFMPEG_PMT.subarray(0, 9)],
  ])('refuses %s', (_, section) => {
    expect(parseProgramMapSection(section)).toBeUndefined();
  });
});

describe('descriptors', () => {
  it('are found by tag, first one first', () => {
    const list = bytes('0a04656e6700 05044f707573 7f028002');
    expect(findDescriptor(list, 0x7f)).toEqual(bytes('8002'));
    expect(registrationOf(list)).toBe(0x4f707573);
    expect(findDescriptor(list, 0x11)).toBeUndefined();
    expect(findDescriptor(bytes('0aff00'), 0x0a)).toBeUndefined();
    expect(registrationOf(new Uint8Array(0))).toBe(0);
  });
});
