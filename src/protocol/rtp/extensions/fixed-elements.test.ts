import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AbsCaptureTime, readAbsCaptureTime, writeAbsCaptureTime } from './abs-capture-time.ts';
import { absSendTimeDiffUs, readAbsSendTime, toAbsSendTime, writeAbsSendTime } from './abs-send-time.ts';
import { readAudioLevel, readMixerLevels, SILENT_LEVEL, VOICE_ACTIVITY, writeAudioLevel } from './audio-level.ts';
import { FrameMarking, readFrameMarking } from './frame-marking.ts';
import { HEADER_EXTENSION_URI, headerExtensionNameOf } from './header-extension-uris.ts';
import {
  MAX_PLAYOUT_DELAY_MS,
  maxPlayoutDelayMs,
  minPlayoutDelayMs,
  readPlayoutDelay,
  writePlayoutDelay,
} from './playout-delay.ts';
import { isStreamName, MAX_STREAM_NAME_BYTES, readStreamName, streamNameBytes } from './stream-name.ts';
import { readTransmissionOffset, writeTransmissionOffset } from './transmission-offset.ts';
import { readTransportWideSequenceNumber, writeTransportWideSequenceNumber } from './transport-wide-sequence-number.ts';
import { readVideoOrientation, toVideoOrientation, videoOrientationByte } from './video-orientation.ts';

const WRAPS_16 = [0, 1, 32_767, 32_768, 65_535];
const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('headerExtensionNameOf', () => {
  it('knows every URI of the table and no other', () => {
    for (const [name, uri] of Object.entries(HEADER_EXTENSION_URI)) expect(headerExtensionNameOf(uri)).toBe(name);
    expect(headerExtensionNameOf('urn:ietf:params:rtp-hdrext:encrypt')).toBeUndefined();
  });
});

describe('stream names', () => {
  it('reads the mid that Chromium sends', () => {
    expect(readStreamName(Uint8Array.of(0x90, 0x30), 1, 1)).toBe('0');
  });

  it('come back as they were written', () => {
    const names = fc.string({
      minLength: 1,
      maxLength: MAX_STREAM_NAME_BYTES,
      unit: fc.constantFrom('a', 'Z', '0', '9', '-', '_', '~', '!'),
    });
    fc.assert(
      fc.property(names, (name) => {
        const bytes = streamNameBytes(name)!;
        expect(readStreamName(bytes, 0, bytes.length)).toBe(name);
        expect(isStreamName(bytes, 0, bytes.length, bytes)).toBe(true);
        expect(isStreamName(bytes, 0, bytes.length, streamNameBytes('other')!)).toBe(false);
      }),
    );
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(33)],
    ['with a space', 'a b'],
    ['not ASCII', 'é'],
  ])('are refused when %s', (_, name) => {
    expect(streamNameBytes(name)).toBeUndefined();
    const bytes = new TextEncoder().encode(name);
    expect(readStreamName(bytes, 0, bytes.length)).toBeUndefined();
  });
});

describe('absolute send time', () => {
  it('reads what Chromium sends', () => {
    expect(readAbsSendTime(Uint8Array.of(0x22, 0x03, 0xf4, 0x48), 1, 3)).toBe(0x03f448);
  });

  it('is 2^18 ticks a second and wraps after 64 s', () => {
    expect(toAbsSendTime(1_000_000)).toBe(0x4_0000);
    expect(toAbsSendTime(63_999_999)).toBe(0xff_ffff);
    expect(toAbsSendTime(64_000_000)).toBe(0);
    expect(toAbsSendTime(64_500_000)).toBe(0x2_0000);
  });

  it('differs by the shorter way round', () => {
    expect(absSendTimeDiffUs(0, 0xff_ffff)).toBeCloseTo(3.8, 1);
    expect(absSendTimeDiffUs(0xff_ffff, 0)).toBeCloseTo(-3.8, 1);
    expect(absSendTimeDiffUs(0x7f_ffff, 0)).toBeCloseTo(31_999_996, 0);
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: -31_000_000, max: 31_000_000 }), (base, step) => {
        const us = base + 40_000_000;
        expect(Math.abs(absSendTimeDiffUs(toAbsSendTime(us + step), toAbsSendTime(us)) - step)).toBeLessThan(8);
      }),
    );
  });
});

