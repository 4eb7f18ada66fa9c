import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../wire/errors.ts';
import type { FlvTypeId } from './flv-codecs.tables.ts';
import { FlvReader } from './flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from './flv-tag.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('writeFlvHeader', () => {
  it.each([
    [true, true, 5],
    [true, false, 4],
    [false, true, 1],
    [false, false, 0],
  ])('says audio %s and video %s in flags %i', (hasAudio, hasVideo, flags) => {
    expect(writeFlvHeader({ hasAudio, hasVideo })).toEqual(
      bytes(`464c5601 ${flags.toString(16).padStart(2, '0')} 00000009 00000000`),
    );
  });
});

describe('writeFlvTag', () => {
  it('writes header, parts and PreviousTagSize into one buffer of exactly the size', () => {
    const tag = writeFlvTag(9, 0x010203, [bytes('aabb'), bytes('cc')]);
    expect(tag).toEqual(bytes('09 000003 010203 00 000000 aabbcc 0000000e'));
    expect(tag.buffer.byteLength).toBe(tag.length);
  });

  it('puts the high byte of a timestamp behind its low 24 bits', () => {
    expect(writeFlvTag(8, 0xfedcba98, []).subarray(4, 8)).toEqual(bytes('dcba98 fe'));
  });

  it('takes a timestamp modulo 2^32', () => {
    expect(writeFlvTag(8, 2 ** 32 + 5, []).subarray(4, 8)).toEqual(bytes('000005 00'));
  });

  it('refuses a body that 24 bits cannot size', () => {
    expect(() => writeFlvTag(9, 0, [new Uint8Array(0x100_0000)])).toThrow(ProtocolError);
  });

  it('is read back by FlvReader as it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FlvTypeId>(8, 9, 18),
        fc.nat(0xffff_ffff),
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 4 }),
        (typeId, timestamp, parts) => {
          const reader = new FlvReader();
          reader.receive(writeFlvHeader({ hasAudio: true, hasVideo: true }).subarray(0, 9));
          const tag = writeFlvTag(typeId, timestamp, parts);
          const [event] = reader.receive(Buffer.concat([bytes('00000000'), tag]));
          expect(event).toEqual({ type: 'tag', typeId, timestamp, body: new Uint8Array(Buffer.concat(parts)) });
        },
      ),
    );
  });
});
