import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { parseElementaryStreamDescriptor } from './elementary-stream-descriptor.ts';
import { parseSampleDescriptions, type SampleDescription } from './sample-description.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = joinBytes([new Uint8Array(0), ...parts]);
  return new ByteWriter()
    .u32(8 + body.length)
    .raw(Buffer.from(type, 'latin1'))
    .raw(body)
    .finish();
}

interface SoundOptions {
  readonly version?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly rate?: number;
}

function sound(
  type: string,
  { version = 0, channels = 2, bits = 16, rate = 48_000 }: SoundOptions,
  ...boxes: Uint8Array[]
): Uint8Array {
  const writer = new ByteWriter()
    .u32(0)
    .u32(1)
    .u16(version)
    .u16(0)
    .u32(0)
    .u16(channels)
    .u16(bits)
    .u32(0)
    .u32(rate * 65_536);
  if (version === 1) writer.u32(1).u32(2).u32(4).u32(2);
  return box(type, writer.finish(), ...boxes);
}

/** QuickTime's version 2, as `lpcm` needs it. */
function soundV2(flags: number, bits: number): Uint8Array {
  const writer = new ByteWriter().u32(0).u32(1).u16(2).u16(0).u32(0).u16(3).u16(16).u32(0xfffe_0000).u32(65_536);
  writer
    .u32(72)
    .f64(96_000)
    .u32(2)
    .u32(0x7f00_0000)
    .u32(bits)
    .u32(flags)
    .u32(bits / 4)
    .u32(1);
  return box('lpcm', writer.finish());
}

function visual(type: string, ...boxes: Uint8Array[]): Uint8Array {
  return box(type, new Uint8Array(78), ...boxes);
}

function parse(handler: string, ...entries: readonly Uint8Array[]): unknown[] {
  const stsd = joinBytes([hex('00000000 00000000'), ...entries]);
  return parseSampleDescriptions(stsd, handler, 44_100);
}

const audioOf = (...entries: readonly Uint8Array[]): SampleDescription =>
  parse('soun', ...entries)[0] as SampleDescription;

const AAC_ESDS = hex('00000000 03 19 0001 00 04 11 40 15 000000 00000000 00000000 05 02 1190 06 01 02');

