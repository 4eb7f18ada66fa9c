import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATA_FLAG } from './chunk-type.ts';
import {
  DATA_HEADER_BYTES,
  dataHeader,
  I_DATA_HEADER_BYTES,
  readData,
  readInterleavedData,
  writeDataHeader,
  writeInterleavedHeader,
} from './data-chunk.ts';
import { describeAbort, ERROR_CAUSE, parseCauses, staleMsOf, writeAbort, writeError } from './error-cause.ts';
import { parseForwardTsn, writeForwardTsn } from './forward-tsn-chunk.ts';
import { isChecksumRight, isChecksumZero, PacketBuilder, parsePacketHeader, writeChecksum } from './packet-builder.ts';
import { parseReConfig, type ReConfigParameter, writeReConfig } from './re-config-chunk.ts';
import { readSack, SACK_HEADER_BYTES, sackHeader, writeSackHeader } from './sack-chunk.ts';
import { parseSetupChunk, type SetupChunk, writeSetupChunk } from './setup-chunk.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

describe('packets', () => {
  it('have the header and the checksum of RFC 9260', () => {
    const builder = new PacketBuilder(5000, 5001, 1160);
    builder.begin(0x0102_0304);
    builder.append(Uint8Array.of(11, 0, 0, 4));
    builder.append(Uint8Array.of(5, 0, 0, 5, 9));
    const packet = builder.finish(false);
    expect(packet.subarray(0, 8)).toEqual(bytesOf('13 88 13 89 01 02 03 04'));
    expect(packet.subarray(12)).toEqual(bytesOf('0b 00 00 04 05 00 00 05 09 00 00 00'));
    expect(isChecksumRight(packet)).toBe(true);
    expect(parsePacketHeader(packet)).toEqual({
      sourcePort: 5000,
      destinationPort: 5001,
      verificationTag: 0x0102_0304,
    });
  });

  it('with a bit changed have the wrong checksum', () => {
    const packet = bytesOf('13 88 13 88 00 00 00 01 00 00 00 00 0b 00 00 04');
    writeChecksum(packet);
    for (let bit = 0; bit < 8 * packet.length; bit++) {
      const changed = packet.slice();
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(isChecksumRight(changed)).toBe(false);
    }
  });

  it('without checksum have zeros there', () => {
    const builder = new PacketBuilder(1, 2, 600);
    builder.begin(3);
    builder.append(Uint8Array.of(11, 0, 0, 4));
    expect(isChecksumZero(builder.finish(true))).toBe(true);
  });

  it('that were finished are not written again', () => {
    const builder = new PacketBuilder(1, 2, 1160);
    const packets = Array.from({ length: 200 }, (_, i) => {
      builder.begin(i);
      builder.append(new Uint8Array(1000).fill(i));
      return builder.finish(true);
    });
    for (const [i, packet] of packets.entries()) {
      expect(parsePacketHeader(packet).verificationTag).toBe(i);
      expect(packet.subarray(12).every((byte) => byte === i)).toBe(true);
    }
  });

  it('given up leave nothing in the next', () => {
    const builder = new PacketBuilder(1, 2, 1160);
    builder.begin(1);
    builder.append(new Uint8Array(100).fill(255));
    builder.begin(2);
    builder.append(Uint8Array.of(5, 0, 0, 5, 9));
    expect(builder.finish(true)).toHaveLength(20);
    expect(builder.bytes.subarray(17, 20)).toEqual(new Uint8Array(3));
  });
});

describe('DATA and I-DATA', () => {
  const fields = fc.record({ tsn: u32, streamId: u16, sequence: u32, ppid: u32, fsn: u32, flags: fc.nat(15) });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fields, fc.nat(50), ({ sequence, fsn, ppid, ...rest }, payloadBytes) => {
        const plain = { ...dataHeader(), ...rest, sequence: sequence & 0xffff, ppid, fsn: 0 };
        const bytes = new Uint8Array(2 + DATA_HEADER_BYTES + payloadBytes);
        writeDataHeader(bytes, 2, plain, payloadBytes);
        const read = dataHeader();
        expect(readData(bytes, 2, bytes.length, read)).toBe(true);
        expect(read).toEqual({ ...plain, payloadStart: 2 + DATA_HEADER_BYTES, payloadEnd: bytes.length });

        const isFirst = (rest.flags & DATA_FLAG.begin) !== 0;
        const interleaved = { ...dataHeader(), ...rest, sequence, ppid: isFirst ? ppid : 0, fsn: isFirst ? 0 : fsn };
        const longer = new Uint8Array(I_DATA_HEADER_BYTES + payloadBytes);
        writeInterleavedHeader(longer, 0, interleaved, payloadBytes);
        expect(readInterleavedData(longer, 0, longer.length, read)).toBe(true);
        expect(read).toEqual({ ...interleaved, payloadStart: I_DATA_HEADER_BYTES, payloadEnd: longer.length });
      }),
    );
  });

  it('shorter than their headers are not read', () => {
    const bytes = new Uint8Array(40);
    expect(readData(bytes, 0, DATA_HEADER_BYTES - 1, dataHeader())).toBe(false);
    expect(readInterleavedData(bytes, 0, I_DATA_HEADER_BYTES - 1, dataHeader())).toBe(false);
  });
});

