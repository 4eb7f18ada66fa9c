import { describe, expectTypeOf, it } from 'vitest';
import type { StreamsDocument as PageDocument } from '../../console/src/streams-document.ts';
import type { StreamsDocument } from '../../src/server/console/streams-document.ts';

describe('the document of streams', () => {
  it('holds everything the page reads, in the types it expects (held by the type check)', () => {
    expectTypeOf<StreamsDocument>().toExtend<PageDocument>();
  });
});
