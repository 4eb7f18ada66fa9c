import { describe, expect, it } from 'vitest';
import { AudioLevelObserver } from './audio-level-observer.ts';

function add(observer: AudioLevelObserver, producerId: string, levels: readonly number[]): void {
  const sum = observer.addProducer(producerId)!;
  for (const level of levels) sum.add(level);
}

const times = (level: number, count = 10): number[] => Array.from({ length: count }, () => level);

describe('AudioLevelObserver', () => {
  it('names the loudest one of those above the threshold by default', () => {
    const observer = new AudioLevelObserver({}, 0);
    add(observer, 'quiet', times(79));
    add(observer, 'loud', [...times(20, 5), ...times(30, 5)]);
    add(observer, 'below', times(81));
    expect(observer.nextTimeoutMs()).toBe(1000);
    expect(observer.handleTimeout(999)).toBeUndefined();
    expect(observer.handleTimeout(1000)).toEqual({ type: 'volumes', volumes: [{ producerId: 'loud', volume: -25 }] });
    expect(observer.nextTimeoutMs()).toBe(2000);
  });

  it.each([
    [{ maxEntries: 3 }, ['c', 'b', 'a']],
    [{ maxEntries: 2 }, ['c', 'b']],
    [{ maxEntries: 3, threshold: -25 }, ['c', 'b']],
    [{ maxEntries: 3, threshold: -20 }, ['c', 'b']],
    [{ maxEntries: 3, threshold: -19 }, ['c']],
  ])('with %o names %o', (options, named) => {
    const observer = new AudioLevelObserver(options, 0);
    add(observer, 'a', times(30));
    add(observer, 'b', times(20));
    add(observer, 'c', times(0));
    const event = observer.handleTimeout(1000);
    expect(event?.type === 'volumes' ? event.volumes.map(({ producerId }) => producerId) : event).toEqual(named);
  });

  it('tells of silence once, and not before anybody was heard', () => {
    const observer = new AudioLevelObserver({}, 0);
    expect(observer.handleTimeout(1000)).toBeUndefined();
    add(observer, 'a', times(10));
    expect(observer.handleTimeout(2000)?.type).toBe('volumes');
    expect(observer.handleTimeout(3000)).toEqual({ type: 'silence' });
    expect(observer.handleTimeout(4000)).toBeUndefined();
  });

  it.each([
    [1000, 9, false],
    [1000, 10, true],
    [5000, 10, true],
    [250, 1, false],
    [250, 2, true],
  ])('in %i ms and of %i levels is something to be said: %s', (interval, count, isSaid) => {
    const observer = new AudioLevelObserver({ interval }, 0);
    add(observer, 'a', times(10, count));
    expect(observer.handleTimeout(interval) !== undefined).toBe(isSaid);
  });

  it.each([
    [0, 250],
    [99_999, 5000],
  ])('takes an interval of %i for %i', (interval, taken) => {
    expect(new AudioLevelObserver({ interval }, 0).nextTimeoutMs()).toBe(taken);
  });

  it('is silent when it is paused, and hears nothing of that time', () => {
    const observer = new AudioLevelObserver({}, 0);
    add(observer, 'a', times(10));
    observer.handleTimeout(1000);
    expect([observer.pause(), observer.pause()]).toEqual([{ type: 'silence' }, undefined]);
    add(observer, 'a', times(10));
    expect([observer.nextTimeoutMs(), observer.handleTimeout(5000)]).toEqual([undefined, undefined]);
    observer.resume(6000);
    expect([observer.nextTimeoutMs(), observer.handleTimeout(7000)]).toEqual([7000, undefined]);
  });

  it('hears nothing of producers that are paused or removed', () => {
    const observer = new AudioLevelObserver({ maxEntries: 5 }, 0);
    add(observer, 'paused', times(10));
    add(observer, 'removed', times(10));
    const late = observer.addProducer('resumed', true)!;
    observer.setProducerPaused('paused', true);
    add(observer, 'paused', times(10));
    observer.removeProducer('removed');
    late.add(1);
    observer.setProducerPaused('resumed', false);
    for (const level of times(40)) late.add(level);
    expect(observer.handleTimeout(1000)).toEqual({
      type: 'volumes',
      volumes: [{ producerId: 'resumed', volume: -40 }],
    });
  });

  it('does not catch up with intervals that were slept through', () => {
    const observer = new AudioLevelObserver({}, 0);
    observer.handleTimeout(10_500);
    expect(observer.nextTimeoutMs()).toBe(11_500);
  });
});