describe('SACK', () => {
  it('is read as it was written', () => {
    const bytes = new Uint8Array(SACK_HEADER_BYTES + 12);
    const sack = { cumulativeTsn: 7, receiveWindowBytes: 0xffff_ffff, gapBlocks: 2, duplicates: 1, gapBlocksAt: 16 };
    writeSackHeader(bytes, 0, sack);
    const read = sackHeader();
    expect(readSack(bytes, 0, bytes.length, read)).toBe(true);
    expect(read).toEqual(sack);
  });

  it('that counts more than it has is not read', () => {
    const bytes = new Uint8Array(SACK_HEADER_BYTES + 8);
    writeSackHeader(bytes, 0, { ...sackHeader(), gapBlocks: 2, duplicates: 1 });
    expect(readSack(bytes, 0, bytes.length, sackHeader())).toBe(false);
    expect(readSack(bytes, 0, 15, sackHeader())).toBe(false);
  });
});

describe('INIT and INIT ACK', () => {
  // The parameters that Chromium sends: 65,535 streams, FORWARD-TSN, extensions and zero checksum.
  const browser =
    '01 00 00 38 12 34 56 78 00 50 00 00 ff ff ff ff 9a bc de f0 ' +
    'c0 00 00 04 80 08 00 09 c0 82 40 c2 0f 00 00 00 80 01 00 08 00 00 00 01 00 00 00 00 00 00 00 00 ';

  it('with the parameters of a browser', () => {
    const bytes = bytesOf(browser.trim());
    bytes[3] = 20 + 4 + 12 + 8;
    expect(parseSetupChunk(bytes, 0, bytes[3])).toEqual({
      initiateTag: 0x1234_5678,
      receiveWindowBytes: 0x0050_0000,
      outboundStreams: 65_535,
      inboundStreams: 65_535,
      initialTsn: 0x9abc_def0,
      hasForwardTsn: true,
      extensions: [0xc0, 0x82, 0x40, 0xc2, 0x0f],
      zeroChecksumMethod: 1,
      unrecognized: [],
    });
  });

  it('are read as they were written', () => {
    const positive = fc.integer({ min: 1, max: 0xffff });
    const setups: fc.Arbitrary<SetupChunk> = fc
      .record(
        {
          initiateTag: fc.integer({ min: 1, max: 0xffff_ffff }),
          receiveWindowBytes: u32,
          outboundStreams: positive,
          inboundStreams: positive,
          initialTsn: u32,
          hasForwardTsn: fc.boolean(),
          extensions: fc.array(fc.nat(255), { maxLength: 9 }),
          cookie: fc.uint8Array({ maxLength: 100 }),
          cookiePreservativeMs: u32,
          zeroChecksumMethod: u32,
        },
        {
          requiredKeys: [
            'initiateTag',
            'receiveWindowBytes',
            'outboundStreams',
            'inboundStreams',
            'initialTsn',
            'hasForwardTsn',
            'extensions',
          ],
        },
      )
      .map((setup) => ({ ...setup, unrecognized: [] }));
    fc.assert(
      fc.property(setups, (setup) => {
        const bytes = writeSetupChunk('initAck', setup);
        expect(parseSetupChunk(bytes, 0, bytes.length)).toEqual(setup);
      }),
    );
  });

  it.each([
    ['no tag', 4, 8],
    ['no outbound streams', 12, 14],
    ['no inbound streams', 14, 16],
  ])('with %s are malformed', (_, from, to) => {
    const bytes = bytesOf(browser.trim());
    bytes.fill(0, from, to);
    expect(parseSetupChunk(bytes, 0, 44)).toBeUndefined();
  });

  it('report unknown parameters as their types say, a few short ones', () => {
    const parameter = (type: number, sizeBytes: number): number[] => {
      const length = 4 + sizeBytes;
      return [type >> 8, type & 0xff, length >> 8, length & 0xff, ...Array.from({ length: sizeBytes }, () => 1)];
    };
    const parse = (...parameters: number[][]): SetupChunk | undefined => {
      const bytes = Uint8Array.from([...bytesOf(browser.trim()).subarray(0, 20), ...parameters.flat()]);
      return parseSetupChunk(bytes, 0, bytes.length);
    };
    const known = parameter(0xc000, 0);
    expect(parse(parameter(0xfff0, 4), known)).toMatchObject({ hasForwardTsn: true, unrecognized: [{}] });
    expect(parse(parameter(0xbff0, 4), known)).toMatchObject({ hasForwardTsn: true, unrecognized: [] });
    expect(parse(parameter(0x7ff0, 4), known)).toMatchObject({ hasForwardTsn: false, unrecognized: [{}] });
    expect(parse(parameter(0x3ff0, 4), known)).toMatchObject({ hasForwardTsn: false, unrecognized: [] });
    expect(parse(...Array.from({ length: 100 }, () => parameter(0xfff0, 60)))?.unrecognized).toHaveLength(4);
  });
});

