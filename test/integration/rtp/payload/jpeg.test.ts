import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BaselineJpeg, parseBaselineJpeg, writeBaselineJpeg } from '../../../../src/codec/jpeg/baseline-jpeg.ts';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { JPEG_FORMAT } from '../../../../src/protocol/rtp/payload/jpeg-format.ts';
import { computedQuantizers } from '../../../../src/protocol/rtp/payload/jpeg-quantizers.ts';
import {
  depacketize,
  mappingOf,
  packetize,
  readFixture,
  readRtpFile,
  type SentUnit,
  withLoss,
} from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const TRACK: Track = { kind: 'video', trackId: 0, codec: 'jpeg', config: new Uint8Array(0) };
const MAPPING = JPEG_FORMAT.toMapping(TRACK, 96)!;
const IMAGE: BaselineJpeg = {
  width: 16,
  height: 24,
  is420: false,
  luminanceQuantizers: new Uint8Array(64).fill(3),
  chrominanceQuantizers: new Uint8Array(64).fill(5),
  restartInterval: 0,
  scan: new Uint8Array(100).fill(0x55),
};

const unitOf = (image: BaselineJpeg): SentUnit => ({ payload: writeBaselineJpeg(image), isKeyFrame: true });
const send = (units: readonly SentUnit[], maxPayloadSize: number): RtpPayload[] =>
  packetize(JPEG_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize });

const images: fc.Arbitrary<SentUnit[]> = fc.array(
  fc
    .record({
      width: fc.integer({ min: 1, max: 255 }).map((n) => n * 8),
      height: fc.integer({ min: 1, max: 255 }).map((n) => n * 8),
      is420: fc.boolean(),
      luminanceQuantizers: fc.constantFrom(64, 128).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
      chrominanceQuantizers: fc.constantFrom(64, 128).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
      restartInterval: fc.constantFrom(0, 4),
      scan: fc.uint8Array({ minLength: 1, maxLength: 600 }).map((scan) => scan.map((byte) => byte & 0x7f)),
    })
    .map(unitOf),
  { minLength: 1, maxLength: 8 },
);

describe('JPEG there and back', () => {
  it('gives what was sent, whatever the sizes and the loss', () => {
    fc.assert(
      fc.property(
        images,
        fc.integer({ min: 280, max: 700 }),
        fc.nat(0xffff_ffff),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (units, maxPayloadSize, timestamp, luck, hasMarkers) => {
          const packets = packetize(JPEG_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const expected = units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 }));
          expect(depacketize(JPEG_FORMAT.makeDepacketizer(MAPPING), packets)).toEqual(expected);
          const some = withLoss(packets, () => luck.next().value === 0);
          const marked = some.map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          const received = depacketize(JPEG_FORMAT.makeDepacketizer(MAPPING), marked);
          for (const unit of received) expect(expected).toContainEqual(unit);
        },
      ),
    );
  });
});

describe('JPEG packetizer', () => {
  it('writes tables into the first packet and offsets into all', () => {
    const packets = send([unitOf({ ...IMAGE, restartInterval: 7 })], 200);
    expect(packets.map((one) => [hexOf(one.payload.subarray(0, 12)), one.payload.length, one.marker])).toEqual([
      ['0000000040ff02030007ffff', 200, false],
      ['0000003840ff02030007ffff', 56, true],
    ]);
    expect(hexOf(packets[0]!.payload.subarray(12, 20))).toBe('0000008003030303');
  });

  it('rounds sides up to multiples of 8', () => {
    const [unit] = depacketize(JPEG_FORMAT.makeDepacketizer(MAPPING), send([unitOf({ ...IMAGE, width: 9 })], 400));
    expect(parseBaselineJpeg(unit!.payload)).toEqual(IMAGE);
  });

  it.each([
    ['what is no JPEG', bytes('0102')],
    ['images that are too wide', writeBaselineJpeg({ ...IMAGE, width: 2048 })],
    ['images that are too high', writeBaselineJpeg({ ...IMAGE, height: 2041 })],
    ['images without data', writeBaselineJpeg({ ...IMAGE, scan: new Uint8Array(0) })],
  ])('does not send %s', (_, payload) => {
    expect(send([{ payload, isKeyFrame: true }], 400)).toEqual([]);
  });

  it('does not send where tables would be cut', () => {
    expect(send([unitOf(IMAGE)], 140)).toEqual([]);
  });
});

