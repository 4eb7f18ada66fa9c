import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioCodec, Track, VideoCodec } from './track.ts';
import { audioDetails, isKeyFramePayload, nalLengthSize, videoDetails } from './track-details.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

type VideoRow = readonly [string, string, number, number, number | undefined, string, string, string];

// Records as x264, x265, SVT-AV1, libaom and libvpx wrote them; sizes, rates, profiles and levels as ffprobe shows them.
const H264: readonly VideoRow[] = [
  [
    'bbb.flv baseline',
    '0142c01effe100196742c01ed890280bfe5c0440000003004000000c83c58b898001000568c888cb20',
    640,
    360,
    25,
    'Constrained Baseline',
    '3.0',
    'avc1.42c01e',
  ],
  [
    '1080p with 8 rows cropped',
    '0142c028ffe1001c6742c028da01e0089f97016a02020280000003008000001e078c195001000468ce0fc8',
    1920,
    1080,
    30,
    'Constrained Baseline',
    '4.0',
    'avc1.42c028',
  ],
  [
    '1080i with HRD',
    '01640028ffe1002567640028acd94078044fde022000000300200000064c080005b8d8000b71bc98601f162d9601000568faacb22cfdf8f800',
    1920,
    1080,
    25,
    'High',
    '4.0',
    'avc1.640028',
  ],
  [
    '4:2:2 10 bit',
    '017a001fffe10019677a001fb6cd9405005bb01100000303e90000ea600f18319601000668ebe3cb22c0fefafa00',
    1280,
    720,
    30_000 / 1001,
    'High 4:2:2',
    '3.1',
    'avc1.7a001f',
  ],
  [
    'odd size in 4:4:4',
    '01f4000dffe1001f67f4000d919b282a10f08477fe1f5a1f6220000003002000000601e28532c001000668ebe3c44844fff8f800',
    321,
    243,
    24,
    'High 4:4:4 Predictive',
    '1.3',
    'avc1.f4000d',
  ],
  [
    'monochrome',
    '0164000dffe100196764000df3650507ec05b2000003000200000300601e28532c01000668ebe3cb22c0fcf8f800',
    320,
    240,
    24,
    'High',
    '1.3',
    'avc1.64000d',
  ],
  [
    'cropping with scaling lists',
    '0164000dffe100196764000dacd941519e226c04400000fa40002ee003c50a658001000768ebe3cb3002c0fdf8f800',
    322,
    182,
    24_000 / 1001,
    'High',
    '1.3',
    'avc1.64000d',
  ],
  [
    'constrained baseline QCIF',
    '0142c00affe100166742c00ad902c4ec0440000003004000000783c4899201000568cb83cb20',
    176,
    144,
    15,
    'Constrained Baseline',
    '1.0',
    'avc1.42c00a',
  ],
  [
    'main with wide pixels',
    '014d401effe1001c674d401eeca05a0937fe0080005a20000003002000000641e2c5b2c001000568ebe3cb20',
    720,
    576,
    25,
    'Main',
    '3.0',
    'avc1.4d401e',
  ],
  [
    'High 10',
    '016e001fffe1001a676e001fa6cd940a02ff970110000003001000000640f183196001000668ebe3cb22c0fdfafa00',
    640,
    360,
    50,
    'High 10',
    '3.1',
    'avc1.6e001f',
  ],
  [
    'High 10 Intra',
    '016e101fffe10017676e101fa6cb81405ff2e022000003000200000300c80801000568ee0f2c8bfdfafa00',
    640,
    360,
    50,
    'High 10 Intra',
    '3.1',
    'avc1.6e101f',
  ],
  [
    'interlaced PAL',
    '0164001effe1001c6764001eacd940b424dff8020001688000000300800000190f8a14cb01000768fba3cb3002c0fdf8f800',
    720,
    576,
    25,
    'High',
    '3.0',
    'avc1.64001e',
  ],
];
const H265: readonly VideoRow[] = [
  [
    'Main 1080p',
    '01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000030078959409a10001002b420101016000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000f04a2000100064401c073c189',
    1920,
    1080,
    30,
    'Main',
    '4.0',
    'hvc1.1.6.L120.90',
  ],
  [
    'Main 10 with HDR10 colours',
    '01022000000090000000000078f000fcfdfafa00000f04a00001001840010c01ffff022000000300900000030000030078959409a10001002c420101022000000300900000030000030078a00280802d136595952930bc05a84880482000007d20001d4c01a2000100064401c073c189270001000a4e019004000003000080',
    1280,
    720,
    60_000 / 1001,
    'Main 10',
    '4.0',
    'hvc1.2.4.L120.90',
  ],
  [
    '4:2:2 10 bit with odd chroma',
    '0104080000009d08000000003ff000fcfefafa00000f03a00001001740010c01ffff0408000003009d0800000300003f959409a10001002c4201010408000003009d0800000300003fb005220171c44ed965654a4c2f016808000003000800000300c840a2000100064401c073c189',
    642,
    362,
    25,
    'Main 4:2:2 10',
    '2.1',
    'hvc1.4.10.L63.9D.8',
  ],
  [
    'odd size in 4:4:4',
    '0104080000009e08000000003cf000fcfff8f800000f03a00001001740010c01ffff0408000003009e0800000300003c959409a1000100304201010408000003009e0800000300003c9001510080e3a332caca94985fff342b33dcd0100000030010000003018080a2000100084401c07318301890',
    323,
    245,
    24,
    'Main 4:4:4',
    '2.0',
    'hvc1.4.10.L60.9E.8',
  ],
  [
    '12 bit',
    '0104080000009988000000003cf000fcfdfcfc00000f03a00001001740010c01ffff040800000300998800000300003c959409a10001002a420101040800000300998800000300003ca00a080f114a595952930bc05a020000030002000003003010a2000100064401c073c189',
    320,
    240,
    24,
    'Main 12',
    '2.0',
    'hvc1.4.10.L60.99.88',
  ],
  [
    'monochrome',
    '0104080000009fc8000000003cf000fcfcf8f800000f03a00001001740010c01ffff0408000003009fc800000300003c959409a1000100294201010408000003009fc800000300003cc028203c5965654a4c2f016c08000003000800000300c040a2000100064401c073c189',
    320,
    240,
    24,
    'Monochrome',
    '2.0',
    'hvc1.4.10.L60.9F.C8',
  ],
  [
    'two temporal layers, HRD and scaling lists',
    '0101600000009000000000005af002fffdf8f800001304a00001001c40010c02ffff01600000030090000003000003005a00009594aca048a10001003f42010201600000030090000003000003005a0000a0050201e1659594aca949c2f01680800000030080000019304e4c370007a12000f425c001e848003d0910a2000100064401c073c18927000100064e0181010f80',
    640,
    480,
    50,
    'Main',
    '3.0',
    'hvc1.1.6.L90.90',
  ],
  [
    '2160p',
    '01016000000090000000000099f000fcfdf8f800000f03a00001001840010c01ffff016000000300900000030000030099959409a10001002c420101016000000300900000030000030099a001e020021c5965654a4c2f016808000003000800000301e040a2000100064401c073c189',
    3840,
    2160,
    60,
    'Main',
    '5.1',
    'hvc1.1.6.L153.90',
  ],
  [
    'interlaced source',
    '0101600000004000000000005af000fcfdf8f800000f04a00001001840010c01ffff01600000030040000003000003005a959409a10001002b42010101600000030040000003000003005aa005a200905965654a4c2f016868000003000800000300c840a2000100064401c073c18927000100064e0181010f80',
    720,
    576,
    25,
    'Main',
    '3.0',
    'hvc1.1.6.L90.40',
  ],
  [
    'predicted reference picture sets',
    '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959809a10001002b42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c040a2000100074401c172b46240',
    320,
    180,
    24,
    'Main',
    '2.0',
    'hvc1.1.6.L60.90',
  ],
];
const AV1: readonly VideoRow[] = [
  ['1080p', '81080c000a0b00000042abbfc3700be001', 1920, 1080, undefined, 'Main', '4.0', 'av01.0.08M.08'],
  ['10 bit', '81014c000a0b0000000cc5036936be5010', 642, 362, undefined, 'Main', '2.1', 'av01.0.01M.10'],
  [
    'odd size in 4:4:4',
    '812000000a0a200000043d03c8daf902',
    321,
    243,
    undefined,
    'High',
    '2.0',
    'av01.1.00M.08.0.000.01.01.01.0',
  ],
  [
    'monochrome full range',
    '81001c000a0a000000043cffbcdaf92a',
    320,
    240,
    undefined,
    'Main',
    '2.0',
    'av01.0.00M.08.1.110.01.01.01.1',
  ],
  [
    '4:2:2 12 bit PQ',
    '814068000a0e400000043cffbcdaf96848804a20',
    320,
    240,
    undefined,
    'Professional',
    '2.0',
    'av01.2.00M.12.0.100.09.16.09.0',
  ],
];
const VP9: readonly (readonly [string, string, string, number, number, string, string, string])[] = [
  [
    'profile 0',
    '010000000028820202020000',
    '824983420077f043760638241c184a1806405f62',
    1920,
    1080,
    'Profile 0',
    '4.0',
    'vp09.00.40.08',
  ],
  [
    'odd size in 4:4:4',
    '010000000114860202020000',
    'a249834200028001e4c0c7048383094001f65fcd',
    321,
    243,
    'Profile 1',
    '2.0',
    'vp09.01.20.08.03.01.01.01.00',
  ],
  [
    '10 bit',
    '010000000215a20202020000',
    '924983420014080b4b031c120e0c2c0803ec5fc9',
    642,
    362,
    'Profile 2',
    '2.1',
    'vp09.02.21.10',
  ],
  [
    '4:2:2 12 bit',
    '010000000314c40202020000',
    'b124c1a14200a08078b031c120e0c2e00063805f',
    322,
    242,
    'Profile 3',
    '2.0',
    'vp09.03.20.12.02.01.01.01.00',
  ],
];
const AUDIO: readonly (readonly [string, AudioCodec, string, string, number, number, string, string])[] = [
  ['AAC-LC', 'aac', '1210', '', 44100, 2, 'LC', 'mp4a.40.2'],
  ['AAC-LC with an SBR extension that says no', 'aac', '119056e500', '', 48000, 2, 'LC', 'mp4a.40.2'],
  ['AAC-LC 5.1', 'aac', '11b056e500', '', 48000, 6, 'LC', 'mp4a.40.2'],
  ['AAC-LC 7.1', 'aac', '123856e500', '', 44100, 8, 'LC', 'mp4a.40.2'],
  [
    'AAC-LC 2.1 by program config',
    'aac',
    '12000504010020000d4c61766335392e33372e31303056e500',
    '',
    44100,
    3,
    'LC',
    'mp4a.40.2',
  ],
  [
    'AAC-LC 7.1 by program config',
    'aac',
    '118004c848002000c6400d4c61766335392e33372e31303056e500',
    '',
    48000,
    8,
    'LC',
    'mp4a.40.2',
  ],
  ['HE-AAC told in front', 'aac', '2b920800', '', 44100, 2, 'HE-AAC', 'mp4a.40.5'],
  ['HE-AAC v2 told in front', 'aac', 'eb8a0800', '', 44100, 2, 'HE-AACv2', 'mp4a.40.29'],
  ['HE-AAC told behind', 'aac', '139056e5a0', '', 44100, 2, 'HE-AAC', 'mp4a.40.5'],
  ['HE-AAC v2 told behind', 'aac', '138856e5a54880', '', 44100, 2, 'HE-AACv2', 'mp4a.40.29'],
  ['AAC Main', 'aac', '0a10', '', 44100, 2, 'Main', 'mp4a.40.1'],
  ['Opus stereo', 'opus', '4f707573486561640102380180bb0000000000', '', 48000, 2, 'Opus', 'opus'],
  ['Opus 5.1', 'opus', '4f707573486561640106380180bb00000000010402000401020305', '', 48000, 6, 'Opus', 'opus'],
  ['Opus without a head', 'opus', '', '', 48000, 2, 'Opus', 'opus'],
  ['MP3 at 48000 Hz', 'mp3', '', 'fffb5464', 48000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 44100 Hz', 'mp3', '', 'fffb5064', 44100, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 32000 Hz', 'mp3', '', 'fffb5864', 32000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 24000 Hz', 'mp3', '', 'fff38464', 24000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 22050 Hz', 'mp3', '', 'fff38064', 22050, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 16000 Hz', 'mp3', '', 'fff38864', 16000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 12000 Hz', 'mp3', '', 'ffe38464', 12000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 11025 Hz', 'mp3', '', 'ffe38064', 11025, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 at 8000 Hz', 'mp3', '', 'ffe38864', 8000, 2, 'Layer III', 'mp4a.40.34'],
  ['MP3 mono', 'mp3', '', 'fffb50c4', 44100, 1, 'Layer III', 'mp4a.40.34'],
  ['MPEG layer II', 'mp3', '', 'fffd8004', 44100, 2, 'Layer II', 'mp4a.40.33'],
  ['AC-3 5.1', 'ac3', '', '0b77b50b1e40ebf8403eff99', 48000, 6, 'AC-3', 'ac-3'],
  ['AC-3 stereo', 'ac3', '', '0b77c2ea544043e106f575f0', 44100, 2, 'AC-3', 'ac-3'],
  ['AC-3 mono', 'ac3', '', '0b77999b88402f842ba1cefa', 32000, 1, 'AC-3', 'ac-3'],
  ['E-AC-3 5.1', 'eac3', '', '0b77037f3f87c00020f82000', 48000, 6, 'E-AC-3', 'ec-3'],
  ['E-AC-3 stereo', 'eac3', '', '0b7701157487c00020842108', 44100, 2, 'E-AC-3', 'ec-3'],
  [
    'FLAC',
    'flac',
    '664c6143000000221200120000046d0005080ac442f0000033ae36567c6137e8d578c431ed191fd85ff5',
    '',
    44100,
    2,
    '16 bit',
    'flac',
  ],
  [
    'FLAC 24 bit 5.1',
    'flac',
    '664c614300000022200020000004b00008a817700b70000070805ed184c835458f440be780b4e93dc968',
    '',
    96000,
    6,
    '24 bit',
    'flac',
  ],
];

