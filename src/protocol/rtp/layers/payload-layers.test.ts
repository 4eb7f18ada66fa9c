import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vp9DescriptorBytes } from '../payload/vp9-descriptor.ts';
import { Av1Payload, parseAv1Payload } from './av1-payload.ts';
import { H264Payload, parseH264Payload } from './h264-payload.ts';
import { isOpusDtx } from './opus-payload.ts';
import { rewritePictureNumbers } from './picture-id-rewrite.ts';
import { parseVp8Descriptor, Vp8Descriptor } from './vp8-descriptor.ts';
import { parseVp9LayerDescriptor, Vp9LayerDescriptor } from './vp9-layer-descriptor.ts';

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function vp8(hex: string): Vp8Descriptor | undefined {
  const out = new Vp8Descriptor();
  return parseVp8Descriptor(fromHex(hex), 0, hex.length / 2, out) ? out : undefined;
}

function vp9(hex: string): Vp9LayerDescriptor | undefined {
  const out = new Vp9LayerDescriptor();
  return parseVp9LayerDescriptor(fromHex(hex), 0, hex.length / 2, out) ? out : undefined;
}

function h264(hex: string): H264Payload | undefined {
  const out = new H264Payload();
  return parseH264Payload(fromHex(hex), 0, hex.length / 2, out) ? out : undefined;
}

function av1(hex: string): Av1Payload | undefined {
  const out = new Av1Payload();
  return parseAv1Payload(fromHex(hex), 0, hex.length / 2, out) ? out : undefined;
}

/** Payloads said to be of Chromium were captured from version 156 run with --disable-webrtc-encryption, and cut. */
describe('VP8 payloads of Chromium', () => {
  it.each([
    ['90e0cad50c20f01c009d012a', { isKeyFrame: true, pictureId: 19_157, temporalId: 0, isLayerSync: true }],
    ['b0e0cad60ca0f107001e1c24', { isKeyFrame: false, pictureId: 19_158, temporalId: 2, isLayerSync: true }],
    ['90e0cad70c60510f001c1c24', { isDiscardable: false, pictureId: 19_159, temporalId: 1, isLayerSync: true }],
    ['b0e0cad80c80111a00121c24', { isDiscardable: true, pictureId: 19_160, temporalId: 2, isLayerSync: false }],
    ['a0e0cad80c8051eb6be8f43f', { isFrameStart: false, isKeyFrame: false, pictureId: 19_160 }],
  ])('%s: L1T3', (hex, expected) => {
    expect(vp8(hex)).toMatchObject({ ...expected, pictureIdBits: 15, tl0PictureIndex: 12, payloadAt: 6 });
  });

  it('say less when a dependency descriptor says it', () => {
    const none = { pictureId: -1, tl0PictureIndex: -1, temporalId: 0, hasTemporalId: false };
    expect(vp8('10b01b009d012a')).toMatchObject({ ...none, isKeyFrame: true, payloadAt: 1 });
    expect(vp8('30910a00311c24')).toMatchObject({ ...none, isKeyFrame: false, isDiscardable: true });
  });
});

describe('VP9 payloads of Chromium', () => {
  it.each([
    ['bec3a51010014000b4834983', { isKeyFrame: true, pictureId: 17_317, spatialId: 0, spatialLayers: 1 }],
    ['fdc3a6500287000000027e01', { isKeyFrame: false, pictureId: 17_318, temporalId: 2, isNotReferencedAbove: true }],
    ['b8c3a8138702020004fe02cf', { isKeyFrame: false, spatialId: 1, isInterLayerPredicted: true, isFrameEnd: false }],
    ['fecaba100850014000b402800168050002d083', { isInterPicturePredicted: true, spatialLayers: 3 }],
    ['b5e5f8100b4e8f7a70ee794c', { isFrameStart: false, isFrameEnd: true, isKeyFrame: false }],
  ])('%s', (hex, expected) => {
    expect(vp9(hex)).toMatchObject({ ...expected, isFlexible: true, pictureIdBits: 15, tl0PictureIndex: -1 });
  });

  it('tell the sizes of layers', () => {
    const out = vp9('bec3a81050014000b402800168050002d0834983')!;
    expect([...out.widths.subarray(0, 3)]).toEqual([320, 640, 1280]);
    expect([...out.heights.subarray(0, 3)]).toEqual([180, 360, 720]);
  });
});

