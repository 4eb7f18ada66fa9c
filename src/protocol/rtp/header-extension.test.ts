import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExtensionElement,
  findExtensionElement,
  ONE_BYTE_EXTENSION_PROFILE,
  readExtensionElements,
  TWO_BYTE_EXTENSION_PROFILE,
  writeExtensionElements,
} from './header-extension.ts';

function element(id: number, ...data: number[]): ExtensionElement {
  return { id, data: Uint8Array.from(data) };
}

describe('header extension elements', () => {
  it.each([
    [
      'one-byte elements with padding between and behind',
      0xbede,
      [0x10, 1, 0, 0, 0x21, 2, 3, 0],
      [
        [1, 1],
        [2, 2, 3],
      ],
    ],
    ['nothing behind id 15', 0xbede, [0x10, 1, 0xf0, 9, 0x20, 2, 0, 0], [[1, 1]]],
    ['nothing behind id 0 with a length', 0xbede, [0x10, 1, 0x03, 9, 0x20, 2, 0, 0], [[1, 1]]],
    ['what comes before a one-byte element cut off', 0xbede, [0x10, 1, 0x25, 2], [[1, 1]]],
    ['two-byte elements, empty ones too', 0x1000, [1, 0, 0, 255, 2, 8, 9, 0], [[1], [255, 8, 9]]],
    ['two-byte elements whatever the application bits', 0x100f, [1, 1, 7, 0], [[1, 7]]],
    ['what comes before a two-byte element cut off', 0x1000, [1, 1, 7, 2], [[1, 7]]],
    ['nothing in other profiles', 0x1234, [0x10, 1, 0, 0], []],
    ['nothing in an empty extension', 0xbede, [], []],
  ] as const)('give %s', (_fact, extensionProfile, data, expected) => {
    const packet = { extensionProfile, extension: Uint8Array.from(data) };
    const elements = expected.map(([id, ...bytes]) => element(id, ...bytes));
    expect(readExtensionElements(packet)).toEqual(elements);
    for (const { id, data: bytes } of elements) expect(findExtensionElement(packet, id)).toEqual(bytes);
    expect(findExtensionElement(packet, 3)).toBeUndefined();
  });

  it('are none without an extension', () => {
    const packet = { extensionProfile: ONE_BYTE_EXTENSION_PROFILE, extension: undefined };
    expect(readExtensionElements(packet)).toEqual([]);
    expect(findExtensionElement(packet, 1)).toBeUndefined();
  });

  it('come back from what was written, in the shorter form when it fits', () => {
    const any = fc.record({ id: fc.integer({ min: 1, max: 20 }), data: fc.uint8Array({ maxLength: 20 }) });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), (elements) => {
        const written = writeExtensionElements(elements);
        expect(readExtensionElements(written)).toEqual(elements);
        expect(written.extension.length % 4).toBe(0);
        const fits = elements.every(({ id, data }) => id <= 14 && data.length >= 1 && data.length <= 16);
        expect(written.extensionProfile).toBe(fits ? ONE_BYTE_EXTENSION_PROFILE : TWO_BYTE_EXTENSION_PROFILE);
      }),
    );
  });

  it.each([
    ['id 0', element(0, 1)],
    ['id 256', element(256, 1)],
    ['256 bytes', { id: 1, data: new Uint8Array(256) }],
  ])('refuse %s', (_fact, one) => {
    expect(() => writeExtensionElements([one])).toThrow(expect.objectContaining({ code: 'rtp/bad-extension' }));
  });

  it('are read from any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0xbede, 0x1000), (extension, extensionProfile) => {
        const elements = readExtensionElements({ extensionProfile, extension });
        expect(elements.length).toBeLessThanOrEqual(extension.length);
      }),
    );
  });
});