function expectVideo(codec: VideoCodec, row: VideoRow): void {
  const [, config, width, height, frameRate, profile, level, codecString] = row;
  const rate = frameRate === undefined ? {} : { frameRate: expect.closeTo(frameRate, 6) };
  expect(videoDetails(codec, hex(config))).toEqual({ width, height, ...rate, profile, level, codecString });
}

describe('videoDetails', () => {
  it.each(H264)('reads H.264: %s', (...row) => expectVideo('h264', row));
  it.each(H265)('reads H.265: %s', (...row) => expectVideo('h265', row));
  it.each(AV1)('reads AV1: %s', (...row) => expectVideo('av1', row));

  it.each(VP9)('reads VP9: %s', (_name, config, frame, width, height, profile, level, codecString) => {
    const expected = { width, height, profile, level, codecString };
    expect(videoDetails('vp9', hex(config), hex(frame))).toEqual(expected);
    expect(videoDetails('vp9', new Uint8Array(), hex(frame))).toEqual(expected);
    expect(videoDetails('vp9', hex(config))).toBeUndefined();
  });

  it('believes the level of a vpcC that tells one', () => {
    const frame = hex('824983420077f043760638241c184a1806405f62');
    expect(videoDetails('vp9', hex('0029820101010000'), frame)?.codecString).toBe('vp09.00.41.08');
  });

  it('reads VP8 from its first frame', () => {
    expect(videoDetails('vp8', new Uint8Array(), hex('704a009d012ab00090000007'))).toEqual({
      width: 176,
      height: 144,
      profile: 'version 0',
      level: '',
      codecString: 'vp8',
    });
  });

  it('reads parameter sets in Annex B form', () => {
    const sps = '6742c01ed890280bfe5c0440000003004000000c83c58b8980';
    expect(videoDetails('h264', hex(`00000001${sps}0000000168c888cb20`))?.width).toBe(640);
  });

  it('reads parameter sets that come only with the first frame', () => {
    const sps = '6742c01ed890280bfe5c0440000003004000000c83c58b8980';
    const config = hex('0142c01effe000');
    expect(videoDetails('h264', config)).toBeUndefined();
    expect(videoDetails('h264', config, hex(`00000019${sps}000000026588`))?.height).toBe(360);
  });

  it('knows nothing of opaque codecs', () => {
    expect(videoDetails('vp6', hex('00'))).toBeUndefined();
    expect(audioDetails('speex', hex('00'))).toBeUndefined();
  });

  it('gives undefined or a size for any bytes', () => {
    const codecs: readonly VideoCodec[] = ['h264', 'h265', 'av1', 'vp8', 'vp9'];
    fc.assert(
      fc.property(fc.constantFrom(...codecs), fc.uint8Array({ maxLength: 300 }), (codec, bytes) => {
        const found = videoDetails(codec, bytes, bytes);
        if (found !== undefined) expect(found.width * found.height).toBeGreaterThan(0);
      }),
    );
  });

  it.each([...H264, ...H265])('survives every cut and every flipped byte: %s', (_name, config) => {
    const bytes = hex(config);
    for (let i = 0; i < bytes.length; i++) {
      const flipped = bytes.slice();
      flipped[i]! ^= 0xff;
      for (const codec of ['h264', 'h265'] as const) {
        videoDetails(codec, bytes.subarray(0, i));
        videoDetails(codec, flipped);
      }
    }
  });
});

