import { describe, expect, it } from 'vitest';
import { sampleAudioDetails } from '../../../../src/codec/sample-audio.ts';
import type { Codec, Track } from '../../../../src/codec/track.ts';
import {
  depacketizerOf,
  mappingOf,
  packetizerOf,
  STATIC_MAPPINGS,
  trackOf,
} from '../../../../src/protocol/rtp/payload/payload-formats.ts';
import { audioMapping } from '../../../rtp-audio-fixtures.ts';

const track = (kind: Track['kind'], codec: Codec, more: Partial<Track> = {}): Track => ({
  kind,
  trackId: 0,
  codec,
  config: new Uint8Array(0),
  ...more,
});
const sound = (codec: 'g711u' | 'l16', rate: number): Track =>
  track('audio', codec, { audio: sampleAudioDetails(codec, rate, 1) });

describe('payload formats', () => {
  it.each([
    ['g711u', sound('g711u', 8000), 'PCMU', 0],
    ['l16', sound('l16', 48_000), 'L16', 100],
    ['aac', track('audio', 'aac', { config: Uint8Array.of(0x11, 0x90) }), 'MPEG4-GENERIC', 100],
    ['opus', track('audio', 'opus'), 'opus', 100],
    ['mp2', track('audio', 'mp2'), 'MPA', 14],
    ['amr', track('audio', 'amr'), 'AMR', 100],
    ['mp2t', track('video', 'mp2t'), 'MP2T', 33],
    ['h264', track('video', 'h264'), 'H264', 100],
  ])('are found for %s', (_, input, encodingName, payloadType) => {
    const mapping = mappingOf(input, 100)!;
    expect(mapping).toMatchObject({ encodingName, payloadType });
    expect(packetizerOf(input)).toBeDefined();
    expect(depacketizerOf(mapping)).toBeDefined();
    expect(trackOf(mapping, input.kind, 3)).toMatchObject({ kind: input.kind, trackId: 3, codec: input.codec });
  });

  it.each([
    ['flac, which RTP has no form for', track('audio', 'flac')],
    ['data', track('data', 'amf0')],
    ['a codec that is passed through only', track('audio', 'speex')],
  ])('are not found for %s', (_, input) => {
    expect(mappingOf(input, 100)).toBeUndefined();
    expect(packetizerOf(input)).toBeUndefined();
  });

  it('are not found for names nobody knows, or in lines of another kind', () => {
    expect(trackOf(audioMapping('X-UNKNOWN', 8000), 'audio', 0)).toBeUndefined();
    expect(depacketizerOf(audioMapping('X-UNKNOWN', 8000))).toBeUndefined();
    expect(trackOf(audioMapping('PCMU', 8000), 'video', 0)).toBeUndefined();
    expect(trackOf(audioMapping('MP2T', 90_000), 'audio', 0)).toMatchObject({ kind: 'video', codec: 'mp2t' });
  });

  it('find the same encoding in either case', () => {
    expect(trackOf(audioMapping('pcma', 8000), 'audio', 0)?.codec).toBe('g711a');
    expect(trackOf(audioMapping('Mpeg4-Generic', 48_000, 2, 'mode=AAC-hbr'), 'audio', 0)?.codec).toBe('aac');
  });
});

describe('static payload types', () => {
  it.each([
    [0, 'PCMU', 8000, 'g711u', 8000, 1],
    [5, 'DVI4', 8000, 'dvi4', 8000, 1],
    [6, 'DVI4', 16_000, 'dvi4', 16_000, 1],
    [8, 'PCMA', 8000, 'g711a', 8000, 1],
    [9, 'G722', 8000, 'g722', 16_000, 1],
    [10, 'L16', 44_100, 'l16', 44_100, 2],
    [11, 'L16', 44_100, 'l16', 44_100, 1],
    [16, 'DVI4', 11_025, 'dvi4', 11_025, 1],
    [17, 'DVI4', 22_050, 'dvi4', 22_050, 1],
  ])('%i is %s/%i', (payloadType, encodingName, clockRate, codec, sampleRate, channels) => {
    const mapping = STATIC_MAPPINGS.get(payloadType)!;
    expect(mapping).toMatchObject({ payloadType, encodingName, clockRate });
    const made = trackOf(mapping, 'audio', 0)!;
    expect(made).toMatchObject({ codec, audio: { sampleRate, channels } });
    expect(mappingOf(made, 100)?.payloadType).toBe(payloadType);
  });

  it('14 and 33 are MPEG audio and transport streams', () => {
    expect(trackOf(STATIC_MAPPINGS.get(14)!, 'audio', 0)?.codec).toBe('mp3');
    expect(trackOf(STATIC_MAPPINGS.get(33)!, 'video', 0)?.codec).toBe('mp2t');
  });

  it('name formats that Millrace does not have too', () => {
    expect(STATIC_MAPPINGS.get(18)).toMatchObject({ encodingName: 'G729' });
    expect(trackOf(STATIC_MAPPINGS.get(18)!, 'audio', 0)).toBeUndefined();
  });
});
