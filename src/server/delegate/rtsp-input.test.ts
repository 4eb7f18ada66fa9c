import { describe, expect, it } from 'vitest';
import { RtspMessageReader } from '../../protocol/rtsp/rtsp-message-reader.ts';
import { RtspInput } from './rtsp-input.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const REQUEST = 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n';
const POST = 'POST /a HTTP/1.0\r\nx-sessioncookie: c\r\n\r\n';

/** What is read of the input, one event at a time. */
function typesOf(input: RtspInput): string[] {
  const types: string[] = [];
  for (let event = input.next(); event !== undefined; event = input.next()) types.push(event.type);
  return types;
}

describe('RtspInput', () => {
  it('reads a few kilobytes at a time, and only what is asked for', () => {
    const input = new RtspInput(new RtspMessageReader());
    const bytes = bytesOf(REQUEST.repeat(10_000));
    input.receive(bytes);
    expect(input.unreadBytes).toBe(bytes.length);
    input.next();
    expect(bytes.length - input.unreadBytes).toBeLessThanOrEqual(8192);
    expect(typesOf(input)).toHaveLength(9999);
    expect(input.unreadBytes).toBe(0);
  });

  it('tells when it is inside a message', () => {
    const input = new RtspInput(new RtspMessageReader());
    input.receive(bytesOf(REQUEST + REQUEST.slice(0, 9)));
    expect(typesOf(input)).toEqual(['request']);
    expect(input.isInsideMessage).toBe(true);
    input.receive(bytesOf(REQUEST.slice(9)));
    expect(typesOf(input)).toEqual(['request']);
    expect(input.isInsideMessage).toBe(false);
  });

  it.each([
    ['nothing was looked at', 1, 0],
    ['its first bytes were given out and not used', 2, 0],
    ['more came since', 2, 1],
  ])('gives all bytes behind a tunnel’s POST away when %s', (_, reads, more) => {
    const input = new RtspInput(new RtspMessageReader());
    const first = bytesOf(`${POST}abc`);
    input.receive(first);
    let unused: ReturnType<RtspInput['next']>;
    for (let n = 0; n < reads; n++) unused = input.next();
    for (let n = 0; n < more; n++) input.receive(bytesOf('def'));
    const rest = input.takeRest(reads === 2 ? unused : undefined);
    first.fill(0);
    expect(new TextDecoder().decode(rest)).toBe(more === 0 ? 'abc' : 'abcdef');
    expect(typesOf(input)).toEqual([]);
  });
});