describe('audioDetails', () => {
  it.each(AUDIO)('reads %s', (_name, codec, config, frame, sampleRate, channels, profile, codecString) => {
    expect(audioDetails(codec, hex(config), hex(frame))).toEqual({ sampleRate, channels, profile, codecString });
  });

  it('gives undefined or a rate for any bytes', () => {
    const codecs: readonly AudioCodec[] = ['aac', 'mp3', 'opus', 'ac3', 'eac3', 'flac'];
    fc.assert(
      fc.property(fc.constantFrom(...codecs), fc.uint8Array({ maxLength: 100 }), (codec, bytes) => {
        const found = audioDetails(codec, bytes, bytes);
        if (found !== undefined) expect(found.sampleRate).toBeGreaterThan(0);
      }),
    );
  });
});

describe('isKeyFramePayload', () => {
  it.each([
    ['h264', '0000000209f0000000056588840057', true],
    ['h264', '00000005419a216c45', false],
    ['h264', '00000004060105000000000568ebe3cb20', false],
    ['h265', '000000062801ac210443', true],
    ['h265', '0000000c4e010007800000000000000000000004260100af', true],
    ['h265', '000000060201d0214988', false],
    ['av1', '0a0b00000042abbfc373efe4013203100087', true],
    ['av1', '3203300087', false],
    ['av1', '1a01b8', false],
    ['vp8', '704a009d012ab00090000007', true],
    ['vp8', '714a00aabbcc', false],
    ['vp9', '824983420077f043760638241c184a18', true],
    ['vp9', '86004092f1214006', false],
    ['aac', '21', true],
    ['vp6', '14', true],
  ] as const)('%s %s: %s', (codec, payload, expected) => {
    expect(isKeyFramePayload(codec, hex(payload), 4)).toBe(expected);
  });

  it('agrees with the FLV tags of bbb.flv', () => {
    const file = new Uint8Array(readFileSync(new URL('../../test/fixtures/bbb.flv', import.meta.url)));
    let pictures = 0;
    for (let at = 13; at < file.length; ) {
      const size = (file[at + 1]! << 16) | (file[at + 2]! << 8) | file[at + 3]!;
      const body = file.subarray(at + 11, at + 11 + size);
      if (file[at] === 9 && body[1] === 1) {
        pictures++;
        expect(isKeyFramePayload('h264', body.subarray(5), 4)).toBe(body[0]! >>> 4 === 1);
      }
      at += 15 + size;
    }
    expect(pictures).toBe(250);
  });
});

describe('nalLengthSize', () => {
  const track = (codec: Track['codec'], config: string): Track => ({
    kind: 'video',
    trackId: 0,
    codec,
    config: hex(config),
  });

  it.each([
    ['h264', '0142c01eff', 4],
    ['h264', '0142c01efd', 2],
    ['h264', '0142c01efc', 1],
    ['h264', '', 4],
    ['h264', '00000001fd', 4],
    ['h265', '01016000000090000000000078f000fcfdf8f800000d03', 2],
    ['h265', '000000014001000000000000000000000000000000000000', 4],
    ['av1', '81080c00', 4],
  ] as const)('%s %s: %d', (codec, config, expected) => {
    expect(nalLengthSize(track(codec, config))).toBe(expected);
  });
});
