import { describe, expect, it } from 'vitest';
import { describePlayerState, mainControl, type PlayerState } from './player-state.ts';

describe('the state of the player', () => {
  it.each<[PlayerState, RegExp, 'play' | 'stop' | undefined]>([
    [{ kind: 'waiting' }, /^Not live/, 'stop'],
    [{ kind: 'connecting' }, /^Connecting/, 'stop'],
    [{ kind: 'playing' }, /^Playing$/, 'stop'],
    [{ kind: 'buffering' }, /^Buffering/, 'stop'],
    [{ kind: 'paused' }, /^Paused/, 'play'],
    [{ kind: 'stopped' }, /^Stopped$/, 'play'],
    [{ kind: 'ended' }, /^Stream ended/, 'stop'],
    [{ kind: 'unplayable', reason: 'No decoder' }, /^No decoder\.$/, undefined],
    [{ kind: 'failed', reason: 'Lost', retrying: true }, /^Lost\. Trying again/, 'stop'],
    [{ kind: 'failed', reason: 'Lost', retrying: false }, /^Lost\. Press Play/, 'play'],
  ])('%j reads %s and offers %s', (state, words, control) => {
    expect(describePlayerState(state)).toMatch(words);
    expect(mainControl(state)).toBe(control);
  });
});
