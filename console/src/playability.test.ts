import { describe, expect, it } from 'vitest';
import { judgePlayability } from './playability.ts';
import { audioEntry, streamEntry, videoEntry } from './stream-entry.fixture.ts';

const everything = (): boolean => true;
const onlyAvcAndAac = (type: string): boolean => /avc1|mp4a/.test(type);

describe('what can be played', () => {
  it('is picture and sound when the browser takes both', () => {
    expect(judgePlayability(streamEntry(), 'flv', onlyAvcAndAac)).toEqual({
      kind: 'playable',
      hasVideo: true,
      hasAudio: true,
      silentBecause: undefined,
    });
  });

  it('names the codec the browser cannot decode', () => {
    const stream = streamEntry({ video: videoEntry({ codec: 'h265', codecString: 'hvc1.1.6.L93.B0' }) });
    expect(judgePlayability(stream, 'flv', onlyAvcAndAac)).toEqual({
      kind: 'unplayable',
      reason: 'This browser cannot decode hvc1.1.6.L93.B0 (H.265)',
    });
  });

  it('names the transport that cannot carry the codec to this page', () => {
    const stream = streamEntry({ video: videoEntry({ codec: 'vp9', codecString: 'vp09.00.31.08' }) });
    expect(judgePlayability(stream, 'ts', everything)).toMatchObject({
      reason: 'This page cannot play VP9 over HTTP-TS',
    });
  });

  it('plays without the sound that cannot be played, and says so', () => {
    const stream = streamEntry({ audio: audioEntry({ codec: 'ac3', codecString: 'ac-3' }) });
    expect(judgePlayability(stream, 'ws', everything)).toEqual({
      kind: 'playable',
      hasVideo: true,
      hasAudio: false,
      silentBecause: 'This page cannot play AC-3 over WebSocket-FLV',
    });
    expect(judgePlayability(stream, 'ts', everything)).toMatchObject({ hasAudio: true });
  });

  it('refuses a stream of sound alone that cannot be played', () => {
    const stream = streamEntry({ video: null, audio: audioEntry({ codec: 'speex', codecString: '' }) });
    expect(judgePlayability(stream, 'flv', everything).kind).toBe('unplayable');
  });

  it('asks for MP3 by the type all browsers know', () => {
    const asked: string[] = [];
    judgePlayability(streamEntry({ video: null, audio: audioEntry({ codec: 'mp3' }) }), 'flv', (type) => {
      asked.push(type);
      return true;
    });
    expect(asked).toEqual(['audio/mpeg']);
  });

  it('tries a track whose codec string is not known', () => {
    const stream = streamEntry({ video: videoEntry({ codecString: '' }) });
    expect(judgePlayability(stream, 'flv', (type) => type.startsWith('audio/')).kind).toBe('playable');
  });
});
