import { expect, it } from 'vitest';
import { httpDate } from './http-date.ts';

it.each([
  [0, 'Thu, 01 Jan 1970 00:00:00 GMT'],
  [784_111_777_999, 'Sun, 06 Nov 1994 08:49:37 GMT'],
  [784_111_778_000, 'Sun, 06 Nov 1994 08:49:38 GMT'],
  [0, 'Thu, 01 Jan 1970 00:00:00 GMT'],
])('writes %i ms as %s', (nowMs, text) => {
  expect(httpDate(nowMs)).toBe(text);
});
