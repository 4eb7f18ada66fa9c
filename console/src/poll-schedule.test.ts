import { expect, it } from 'vitest';
import { pollDelayMs } from './poll-schedule.ts';

it('asks every second, and less and less often while nobody answers', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map(pollDelayMs)).toEqual([1000, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});
