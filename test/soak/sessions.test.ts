import { describe, it } from 'vitest';
import { expectNoLeak, findSessionsLeak } from '../integration/robustness/sessions-leak.ts';

describe('10,000 short sessions that publish, play, watch and leave at random', () => {
  it('leave no stream, connection, timer or memory behind', { timeout: 600_000 }, async () => {
    const leak = await findSessionsLeak({ warmUp: 1000, count: 10_000, concurrency: 60, seed: 20_260_801 });
    // 150 bytes a session.
    expectNoLeak(leak, 1_500_000);
  });
});