describe('parseSampleDescriptions', () => {
  it.each([
    ['sowt', sound('sowt', {}), 'l16', 4, 'little-16'],
    ['twos', sound('twos', {}), 'l16', 4, 'network'],
    ['twos of 8 bits', sound('twos', { bits: 8 }), 'l8', 2, 'signed-8'],
    ['raw', sound('raw ', { bits: 8 }), 'l8', 2, 'network'],
    ['in24', sound('in24', { version: 1 }), 'l24', 6, 'network'],
    ['in24 little', sound('in24', { version: 1 }, box('wave', box('enda', hex('0001')))), 'l24', 6, 'little-24'],
    ['lpcm signed little', soundV2(4, 16), 'l16', 4, 'little-16'],
    ['lpcm signed big 24', soundV2(4 | 2, 24), 'l24', 6, 'network'],
    ['ipcm', sound('ipcm', {}, box('pcmC', hex('00000000 01 18'))), 'l24', 6, 'little-24'],
    ['alaw', sound('alaw', { channels: 1, rate: 8000 }), 'g711a', 1, 'network'],
    ['ulaw', sound('ulaw', { version: 1, channels: 1, rate: 8000 }), 'g711u', 1, 'network'],
  ])('knows %s', (_name, entry, codec, blockBytes, order) => {
    expect(audioOf(entry)).toMatchObject({ codec, plain: { blockBytes, order } });
  });

  it.each([
    ['floating point', soundV2(1, 32)],
    ['32 bits', soundV2(4, 32)],
    ['a codec of its own', sound('QDM2', {})],
    ['no configuration', sound('Opus', {})],
    ['a cut', box('sowt', new Uint8Array(10))],
  ])('leaves out %s', (_name, entry) => {
    expect(parse('soun', entry)).toEqual([undefined]);
  });

  it('takes the rate of the track where the entry has none', () => {
    expect(audioOf(sound('sowt', { rate: 0 }))).toMatchObject({ sampleRate: 44_100 });
    expect(audioOf(soundV2(4, 16))).toMatchObject({ sampleRate: 96_000 });
  });

  it('finds the AudioSpecificConfig, in a QuickTime wave box too', () => {
    const expected = { codec: 'aac', config: hex('1190') };
    expect(audioOf(sound('mp4a', {}, box('esds', AAC_ESDS)))).toMatchObject(expected);
    const wave = box('wave', box('frma', Buffer.from('mp4a')), box('esds', AAC_ESDS), hex('00000008 00000000'));
    expect(audioOf(sound('mp4a', { version: 1 }, wave))).toMatchObject(expected);
  });

  it('makes OpusHead of dOps', () => {
    const dOps = hex('00 02 0138 0000bb80 ff00 00');
    expect(audioOf(sound('Opus', {}, box('dOps', dOps)))).toMatchObject({
      codec: 'opus',
      config: hex('4f70757348656164 01 02 3801 80bb0000 00ff 00'),
    });
  });

  it('keeps STREAMINFO of dfLa only', () => {
    const streamInfo = hex(`00 000022 ${'11'.repeat(34)}`);
    const dfLa = joinBytes([hex('00000000'), streamInfo, hex('81 000001 00')]);
    const { config } = audioOf(sound('fLaC', {}, box('dfLa', dfLa)));
    expect(config).toEqual(hex(`664c6143 80 000022 ${'11'.repeat(34)}`));
  });

  it('takes the records of video as they are, vpcC without its version', () => {
    const [avc, vp9, dv, mp4v] = parse(
      'vide',
      visual('avc3', box('avcC', hex('0164001f'))),
      visual('vp09', box('vpcC', hex('01000000 00 0a 82 010101 0000'))),
      visual('dvcp'),
      visual('mp4v', box('esds', hex('00000000 03 17 0001 00 04 0f 20 11 000000 00000000 00000000 05 02 0000'))),
    );
    expect(avc).toMatchObject({ codec: 'h264', config: hex('0164001f') });
    expect(vp9).toMatchObject({ codec: 'vp9', config: hex('000a820101010000') });
    expect(dv).toMatchObject({ codec: 'dv' });
    expect(mp4v).toMatchObject({ codec: 'mp4v', config: hex('0000') });
  });

  it('tells encryption apart', () => {
    expect(parse('vide', visual('encv'))).toEqual(['encrypted']);
    expect(parse('soun', sound('enca', {}))).toEqual(['encrypted']);
  });

  it('survives any bytes', () => {
    const types = ['mp4a', 'sowt', 'lpcm', 'Opus', 'fLaC', 'avc1', 'mp4v', 'vp09'];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 120 }), (type, body) => {
        parse('soun', box(type, body));
        parse('vide', box(type, body));
        parseSampleDescriptions(body, 'vide', 1);
      }),
    );
  });
});

describe('parseElementaryStreamDescriptor', () => {
  it.each([
    [
      'long lengths',
      '00000000 03 80808019 0001 00 04 80808011 40 15 000000 00000000 00000000 05 80808002 1190',
      0x40,
      '1190',
    ],
    ['optional fields', '00000000 03 20 0001 e0 0002 01 61 0003 04 11 6b 15 000000 00000000 00000000', 0x6b, ''],
    ['a config cut short', '00000000 03 19 0001 00 04 11 40 15 000000 00000000 00000000 05 05 1190', 0x40, '1190'],
    ['no stream descriptor around it', '00000000 04 11 40 15 000000 00000000 00000000 05 02 1190', 0x40, '1190'],
  ])('reads %s', (_name, text, objectTypeIndication, config) => {
    expect(parseElementaryStreamDescriptor(hex(text))).toEqual({
      objectTypeIndication,
      decoderSpecificInfo: hex(config),
    });
  });

  it('refuses what has no decoder configuration', () => {
    expect(parseElementaryStreamDescriptor(hex('00000000 03 03 0001 00'))).toBeUndefined();
    expect(parseElementaryStreamDescriptor(hex('00000000 04 11 40'))).toBeUndefined();
    expect(parseElementaryStreamDescriptor(new Uint8Array(0))).toBeUndefined();
  });
});
