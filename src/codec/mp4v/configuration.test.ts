import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMpeg4KeyFrame, mpeg4Details, parseMpeg4Configuration } from './configuration.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** As ffmpeg wrote them for 96x64 pictures. */
const HEADERS = '000001b001 000001b58913 00000100 00000120 00c48d8800cd030408144300';

describe('parseMpeg4Configuration', () => {
  it.each(['', '000001b3 001007', '000001b6 10', '000001b2 4c61 000001b6 10'])(
    'takes headers up to the first of %j',
    (rest) => {
      const found = parseMpeg4Configuration(bytes(HEADERS + rest))!;
      const headers = rest.startsWith('000001b2') ? `${HEADERS}000001b24c61` : HEADERS;
      expect(found.bytes).toEqual(bytes(headers));
      expect(mpeg4Details(found)).toEqual({
        width: 96,
        height: 64,
        profile: 'Simple',
        level: '1',
        codecString: 'mp4v.20.1',
      });
    },
  );

  it('does without a visual object sequence', () => {
    const found = parseMpeg4Configuration(bytes(HEADERS).subarray(5))!;
    expect(found.profileAndLevel).toBeUndefined();
    expect(mpeg4Details(found)).toMatchObject({ profile: 'MPEG-4 visual', codecString: 'mp4v.20' });
  });

  it.each(['', '000001b6 10', '000001b001 000001b58913', `aa ${HEADERS}`, '00000120 00'])(
    'finds nothing in %j',
    (hex) => {
      expect(parseMpeg4Configuration(bytes(hex))).toBeUndefined();
    },
  );

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        for (const all of [rest, bytes(HEADERS + Buffer.from(rest).toString('hex'))]) {
          const found = parseMpeg4Configuration(all);
          if (found !== undefined) mpeg4Details(found);
          isMpeg4KeyFrame(all);
        }
      }),
    );
  });
});

describe('isMpeg4KeyFrame', () => {
  it.each([
    ['000001b6 10', true],
    ['000001b6 50', false],
    ['000001b6 90', false],
    [`${HEADERS} 000001b6 10 000001b6 50`, true],
    [HEADERS, false],
    ['000001b6', false],
  ])('of %j is %j', (hex, expected) => {
    expect(isMpeg4KeyFrame(bytes(hex))).toBe(expected);
  });
});
