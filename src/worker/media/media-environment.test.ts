import { afterEach, expect, it, vi } from 'vitest';
import { mediaEnvironment } from './media-environment.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

it('has a wall clock that does not leap when the machine’s is set', () => {
  const context = { inProcess: true, notify: () => undefined } as unknown as Parameters<typeof mediaEnvironment>[0];
  const environment = mediaEnvironment(context, () => 0);
  const unixMs = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(unixMs + 3_600_000);
  expect(Math.abs(environment.unixMs() - unixMs)).toBeLessThan(10_000);
});
