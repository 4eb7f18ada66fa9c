import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActiveSpeakerObserver } from './active-speaker-observer.ts';
import { LEVEL_IDLE_MS, SILENT_SCORES, SpeechActivity } from './speech-activity.ts';

/** −dBov of somebody at a moment; `undefined` sends nothing. */
type Voice = (ms: number) => number | undefined;
const NOISE = 100;
const QUIET: Voice = () => NOISE;
const SPEAKS: Voice = () => 25;
const speaksFrom =
  (fromMs: number, untilMs = Number.POSITIVE_INFINITY): Voice =>
  (ms) =>
    ms >= fromMs && ms < untilMs ? 25 : NOISE;

/** Who is told to be dominant and when, by packets of 20 ms. */
function run(voices: Readonly<Record<string, Voice>>, untilMs: number, interval = 300): [string, number][] {
  const observer = new ActiveSpeakerObserver({ interval }, 0);
  const speakers = Object.entries(voices).map(([id, voice]) => ({ speaker: observer.addProducer(id)!, voice }));
  const told: [string, number][] = [];
  for (let ms = 0; ms <= untilMs; ms += 20) {
    for (const { speaker, voice } of speakers) {
      const level = voice(ms);
      if (level !== undefined) speaker.add(level, ms);
    }
    const event = observer.handleTimeout(ms);
    if (event !== undefined) told.push([event.producerId, ms]);
  }
  return told;
}

describe('ActiveSpeakerObserver', () => {
  it('tells of the only one there is, and once', () => {
    expect(run({ a: QUIET }, 3000)).toEqual([['a', 300]]);
  });

  it('tells of the one who speaks first', () => {
    expect(run({ a: QUIET, b: SPEAKS, c: QUIET }, 3000)).toEqual([['b', 300]]);
  });

  it('follows from speaker to speaker within half a second of speech', () => {
    const told = run({ a: speaksFrom(100, 2000), b: speaksFrom(2000, 4000), c: speaksFrom(4000) }, 6000, 100);
    expect(told.map(([id]) => id)).toEqual(['a', 'b', 'c']);
    expect(told[1]![1]).toBeLessThanOrEqual(3100);
    expect(told[2]![1]).toBeLessThanOrEqual(5100);
  });

  it('stays with who spoke last while nobody speaks', () => {
    expect(run({ a: QUIET, b: speaksFrom(100, 1000), c: QUIET }, 8000)).toEqual([['b', 300]]);
  });

  it('does not leave a speaker for a cough, nor for one who speaks in between', () => {
    const cough = speaksFrom(2000, 2060);
    expect(run({ a: SPEAKS, b: cough, c: speaksFrom(3000) }, 6000)).toEqual([['a', 300]]);
  });

  it('takes a loud background for no speech', () => {
    const noisy: Voice = () => 45;
    const observer = new ActiveSpeakerObserver({}, 0);
    const [a, b] = [observer.addProducer('a')!, observer.addProducer('b')!];
    for (let ms = 0; ms < 300; ms += 20) {
      a.add(noisy(ms)!, ms);
      b.add(ms < 100 ? NOISE : 40, ms);
    }
    expect(observer.handleTimeout(300)?.producerId).toBe('b');
  });

  it('takes who stops sending for silent', () => {
    const stops: Voice = (ms) => (ms < 2000 ? 25 : undefined);
    expect(run({ a: stops, b: speaksFrom(2000) }, 5000).map(([id]) => id)).toEqual(['a', 'b']);
  });

  it('passes over producers that are paused, and lets another take over', () => {
    const observer = new ActiveSpeakerObserver({}, 0);
    const [a, b] = [observer.addProducer('a')!, observer.addProducer('b', true)!];
    for (let ms = 0; ms < 300; ms += 20) {
      a.add(ms < 100 ? NOISE : 25, ms);
      b.add(ms < 100 ? NOISE : 5, ms);
    }
    expect(observer.handleTimeout(300)?.producerId).toBe('a');
    observer.setProducerPaused('a', true);
    observer.setProducerPaused('b', false);
    for (let ms = 300; ms < 1000; ms += 20) b.add(ms < 400 ? NOISE : 25, ms);
    expect(observer.handleTimeout(1000)?.producerId).toBe('b');
  });

  it('names another at once when the dominant one is removed', () => {
    const observer = new ActiveSpeakerObserver({}, 0);
    observer.addProducer('a');
    observer.addProducer('b');
    expect(observer.handleTimeout(300)?.producerId).toBe('a');
    expect(observer.removeProducer('b', 350)).toBeUndefined();
    observer.addProducer('c');
    expect(observer.removeProducer('a', 400)).toEqual({ type: 'dominantspeaker', producerId: 'c' });
    expect(observer.removeProducer('c', 400)).toBeUndefined();
    expect(observer.handleTimeout(600)).toBeUndefined();
    expect(observer.removeProducer('nobody', 700)).toBeUndefined();
  });

  it('tells nothing while it is paused', () => {
    const observer = new ActiveSpeakerObserver({ interval: 1 }, 0);
    expect(observer.nextTimeoutMs()).toBe(100);
    observer.addProducer('a');
    observer.pause();
    expect([observer.nextTimeoutMs(), observer.handleTimeout(500)]).toEqual([undefined, undefined]);
    expect(observer.removeProducer('a', 500)).toBeUndefined();
    observer.addProducer('b');
    observer.resume(1000);
    expect(observer.nextTimeoutMs()).toBe(1100);
    expect(observer.handleTimeout(1100)?.producerId).toBe('b');
  });
});

describe('SpeechActivity', () => {
  it('is silent before any level, while paused and after silence', () => {
    const activity = new SpeechActivity();
    expect(activity.scores(0)).toEqual(SILENT_SCORES);
    activity.add(NOISE, 0);
    for (let ms = 20; ms <= 1000; ms += 20) activity.add(20, ms);
    expect(activity.scores(1000).long).toBeGreaterThan(1);
    expect(activity.scores(1000 + LEVEL_IDLE_MS).long).toBeGreaterThan(1);
    expect(activity.scores(3000)).toEqual(SILENT_SCORES);
    activity.add(20, 3020);
    expect(activity.scores(3020).immediate).toBeGreaterThan(1);
    activity.isPaused = true;
    expect(activity.scores(3020)).toEqual(SILENT_SCORES);
  });

  it('has scores above 0 for whatever it is given', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ level: fc.integer(), byMs: fc.nat(300) }), { maxLength: 200 }), (levels) => {
        const activity = new SpeechActivity();
        let nowMs = 0;
        for (const { level, byMs } of levels) {
          nowMs += byMs;
          activity.add(level, nowMs);
          for (const score of Object.values(activity.scores(nowMs))) expect(score).toBeGreaterThan(0);
        }
      }),
    );
  });
});
