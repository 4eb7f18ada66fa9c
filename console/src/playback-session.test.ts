import { describe, expect, it } from 'vitest';
import { PlaybackSession, type SessionEvent } from './playback-session.ts';
import { audioEntry, streamEntry, videoEntry } from './stream-entry.fixture.ts';

const everything = (): boolean => true;

/** Events in short: `open flv`, `close`, `state playing`. */
function brief(events: readonly SessionEvent[]): string[] {
  return events.map((event) => {
    switch (event.type) {
      case 'open':
        return `open ${event.request.transport}`;
      case 'state':
        return `state ${event.state.kind}`;
      default:
        return event.type;
    }
  });
}

/** A session that has been playing since 0 ms. */
function playing(): PlaybackSession {
  const session = new PlaybackSession('flv', everything);
  session.updateStream(streamEntry(), 0);
  session.handleMedia({ type: 'playing' }, 0);
  return session;
}

describe('a playback session', () => {
  it('opens the stream as soon as it is in the list', () => {
    const session = new PlaybackSession('ws', everything);
    expect(brief(session.updateStream(undefined, 0))).toEqual(['state waiting']);
    expect(brief(session.updateStream(streamEntry({ publishing: false }), 1000))).toEqual([]);
    expect(brief(session.updateStream(streamEntry({ video: null, audio: null }), 2000))).toEqual(['state connecting']);
    expect(brief(session.updateStream(streamEntry(), 3000))).toEqual(['open ws']);
    expect(brief(session.updateStream(streamEntry(), 4000))).toEqual([]);
    expect(brief(session.handleMedia({ type: 'playing' }, 4100))).toEqual(['state playing']);
  });

  it('tells buffering from playing', () => {
    const session = playing();
    expect(brief(session.handleMedia({ type: 'waiting' }, 1))).toEqual(['state buffering']);
    expect(brief(session.handleMedia({ type: 'waiting' }, 2))).toEqual([]);
    expect(brief(session.handleMedia({ type: 'playing' }, 3))).toEqual(['state playing']);
  });

  it('says that the stream ended, and plays it again when it is back', () => {
    const session = playing();
    expect(brief(session.handleMedia({ type: 'complete' }, 5000))).toEqual(['close', 'state ended']);
    expect(brief(session.updateStream(undefined, 5500))).toEqual([]);
    expect(session.nextTimeoutMs()).toBeUndefined();
    expect(brief(session.updateStream(streamEntry(), 60_000))).toEqual(['state connecting', 'open flv']);
  });

  it('does not connect again on a list from before the end', () => {
    const session = playing();
    session.handleMedia({ type: 'complete' }, 5000);
    expect(brief(session.handleTimeout(6000))).toEqual([]);
    expect(brief(session.updateStream(streamEntry(), 5400))).toEqual([]);
    expect(brief(session.handleTimeout(6000))).toEqual(['state connecting', 'open flv']);
  });

  it('calls a lost connection an ended stream when the stream is gone', () => {
    const session = playing();
    expect(brief(session.handleMedia({ type: 'lost', reason: 'Connection lost' }, 10))).toEqual([
      'close',
      'state failed',
    ]);
    expect(brief(session.updateStream(undefined, 500))).toEqual(['state ended']);
  });

  it('waits longer after every failure, and starts over after steady playback', () => {
    const session = new PlaybackSession('flv', everything);
    const delays: number[] = [];
    let nowMs = 0;
    session.updateStream(streamEntry(), nowMs);
    const fail = (): void => {
      session.handleMedia({ type: 'lost', reason: 'Connection lost' }, nowMs);
      const dueMs = session.nextTimeoutMs() ?? nowMs;
      delays.push(dueMs - nowMs);
      nowMs = dueMs;
      expect(brief(session.updateStream(streamEntry(), nowMs))).toContain('open flv');
    };
    for (let count = 0; count < 5; count += 1) {
      fail();
    }
    session.handleMedia({ type: 'playing' }, nowMs);
    nowMs += 10_000;
    fail();
    expect(delays).toEqual([1000, 2000, 4000, 8000, 8000, 1000]);
  });

  it('leaves trying again to the viewer after three decoding failures', () => {
    const session = new PlaybackSession('flv', everything);
    session.updateStream(streamEntry(), 0);
    const states = [0, 20_000, 40_000].map((nowMs) => {
      const events = session.handleMedia({ type: 'decoder-failed', reason: 'Broken' }, nowMs);
      session.updateStream(streamEntry(), nowMs + 10_000);
      return events.at(-1);
    });
    expect(states).toMatchObject([
      { state: { retrying: true } },
      { state: { retrying: true } },
      { state: { retrying: false } },
    ]);
    expect(session.nextTimeoutMs()).toBeUndefined();
    expect(brief(session.play(60_000))).toEqual(['state connecting', 'open flv']);
  });

  it('fetches nothing after Stop until Play', () => {
    const session = playing();
    expect(brief(session.stop())).toEqual(['close', 'state stopped']);
    expect(brief(session.updateStream(streamEntry(), 1000))).toEqual([]);
    expect(brief(session.handleMedia({ type: 'playing' }, 1100))).toEqual([]);
    expect(brief(session.play(2000))).toEqual(['state connecting', 'open flv']);
    expect(brief(session.play(2100))).toEqual([]);
  });

  it('resumes the open connection after a pause', () => {
    const session = playing();
    expect(brief(session.handleMedia({ type: 'paused' }, 1))).toEqual(['state paused']);
    expect(brief(session.play(2))).toEqual(['resume']);
    expect(brief(session.handleMedia({ type: 'playing' }, 3))).toEqual(['state playing']);
  });

  it('connects over another transport at once', () => {
    const session = playing();
    expect(brief(session.changeTransport('ts', 1))).toEqual(['close', 'state connecting', 'open ts']);
    expect(brief(session.changeTransport('ts', 2))).toEqual([]);
    session.stop();
    expect(brief(session.changeTransport('ws', 3))).toEqual([]);
    expect(brief(session.play(4))).toEqual(['state connecting', 'open ws']);
  });

  it('keeps the connection while the publisher is away, and when a track goes', () => {
    const session = playing();
    expect(brief(session.updateStream(streamEntry({ publishing: false, video: null, audio: null }), 1))).toEqual([]);
    expect(brief(session.updateStream(undefined, 2))).toEqual([]);
    expect(brief(session.updateStream(streamEntry({ audio: null }), 3))).toEqual([]);
  });

  it('connects anew when a track comes or changes its codec', () => {
    const session = new PlaybackSession('flv', everything);
    session.updateStream(streamEntry({ audio: null }), 0);
    expect(brief(session.updateStream(streamEntry(), 1))).toEqual(['close', 'open flv']);
    const other = streamEntry({ video: videoEntry({ codec: 'h265', codecString: 'hvc1' }) });
    expect(brief(session.updateStream(other, 2))).toEqual(['close', 'open flv']);
    const taller = streamEntry({ video: videoEntry({ codec: 'h265', codecString: 'hvc1.2', height: 720 }) });
    expect(brief(session.updateStream(taller, 3))).toEqual([]);
  });

  it('says why it cannot play, and plays when the stream changes', () => {
    const session = new PlaybackSession('flv', (type) => !type.includes('hvc1'));
    const hevc = streamEntry({ video: videoEntry({ codec: 'h265', codecString: 'hvc1.1.6.L93.B0' }) });
    expect(session.updateStream(hevc, 0)).toEqual([
      { type: 'state', state: { kind: 'unplayable', reason: 'This browser cannot decode hvc1.1.6.L93.B0 (H.265)' } },
    ]);
    expect(session.updateStream(hevc, 1000)).toEqual([]);
    expect(brief(session.updateStream(streamEntry(), 2000))).toEqual(['state connecting', 'open flv']);
  });

  it('does not try again what mpegts.js cannot play, except over another transport', () => {
    const session = playing();
    expect(brief(session.handleMedia({ type: 'unplayable', reason: 'No' }, 1))).toEqual(['close', 'state unplayable']);
    expect(brief(session.updateStream(streamEntry(), 60_000))).toEqual([]);
    expect(brief(session.changeTransport('ts', 61_000))).toEqual(['state connecting', 'open ts']);
  });

  it('leaves the sound out when only the sound cannot be played', () => {
    const session = new PlaybackSession('flv', everything);
    const events = session.updateStream(streamEntry({ audio: audioEntry({ codec: 'ac3', codecString: 'ac-3' }) }), 0);
    expect(events).toMatchObject([{ type: 'open', request: { hasVideo: true, hasAudio: false, withoutAudio: true } }]);
    expect(session.silentBecause).toBe('This page cannot play AC-3 over HTTP-FLV');
  });

  it('has no say over reports that come after the connection was closed', () => {
    const session = playing();
    session.stop();
    expect(session.handleMedia({ type: 'lost', reason: 'late' }, 5)).toEqual([]);
  });
});
