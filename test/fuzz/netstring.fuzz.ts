import {
  MAX_NETSTRING_BYTES,
  type NetstringEvent,
  NetstringReader,
} from '../../src/protocol/netstring/netstring-reader.ts';
import { writeNetstring } from '../../src/protocol/netstring/netstring-writer.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'netstring';

/** Any bytes as netstrings: payloads within the limit, written again as they came, and the same whatever the cut. */
export function run(bytes: Uint8Array): void {
  const whole = new NetstringReader();
  const events = whole.receive(bytes);
  if (whole.bufferedBytes > bytes.length) throw new RangeError('more is kept than came');
  let at = 0;
  for (const event of events) {
    if (event.type === 'error') break;
    if (event.bytes.length > MAX_NETSTRING_BYTES) throw new RangeError('a payload over the limit');
    const written = writeNetstring(event.bytes);
    expectSameBytes(written, bytes.subarray(at, at + written.length), 'netstrings');
    at += written.length;
  }
  expectSameEvents(events, cut(bytes, (bytes[0] ?? 0) % 7));
}

/** Everything up to the first error, read in pieces: what follows an error depends on the cut by design. */
function cut(bytes: Uint8Array, extra: number): readonly NetstringEvent[] {
  const reader = new NetstringReader();
  const events: NetstringEvent[] = [];
  for (let at = 0; at < bytes.length; at += 1 + extra) {
    events.push(...reader.receive(bytes.subarray(at, at + 1 + extra)));
    if (events.at(-1)?.type === 'error') break;
  }
  return events;
}

function expectSameEvents(first: readonly NetstringEvent[], second: readonly NetstringEvent[]): void {
  if (first.length !== second.length) throw new RangeError('another number of events');
  first.forEach((event, index) => {
    const other = second[index]!;
    if (event.type === 'payload' && other.type === 'payload') expectSameBytes(event.bytes, other.bytes, 'payloads');
    else if (event.type === 'error' && other.type === 'error' && event.error.code === other.error.code) return;
    else throw new RangeError('another event');
  });
}
