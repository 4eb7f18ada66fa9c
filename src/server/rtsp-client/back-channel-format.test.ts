import { describe, expect, it } from 'vitest';
import type { Track } from '../../codec/track.ts';
import { parseSessionDescription } from '../../protocol/sdp/session-description-parser.ts';
import { backChannelFormats, formatFor, formatName } from './back-channel-format.ts';

const AAC_FMTP = 'streamtype=5;profile-level-id=15;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3';

/** The formats of a back channel with these lines. */
function formatsOf(...lines: string[]) {
  const sdp = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=x', 't=0 0', ...lines, 'a=sendonly'].join('\r\n');
  const [media] = parseSessionDescription(new TextEncoder().encode(`${sdp}\r\n`))!.media;
  return backChannelFormats({ index: 0, media: media!, url: 'rtsp://h/back', isBackChannel: true });
}

function sound(
  codec: 'g711u' | 'g711a' | 'aac' | 'opus',
  sampleRate: number,
  channels = 1,
  config: number[] = [],
): Track {
  const audio = { sampleRate, channels, profile: '', codecString: codec };
  return { kind: 'audio', trackId: 0, codec, config: Uint8Array.from(config), audio };
}

const PCMU = 'm=audio 0 RTP/AVP 0';
const AAC = ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 MPEG4-GENERIC/16000/1'] as const;

describe('formats of a back channel', () => {
  it.each([
    ['a static payload type', [PCMU], ['PCMU/8000']],
    ['several', ['m=audio 0 RTP/AVP 0 8 97', 'a=rtpmap:97 G726-32/8000'], ['PCMU/8000', 'PCMA/8000']],
    ['none Millrace has', ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-32/8000'], []],
    ['SRTP', ['m=audio 0 RTP/SAVP 0'], []],
    ['video', ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000'], []],
  ])('are those of %s', (_, lines, names) => {
    expect(formatsOf(...lines).map(formatName)).toEqual(names.map((name) => expect.stringContaining(name)));
  });

  it.each([
    ['the same law', sound('g711u', 8000), [PCMU], 0],
    ['a second choice', sound('g711a', 8000), ['m=audio 0 RTP/AVP 0 8'], 8],
    ['the other law', sound('g711a', 8000), [PCMU], undefined],
    ['another rate', sound('g711u', 16_000), [PCMU], undefined],
    ['two channels', sound('g711u', 8000, 2), [PCMU], undefined],
    ['a payload type of its own', sound('g711u', 16_000), ['m=audio 0 RTP/AVP 98', 'a=rtpmap:98 PCMU/16000'], 98],
    ['a named channel', sound('g711u', 8000), ['m=audio 0 RTP/AVP 98', 'a=rtpmap:98 PCMU/8000/1'], 98],
    ['the same AAC', sound('aac', 16_000, 1, [0x14, 0x08]), [...AAC, `a=fmtp:97 ${AAC_FMTP};config=1408`], 97],
    [
      'AAC of another rate',
      sound('aac', 48_000, 1, [0x11, 0x88]),
      [...AAC, `a=fmtp:97 ${AAC_FMTP};config=1408`],
      undefined,
    ],
    [
      'AAC laid out otherwise',
      sound('aac', 16_000, 1, [0x14, 0x08]),
      [...AAC, 'a=fmtp:97 mode=AAC-lbr;sizelength=6;indexlength=2;indexdeltalength=2;config=1408'],
      undefined,
    ],
    ['Opus for G.711', sound('opus', 48_000, 2), [PCMU], undefined],
  ])('fit %s or not', (_, track, lines, payloadType) => {
    expect(formatFor(track, formatsOf(...lines))?.payloadType).toBe(payloadType);
  });
});