describe('elements of a fixed size', () => {
  it.each(WRAPS_16)('carry transport-wide number %i', (value) => {
    const bytes = new Uint8Array(4);
    expect(writeTransportWideSequenceNumber(bytes, 1, value)).toBe(true);
    expect(readTransportWideSequenceNumber(bytes, 1, 2)).toBe(value);
    expect([bytes[0], bytes[3]]).toEqual([0, 0]);
  });

  it.each([0, 1, -1, 0x7f_ffff, -0x80_0000])('carry transmission offset %i', (value) => {
    const bytes = new Uint8Array(3);
    expect(writeTransmissionOffset(bytes, 0, value)).toBe(true);
    expect(readTransmissionOffset(bytes, 0, 3)).toBe(value);
  });

  it.each([0, 1, 0x7f_ffff, 0x80_0000, 0xff_ffff])('carry absolute send time %i', (value) => {
    const bytes = new Uint8Array(3);
    expect(writeAbsSendTime(bytes, 0, value)).toBe(true);
    expect(readAbsSendTime(bytes, 0, 3)).toBe(value);
  });

  it('are neither read nor written across an end', () => {
    const bytes = new Uint8Array(8);
    for (const at of [-1, 6, 7, 8, 100]) {
      expect(readAbsSendTime(bytes, at, 3)).toBeUndefined();
      expect(readTransmissionOffset(bytes, at, 3)).toBeUndefined();
      expect(readPlayoutDelay(bytes, at, 3)).toBeUndefined();
      expect(readAbsCaptureTime(bytes, at, 8, new AbsCaptureTime())).toBe(false);
      expect(writeAbsSendTime(bytes, at, 1)).toBe(false);
      expect(writeTransmissionOffset(bytes, at, 1)).toBe(false);
      expect(writePlayoutDelay(bytes, at, 10, 10)).toBe(false);
      expect(writeAbsCaptureTime(bytes, at, new AbsCaptureTime())).toBe(0);
    }
    for (const at of [-1, 8]) {
      expect(readAudioLevel(bytes, at, 1)).toBeUndefined();
      expect(writeAudioLevel(bytes, at, 1, true)).toBe(false);
      expect(readVideoOrientation(bytes, at, 1)).toBeUndefined();
      expect(writeTransportWideSequenceNumber(bytes, at, 1)).toBe(false);
      expect(readTransportWideSequenceNumber(bytes, at, 2)).toBeUndefined();
    }
    expect(bytes).toEqual(new Uint8Array(8));
  });

  it('are not read from elements of other sizes', () => {
    const bytes = new Uint8Array(40);
    for (const sizeBytes of [0, 1, 4, 5]) {
      expect(readAbsSendTime(bytes, 0, sizeBytes)).toBeUndefined();
      expect(readTransportWideSequenceNumber(bytes, 0, sizeBytes)).toBeUndefined();
      expect(readAbsCaptureTime(bytes, 0, sizeBytes, new AbsCaptureTime())).toBe(false);
    }
  });
});

describe('audio level', () => {
  it('has a voice flag and −dBov', () => {
    const bytes = new Uint8Array(1);
    writeAudioLevel(bytes, 0, 42, true);
    expect(readAudioLevel(bytes, 0, 1)).toBe(VOICE_ACTIVITY | 42);
    writeAudioLevel(bytes, 0, 400, false);
    expect(readAudioLevel(bytes, 0, 1)).toBe(SILENT_LEVEL);
  });

  it('is one for each source in a mixer’s element', () => {
    const levels = new Uint8Array(15);
    expect(readMixerLevels(Uint8Array.of(0x10, 0x90, 0x7f), 0, 3, levels)).toBe(3);
    expect([...levels.subarray(0, 3)]).toEqual([0x10, 0x10, 0x7f]);
    expect(readMixerLevels(new Uint8Array(20), 0, 16, levels)).toBe(0);
  });
});

