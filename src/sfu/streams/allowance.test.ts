import { expect, it } from 'vitest';
import { Allowance } from './allowance.ts';

it('an allowance is used up, comes back by packets that are sent, and does not grow over its beginning', () => {
  const allowance = new Allowance(10, 2);
  expect([allowance.take(8), allowance.take(3), allowance.take(2), allowance.take(1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  allowance.earn();
  expect([allowance.take(2), allowance.take(1)]).toEqual([true, false]);
  for (let i = 0; i < 100; i++) allowance.earn();
  expect([allowance.take(11), allowance.take(10), allowance.take(1)]).toEqual([false, true, false]);
});