describe('JPEG depacketizer', () => {
  const packet = (hex: string, more: Partial<RtpPayload> = {}): RtpPayload => ({
    payload: bytes(hex),
    timestamp: 0,
    marker: true,
    afterLoss: false,
    ...more,
  });
  const quantizersOf = (packets: readonly RtpPayload[]): unknown[] =>
    depacketize(JPEG_FORMAT.makeDepacketizer(MAPPING), packets).map((unit) => {
      const image = parseBaselineJpeg(unit.payload)!;
      return [image.luminanceQuantizers, image.chrominanceQuantizers];
    });

  it('computes tables of Q 1 to 99 as RFC 2435 appendix A has it', () => {
    expect(quantizersOf([packet('00000000 01 32 02 03 aa')])).toEqual([[...computedQuantizers(50)]]);
    expect(computedQuantizers(50)[0][0]).toBe(16);
    expect(computedQuantizers(1)[1]).toEqual(new Uint8Array(64).fill(255));
    expect(computedQuantizers(99)[0].subarray(0, 4)).toEqual(Uint8Array.of(1, 1, 1, 1));
  });

  it('remembers tables that are sent once', () => {
    const tables = `${'03'.repeat(64)}${'05'.repeat(64)}`;
    const once = [
      packet(`00000000 01 80 02 03 0000 0080 ${tables} aa`),
      packet('00000000 01 80 02 03 0000 0000 bb'),
      packet('00000000 01 81 02 03 0000 0000 cc'),
    ];
    const sent = [IMAGE.luminanceQuantizers, IMAGE.chrominanceQuantizers];
    expect(quantizersOf(once)).toEqual([sent, sent]);
  });

  it('takes one table for all components', () => {
    const one = packet(`00000000 01 ff 02 03 0000 0040 ${'03'.repeat(64)} aa`);
    expect(quantizersOf([one])).toEqual([[IMAGE.luminanceQuantizers, IMAGE.luminanceQuantizers]]);
  });

  it('leaves out an end of image that was sent along', () => {
    const [unit] = depacketize(JPEG_FORMAT.makeDepacketizer(MAPPING), [packet('00000000 01 32 02 03 aa ffd9')]);
    expect(hexOf(parseBaselineJpeg(unit!.payload)!.scan)).toBe('aa');
  });

  it.each([
    ['another offset', '00000001 01 32 02 03 aa'],
    ['another type', '00000000 02 32 02 03 aa'],
    ['a type of applications', '00000000 80 32 02 03 aa'],
    ['Q 0', '00000000 01 00 02 03 aa'],
    ['Q 100', '00000000 01 64 02 03 aa'],
    ['no width', '00000000 01 32 00 03 aa'],
    ['no height', '00000000 01 32 02 00 aa'],
    ['no data', '00000000 01 32 02 03'],
    ['a header cut off', '00000000 01 32 02'],
    ['a restart header cut off', '00000000 41 32 02 03 0007'],
    ['tables cut off', '00000000 01 ff 02 03 0000 0080 0102'],
    ['tables of another length', `00000000 01 ff 02 03 0000 0041 ${'03'.repeat(70)}`],
    ['no tables where they must be', '00000000 01 ff 02 03 0000 0000 aa'],
    ['tables that were never sent', '00000000 01 80 02 03 0000 0000 aa'],
  ])('drops images with %s', (_, hex) => {
    const depacketizer = JPEG_FORMAT.makeDepacketizer(MAPPING);
    expect(depacketize(depacketizer, [packet(hex)])).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it.each(['jpeg-ffmpeg', 'jpeg-gstreamer'])('reads what another program sent as it was coded: %s', (name) => {
    const file = readFixture(`${name}.mjpeg`);
    const starts = [...hexOf(file).matchAll(/ffd8ff/g)].map((match) => match.index / 2).filter(Number.isInteger);
    const coded = starts.map((start, i) => parseBaselineJpeg(file.subarray(start, starts[i + 1])));
    const depacketizer = JPEG_FORMAT.makeDepacketizer(MAPPING);
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    expect(units.map((unit) => parseBaselineJpeg(unit.payload))).toEqual(coded);
    expect(coded).toHaveLength(4);
    expect(depacketizer.dropped).toBe(0);
  });
});

describe('JPEG in SDP', () => {
  it('is payload type 26', () => {
    expect(MAPPING).toEqual({ payloadType: 26, encodingName: 'JPEG', clockRate: 90_000, parameters: new Map() });
    expect(JPEG_FORMAT.toTrack(mappingOf('jpeg'), 2)).toEqual({ ...TRACK, trackId: 2 });
    expect(JPEG_FORMAT.toMapping({ ...TRACK, codec: 'dv' }, 96)).toBeUndefined();
    expect(JPEG_FORMAT.toTrack(mappingOf('DV'), 2)).toBeUndefined();
  });
});
