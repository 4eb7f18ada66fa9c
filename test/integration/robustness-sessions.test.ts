import { describe, it } from 'vitest';
import { expectNoLeak, findSessionsLeak } from './robustness/sessions-leak.ts';

describe('500 short sessions that publish, play, watch and leave at random', () => {
  it('leave no stream, connection, timer or memory behind', { timeout: 90_000 }, async () => {
    const leak = await findSessionsLeak({ warmUp: 300, count: 500, concurrency: 40, seed: 4711 });
    expectNoLeak(leak, 1_500_000);
  });
});