describe('FORWARD-TSN', () => {
  it.each(['forwardTsn', 'iForwardTsn'] as const)('as %s is read as it was written', (kind) => {
    const isPlain = kind === 'forwardTsn';
    const stream = fc.record({
      streamId: u16,
      isUnordered: isPlain ? fc.constant(false) : fc.boolean(),
      sequence: isPlain ? u16 : u32,
    });
    fc.assert(
      fc.property(u32, fc.array(stream, { maxLength: 9 }), (newCumulativeTsn, skipped) => {
        const bytes = writeForwardTsn(kind, { newCumulativeTsn, skipped });
        expect(parseForwardTsn(bytes, 0, bytes.length)).toEqual({ newCumulativeTsn, skipped });
      }),
    );
  });
});

describe('RE-CONFIG', () => {
  const streamIds = fc.array(u16, { maxLength: 9 });
  const parameters: fc.Arbitrary<ReConfigParameter> = fc.oneof(
    fc.record({
      type: fc.constant('outgoing-reset' as const),
      requestSequence: u32,
      responseSequence: u32,
      lastAssignedTsn: u32,
      streamIds,
    }),
    fc.record({ type: fc.constant('incoming-reset' as const), requestSequence: u32, streamIds }),
    fc.record({ type: fc.constant('tsn-reset' as const), requestSequence: u32 }),
    fc.record({ type: fc.constant('response' as const), responseSequence: u32, result: u32 }),
    fc.record({ type: fc.constant('add-outgoing' as const), requestSequence: u32, streams: u16 }),
    fc.record({ type: fc.constant('add-incoming' as const), requestSequence: u32, streams: u16 }),
  );

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(parameters, { minLength: 1, maxLength: 2 }), (list) => {
        const bytes = writeReConfig(list);
        expect(parseReConfig(bytes, 0, bytes.length)).toEqual(list);
      }),
    );
  });
});

describe('causes', () => {
  it('are read as they were written', () => {
    const bytes = writeAbort([
      { code: ERROR_CAUSE.userAbort, value: new TextEncoder().encode('no more') },
      { code: ERROR_CAUSE.staleCookie, value: Uint8Array.of(0, 0, 0x27, 0x10) },
    ]);
    const causes = parseCauses(bytes, 0, bytes.length);
    expect(describeAbort(causes)).toBe('by its user: "no more"');
    expect(staleMsOf(causes[1]!)).toBe(10);
    expect(describeAbort([])).toBe('without a cause');
    expect(describeAbort([causes[1]!])).toBe('for cause 3');
    expect(writeError({ code: 6, value: new Uint8Array(0) })).toEqual(bytesOf('09 00 00 08 00 06 00 04'));
  });
});

describe('any bytes', () => {
  it('are read without an exception, cut or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        parseSetupChunk(bytes, 0, bytes.length);
        parseForwardTsn(bytes, 0, bytes.length);
        parseReConfig(bytes, 0, bytes.length);
        parseCauses(bytes, 0, bytes.length);
        readSack(bytes, 0, bytes.length, sackHeader());
        readData(bytes, 0, bytes.length, dataHeader());
        readInterleavedData(bytes, 0, bytes.length, dataHeader());
      }),
    );
  });
});
