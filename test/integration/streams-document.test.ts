import { describe, expect, expectTypeOf, it } from 'vitest';
import type { StreamsDocument as PageDocument } from '../../console/src/streams-document.ts';
import type { StreamsDocument } from '../../src/server/console/streams-document.ts';
import { LocalServer } from './robustness/local-server.ts';

describe('the document of streams', () => {
  it('tells the ports', async () => {
    const server = await LocalServer.start();
    try {
      const response = await fetch(`http://127.0.0.1:${server.httpPort}/console/streams.json`);
      const { server: told } = (await response.json()) as StreamsDocument;
      const { rtmpPort, rtspPort } = server;
      expect(told).toMatchObject({ rtmpPort, rtmpsPort: null, rtspPort, rtspsPort: null });
    } finally {
      await server.close();
    }
  });

  it('holds everything the page reads, in the types it expects (held by the type check)', () => {
    expectTypeOf<StreamsDocument>().toExtend<PageDocument>();
  });
});
