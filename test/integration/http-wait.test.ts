/** Viewers over HTTP that wait for a publisher are told why none came. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Stream } from '../../src/media/stream.ts';
import { LocalServer } from './robustness/local-server.ts';
import { until } from './robustness/until.ts';

let server: LocalServer;

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'low' });
});

afterEach(() => server.close());

it.each<[string, string, (stream: Stream) => void]>([
  ['time is over', 'nothing was published as "live/x" within 0.2 s', () => undefined],
  ['it can be had from nowhere', `"live/x" can't be had from its source`, (stream) => stream.abandon()],
  ['it is closed', '"live/x" has been closed', (stream) => stream.close()],
])('when %s', async (_, expected, end) => {
  const { hub } = server.millrace;
  const waitSeconds = expected.includes('within') ? 0.2 : 60;
  const answer = fetch(`http://127.0.0.1:${server.httpPort}/live/x.flv?wait=${waitSeconds}`);
  const waited = (): Stream | undefined => hub.list()[0];
  await until('it waits', () => waited() !== undefined);
  end(waited()!);
  const response = await answer;
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining(expected)]);
});