describe('video orientation', () => {
  it('comes back as it was written, whatever it is', () => {
    for (let byte = 0; byte < 16; byte++) expect(videoOrientationByte(toVideoOrientation(byte))).toBe(byte);
  });

  it('loses its reserved bits', () => {
    expect(readVideoOrientation(Uint8Array.of(0xf5), 0, 1)).toBe(5);
    expect(toVideoOrientation(5)).toEqual({ isBackCamera: false, isFlipped: true, rotation: 90 });
  });
});

describe('playout delay', () => {
  it('comes back in steps of 10 ms', () => {
    const bytes = new Uint8Array(3);
    fc.assert(
      fc.property(fc.nat(4095), fc.nat(4095), (a, b) => {
        const [min, max] = [Math.min(a, b) * 10, Math.max(a, b) * 10];
        writePlayoutDelay(bytes, 0, min, max);
        const packed = readPlayoutDelay(bytes, 0, 3)!;
        expect([minPlayoutDelayMs(packed), maxPlayoutDelayMs(packed)]).toEqual([min, max]);
      }),
    );
  });

  it('is cut to what it can say', () => {
    const bytes = new Uint8Array(3);
    writePlayoutDelay(bytes, 0, -5, 1e9);
    expect([...bytes]).toEqual([0, 0x0f, 0xff]);
    expect(maxPlayoutDelayMs(readPlayoutDelay(bytes, 0, 3)!)).toBe(MAX_PLAYOUT_DELAY_MS);
  });

  it('is refused with the shortest above the longest', () => {
    expect(readPlayoutDelay(Uint8Array.of(0, 0x20, 0x01), 0, 3)).toBeUndefined();
  });
});

describe('absolute capture time', () => {
  it('reads what Chromium sends', () => {
    const time = new AbsCaptureTime();
    const bytes = Uint8Array.from(Buffer.from('eeabd46b4dbb05770000000000000000', 'hex'));
    expect(readAbsCaptureTime(bytes, 0, 16, time)).toBe(true);
    expect(time.ntpSeconds).toBe(0xeeabd46b);
    expect(time.hasClockOffset).toBe(true);
    expect(time.clockOffsetUs).toBe(0);
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(u32(), u32(), fc.boolean(), fc.integer(), u32(), (seconds, fraction, hasClockOffset, whole, part) => {
        const time = new AbsCaptureTime();
        time.ntpSeconds = seconds;
        time.ntpFraction = fraction;
        time.hasClockOffset = hasClockOffset;
        time.offsetSeconds = hasClockOffset ? whole : 0;
        time.offsetFraction = hasClockOffset ? part : 0;
        const bytes = new Uint8Array(16);
        const again = new AbsCaptureTime();
        expect(readAbsCaptureTime(bytes, 0, writeAbsCaptureTime(bytes, 0, time), again)).toBe(true);
        expect(again).toEqual(time);
      }),
    );
  });

  it('has an offset that may be negative', () => {
    const time = new AbsCaptureTime();
    const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0);
    readAbsCaptureTime(bytes, 0, 16, time);
    expect(time.clockOffsetUs).toBe(-500_000);
  });
});

describe('frame marking', () => {
  it('tells layers in its long form only', () => {
    const marking = new FrameMarking();
    expect(readFrameMarking(Uint8Array.of(0xaa, 3, 9), 0, 3, marking)).toBe(true);
    expect(marking).toMatchObject({
      isFrameStart: true,
      isFrameEnd: false,
      isIndependent: true,
      isBaseLayerSync: true,
      temporalId: 2,
      layerId: 3,
      tl0PictureIndex: 9,
    });
    expect(readFrameMarking(Uint8Array.of(0xaa), 0, 1, marking)).toBe(true);
    expect(marking).toMatchObject({ temporalId: 0, layerId: -1, tl0PictureIndex: -1, isBaseLayerSync: false });
    expect(readFrameMarking(new Uint8Array(9), 0, 4, marking)).toBe(false);
  });
});
