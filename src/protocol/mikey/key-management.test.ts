import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_KEY_MANAGEMENT_CHARS,
  MAX_KEY_MANAGEMENT_ENTRIES,
  parseKeyManagementAttribute,
  parseKeyManagementHeader,
  writeKeyManagementAttribute,
  writeKeyManagementHeader,
} from './key-management.ts';

const bytes = Uint8Array.of(1, 0, 5);
const base64 = 'AQAF';

describe('a=key-mgmt', () => {
  it.each([
    [`mikey ${base64}`, bytes],
    [`  MIKEY   ${base64} `, bytes],
    [`sdes ${base64}`, undefined],
    ['mikey', undefined],
    ['mikey !', undefined],
    [`mikey ${base64} more`, undefined],
    ['', undefined],
    [`mikey ${'A'.repeat(MAX_KEY_MANAGEMENT_CHARS)}`, undefined],
  ])('%j is read', (text, expected) => {
    expect(parseKeyManagementAttribute(text)).toEqual(expected);
  });

  it('comes back as it was written', () => {
    expect(writeKeyManagementAttribute(bytes)).toBe(`mikey ${base64}`);
  });
});

describe('KeyMgmt', () => {
  const uri = 'rtsp://127.0.0.1:8559/t/stream=0';

  it.each([
    // As GStreamer writes it.
    [`prot=mikey;uri="${uri}";data="${base64}"`, [{ uri, message: bytes }]],
    [`prot=mikey; uri="a;b,\\"c"; data="${base64}"`, [{ uri: 'a;b,"c', message: bytes }]],
    [`prot = MIKEY ; data = ${base64}`, [{ uri: undefined, message: bytes }]],
    [`data="${base64}";prot=mikey;`, [{ uri: undefined, message: bytes }]],
    [
      `prot=mikey; uri="1"; data="${base64}", prot=other; data="${base64}",prot=mikey; uri="2"; data="${base64}"`,
      [
        { uri: '1', message: bytes },
        { uri: '2', message: bytes },
      ],
    ],
    ['prot=mikey', []],
    ['prot=mikey;data=""', []],
    ['prot=mikey;data="!"', []],
    [`data="${base64}"`, []],
    [`prot=mikey;data="${base64}`, []],
    ['', []],
    [';', []],
    [`prot=mikey;data=${'A'.repeat(MAX_KEY_MANAGEMENT_CHARS)}`, []],
  ])('%j is read', (text, expected) => {
    expect(parseKeyManagementHeader(text)).toEqual(expected);
  });

  it('has so many entries at most', () => {
    const text = Array.from({ length: 100 }, () => `prot=mikey;data=${base64}`).join(',');
    expect(parseKeyManagementHeader(text).length).toBe(MAX_KEY_MANAGEMENT_ENTRIES);
  });

  it('comes back as it was written', () => {
    const uris = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(uris, fc.uint8Array({ minLength: 1 }), (uri, message) => {
        const entries = parseKeyManagementHeader(writeKeyManagementHeader({ uri, message }));
        expect(entries).toEqual([{ uri, message }]);
      }),
    );
  });

  it.each([`prot=${' '.repeat(16_000)}"`, ' '.repeat(16_000), 'a'.repeat(16_000), `prot="${'\\'.repeat(16_000)}`])(
    'is read quickly, whatever it is',
    (text) => {
      const startMs = performance.now();
      expect(parseKeyManagementHeader(text)).toEqual([]);
      expect(performance.now() - startMs).toBeLessThan(100);
    },
  );
});
