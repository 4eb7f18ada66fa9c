import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioSpecificConfigFromAdts, createAdtsFraming, parseAdtsHeader, splitAdtsFrames } from './adts.ts';
import { parseAudioSpecificConfig, writeAudioSpecificConfig } from './audio-specific-config.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function framing(asc: string) {
  const config = parseAudioSpecificConfig(hex(asc));
  return config && createAdtsFraming(config);
}

function frameOf(asc: string, payload: Uint8Array): Uint8Array {
  const made = framing(asc);
  const bytes = new Uint8Array((made?.headerBytes ?? 0) + payload.length);
  made?.writeHeader(bytes, 0, payload.length);
  bytes.set(payload, bytes.length - payload.length);
  return bytes;
}

describe('parseAdtsHeader', () => {
  it('reads a header of FFmpeg', () => {
    expect(parseAdtsHeader(hex('fff15c403ffffc'))).toEqual({
      objectType: 2,
      sampleRate: 22_050,
      channelConfiguration: 1,
      headerBytes: 7,
      frameBytes: 511,
      rawDataBlocks: 1,
    });
  });

  it.each([
    ['MPEG audio', 'fffb5064000001'],
    ['a reserved rate', 'fff174403ffffc'],
    ['a length below the header', 'fff15c4000dffc'],
    ['a cut', 'fff15c403fff'],
  ])('refuses %s', (_name, text) => {
    expect(parseAdtsHeader(hex(text))).toBeUndefined();
  });

  it('counts a CRC to the header', () => {
    expect(parseAdtsHeader(hex('fff05080019ffcabcd010203'))?.headerBytes).toBe(9);
  });
});

describe('createAdtsFraming', () => {
  it('writes what FFmpeg writes', () => {
    expect(toHex(frameOf('1388', new Uint8Array(504)).subarray(0, 7))).toBe('fff15c403ffffc');
  });

  it('puts a program config in front of the payload, as FFmpeg does', () => {
    const frame = frameOf('12000504010020000d4c61766335392e33372e313030', new Uint8Array(377));
    expect(toHex(frame.subarray(0, 27))).toBe('fff15000329ffca0a0802004000d4c61766335392e33372e313030');
    expect(frame.length).toBe(parseAdtsHeader(frame)?.frameBytes);
  });

  it.each([
    ['a rate outside the table', '17800ac44010'],
    ['ELD', 'f8e62000'],
    ['channelConfiguration 12', '11e0'],
  ])('cannot express %s', (_name, asc) => {
    expect(framing(asc)).toBeUndefined();
  });

  it('sends HE-AAC as its core', () => {
    expect(parseAdtsHeader(frameOf('2b920800', new Uint8Array(1)))).toMatchObject({
      objectType: 2,
      sampleRate: 22_050,
    });
  });

  it('comes back as AudioSpecificConfig', () => {
    const header = parseAdtsHeader(frameOf('1210', new Uint8Array(1)));
    expect(header && toHex(writeAudioSpecificConfig(audioSpecificConfigFromAdts(header)))).toBe('1210');
  });

  it('says how much fits', () => {
    const made = framing('1210');
    const frame = new Uint8Array(8191);
    made?.writeHeader(frame, 0, made.maxPayloadBytes);
    expect(parseAdtsHeader(frame)?.frameBytes).toBe(8191);
  });
});

describe('splitAdtsFrames', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 });

  it('gives the payloads back wherever the stream is cut', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (list, where) => {
        const stream = new Uint8Array(Buffer.concat(list.map((payload) => frameOf('1210', payload))));
        const cut = where % (stream.length + 1);
        const first = splitAdtsFrames(stream.subarray(0, cut));
        const second = splitAdtsFrames(stream.subarray(first.consumedBytes));
        const found = [...first.frames, ...second.frames].map((frame) => frame.payload);
        expect(found).toEqual(list);
        expect(first.consumedBytes + second.consumedBytes).toBe(stream.length);
      }),
    );
  });

  it('steps over bytes that are no frame', () => {
    const stream = hex(`00ff00fff0${toHex(frameOf('1210', hex('aabb')))}ffff${toHex(frameOf('1210', hex('cc')))}`);
    expect(splitAdtsFrames(stream).frames.map((frame) => toHex(frame.payload))).toEqual(['aabb', 'cc']);
  });

  it('leaves out the CRC', () => {
    const { frames, consumedBytes } = splitAdtsFrames(hex('fff05080019ffcabcd010203'));
    expect(frames.map((frame) => toHex(frame.payload))).toEqual(['010203']);
    expect(consumedBytes).toBe(12);
  });

  it('waits for no more than one frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const { consumedBytes } = splitAdtsFrames(bytes);
        expect(bytes.length - consumedBytes).toBeLessThan(8192);
      }),
    );
  });
});