describe('VP9 payloads that are not flexible', () => {
  it('count pictures of the base layer', () => {
    // I, L, B; picture id of 7 bits; TID 2, U, SID 1, D; TL0PICIDX.
    expect(vp9('a8055307ff')).toMatchObject({
      pictureId: 5,
      pictureIdBits: 7,
      temporalId: 2,
      isSwitchingUpPoint: true,
      spatialId: 1,
      isInterLayerPredicted: true,
      tl0PictureIndex: 7,
      payloadAt: 4,
    });
  });

  it('are as long as the depacketizer finds them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const out = new Vp9LayerDescriptor();
        const isTaken = parseVp9LayerDescriptor(bytes, 0, bytes.length, out);
        const length = vp9DescriptorBytes(bytes);
        // A descriptor that leaves no byte for the frame is none here.
        expect(isTaken).toBe(length > 0 && length < bytes.length);
        if (isTaken) expect(out.payloadAt).toBe(length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe.each([
  [7, '90e04c0c20f01c', 'a84c5307ff'],
  [15, '90e0cad50c20f01c', 'a8cad55307ff'],
])('picture ids of %i bits', (bits, vp8Hex, vp9Hex) => {
  const mask = 2 ** bits - 1;

  it.each([0, 1, 127, 128, 16_383, 32_767])('become %i in place, and nothing else changes', (pictureId) => {
    const replacement = { pictureId, tl0PictureIndex: 255 };
    const a = fromHex(vp8Hex);
    const one = vp8(vp8Hex)!;
    rewritePictureNumbers(a, 0, one, replacement);
    const after = new Vp8Descriptor();
    expect(parseVp8Descriptor(a, 0, a.length, after)).toBe(true);
    expect(after).toEqual(Object.assign(one, { pictureId: pictureId & mask, tl0PictureIndex: 255 }));
    const b = fromHex(vp9Hex);
    const other = vp9(vp9Hex)!;
    rewritePictureNumbers(b, 0, other, replacement);
    const second = new Vp9LayerDescriptor();
    expect(parseVp9LayerDescriptor(b, 0, b.length, second)).toBe(true);
    expect(second).toEqual(Object.assign(other, { pictureId: pictureId & mask, tl0PictureIndex: 255 }));
  });
});

describe('a rewritten descriptor', () => {
  it('may be in a copy of the payload somewhere else', () => {
    const payload = fromHex('90e0cad50c20f01c');
    const out = new Uint8Array(20);
    out.set(payload, 9);
    rewritePictureNumbers(out, 9, vp8('90e0cad50c20f01c')!, { pictureId: 0x1234, tl0PictureIndex: 1 });
    expect(Buffer.from(out.subarray(9, 17)).toString('hex')).toBe('90e092340120f01c');
  });
});

describe('H.264 payloads', () => {
  it.each([
    ['STAP-A of SPS and PPS', '78000367420000026844', { nalUnitType: 7, isKeyFrame: true, hasIdr: false }],
    ['IDR slice', '65b80004', { nalUnitType: 5, isKeyFrame: true, isStart: true, isEnd: true, isDiscardable: false }],
    ['slice nobody needs', '01e00040', { nalUnitType: 1, isKeyFrame: false, isDiscardable: true }],
    ['first fragment of an IDR slice', '7c85b8', { nalUnitType: 5, isKeyFrame: true, isStart: true, isEnd: false }],
    ['next fragment', '7c05b8', { nalUnitType: 5, isKeyFrame: false, isStart: false, isEnd: false }],
    ['last fragment', '7c45b8', { nalUnitType: 5, isKeyFrame: false, isStart: false, isEnd: true }],
    ['STAP-B', '7900010002650100020102', { nalUnitType: 5, hasIdr: true }],
  ])('%s', (_, hex, expected) => {
    expect(h264(hex)).toMatchObject(expected);
  });

  it.each([
    ['nothing', ''],
    ['type 0', '6000'],
    ['MTAP16', '7a000000000000'],
    ['an aggregate of nothing', '78'],
    ['an aggregate with a size beyond its end', '780009674200'],
    ['an aggregate with an empty unit', '780000'],
    ['a fragment of nothing', '7c85'],
  ])('are refused: %s', (_, hex) => {
    expect(h264(hex)).toBeUndefined();
  });
});

describe('AV1 payloads', () => {
  it.each([
    ['key frame', '2802080030a1', { isKeyFrame: true, hasSequenceHeader: true, isNewSequence: true }],
    ['upper layer', '10340831e0400200', { isKeyFrame: false, spatialId: 1, temporalId: 0, hasLayers: true }],
    ['upper layers', '1034483510078c00', { spatialId: 1, temporalId: 2, isToBeContinued: false }],
    ['first of two packets', '50340830e0400200', { isContinuation: false, isToBeContinued: true, spatialId: 1 }],
    ['second of two packets', '906fbe79a10801de', { isContinuation: true, hasLayers: false, isKeyFrame: false }],
  ])('%s', (_, hex, expected) => {
    expect(av1(hex)).toMatchObject(expected);
  });

  it('are refused with a length beyond the end', () => {
    expect(av1('281d0800')).toBeUndefined();
    expect(av1('00ffffffff01')).toBeUndefined();
    expect(av1('10')).toBeUndefined();
  });
});

describe('isOpusDtx', () => {
  it('is true of a packet without sound', () => {
    expect([0, 1, 2, 3, 60].map(isOpusDtx)).toEqual([true, true, true, false, false]);
  });
});

describe.each([
  [
    'VP8',
    (bytes: Uint8Array, start: number, end: number) => parseVp8Descriptor(bytes, start, end, new Vp8Descriptor()),
  ],
  [
    'VP9',
    (bytes: Uint8Array, start: number, end: number) =>
      parseVp9LayerDescriptor(bytes, start, end, new Vp9LayerDescriptor()),
  ],
  ['H.264', (bytes: Uint8Array, start: number, end: number) => parseH264Payload(bytes, start, end, new H264Payload())],
  ['AV1', (bytes: Uint8Array, start: number, end: number) => parseAv1Payload(bytes, start, end, new Av1Payload())],
])('parsing %s', (_, parse) => {
  it('takes any bytes and looks at none outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5), fc.nat(5), (payload, before, after) => {
        const zeros = new Uint8Array(before + payload.length + after);
        const ones = new Uint8Array(zeros.length).fill(0xff);
        zeros.set(payload, before);
        ones.set(payload, before);
        const end = before + payload.length;
        expect(parse(zeros, before, end)).toBe(parse(ones, before, end));
      }),
      { numRuns: 500 },
    );
    expect(parse(new Uint8Array(4), 0, 5)).toBe(false);
    expect(parse(new Uint8Array(4), 3, 2)).toBe(false);
  });
});
