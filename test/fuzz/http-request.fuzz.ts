import { type HttpReadEvent, HttpRequestReader } from '../../src/protocol/http1/http-request-reader.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'http-request';

const LIMITS = { maxHeaderSizeBytes: 2048, maxBodySizeBytes: 1024 };

/** What is read of the pieces but for waits, which depend on the cuts. */
function read(pieces: readonly Uint8Array[]): HttpReadEvent[] {
  const reader = new HttpRequestReader(LIMITS);
  const events: HttpReadEvent[] = [];
  for (const piece of pieces) {
    reader.receive(piece);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.type !== 'continue') events.push(event);
    }
  }
  return events;
}

function check(event: HttpReadEvent, again: HttpReadEvent | undefined): void {
  if (event.type === 'failed' && again?.type === 'failed') {
    if (again.error.code !== event.error.code) throw new RangeError('a cut changes why a request is refused');
    if (event.statusCode < 400) throw new RangeError(`${event.statusCode} is not that of an error`);
  } else if (event.type === 'request' && again?.type === 'request') {
    if (event.body.length > LIMITS.maxBodySizeBytes) throw new RangeError('a body over the limit');
    if (again.url !== event.url || again.method !== event.method) throw new RangeError('a cut changes a request');
    if (JSON.stringify(again.headers) !== JSON.stringify(event.headers)) throw new RangeError('a cut changes headers');
    expectSameBytes(again.body, event.body, 'bodies of a cut and a whole request');
  } else {
    throw new RangeError('a cut changes what is read');
  }
}

/** Requests of one connection, whole and cut. */
export function run(bytes: Uint8Array): void {
  const events = read([bytes]);
  const cut = Math.max(bytes.length - (bytes.at(-1) ?? 0), 0);
  const again = read([bytes.slice(0, cut), bytes.slice(cut)]);
  if (again.length !== events.length) throw new RangeError('a cut changes how much is read');
  for (const [i, event] of events.entries()) check(event, again[i]);
}
