import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DATA_FLAG } from '../../../src/protocol/sctp/chunk-type.ts';
import { type DataHeader, dataHeader } from '../../../src/protocol/sctp/data-chunk.ts';
import { DataReceiver } from '../../../src/protocol/sctp/data-receiver.ts';
import { MAX_STREAMS } from '../../../src/protocol/sctp/sctp-limits.ts';

const WINDOW_BYTES = 2_000_000;
const WHOLE = DATA_FLAG.begin | DATA_FLAG.end;
const packet = new Uint8Array(64);

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Memory of a receiver after chunks of one byte, as many as it takes, or `count`. */
function costOf(
  isInterleaved: boolean,
  chunkOf: (i: number) => Partial<DataHeader>,
  count: number,
): { readonly bytes: number; readonly receiver: DataReceiver } {
  const before = usedBytes();
  const receiver = new DataReceiver({
    initialTsn: 0,
    isInterleaved,
    windowBytes: WINDOW_BYTES,
    maxMessageBytes: 262_144,
    delayedSackMs: 100,
  });
  const header = dataHeader();
  for (let i = 0; i < count; i++) {
    // One more than the window has room for is refused, all others too.
    receiver.receive(Object.assign(header, { tsn: i, payloadStart: 0, payloadEnd: 1, ppid: 1 }, chunkOf(i)), packet);
    receiver.takeMessages();
  }
  return { bytes: usedBytes() - before, receiver };
}

describe('a receiver', () => {
  it.each<[string, boolean, (i: number) => Partial<DataHeader>]>([
    ['messages begun', false, (i) => ({ flags: DATA_FLAG.begin, streamId: 0, sequence: i & 0xffff })],
    ['messages begun at once', true, (i) => ({ flags: DATA_FLAG.begin, streamId: 0, sequence: i })],
    ['messages begun on streams of their own', true, (i) => ({ flags: DATA_FLAG.begin, streamId: i, sequence: 0 })],
    ['messages that wait for the first', false, (i) => ({ flags: WHOLE, streamId: 0, sequence: 1 + i })],
    ['messages that wait, a stream each', true, (i) => ({ flags: WHOLE, streamId: i, sequence: 1 })],
  ])('full of %s takes little more memory than its window says', (_, isInterleaved, chunkOf) => {
    const { bytes, receiver } = costOf(isInterleaved, chunkOf, 32_000);
    expect(receiver.heldBytes).toBeGreaterThan(0.9 * WINDOW_BYTES);
    expect(bytes).toBeLessThan(2 * WINDOW_BYTES);
  });

  it('that has had messages on every stream remembers a number of each', () => {
    const { bytes, receiver } = costOf(false, (i) => ({ flags: WHOLE, streamId: i, sequence: 0 }), MAX_STREAMS);
    expect(receiver.heldBytes).toBe(0);
    expect(bytes).toBeLessThan(6_000_000);
  });
});
