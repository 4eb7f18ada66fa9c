import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateError } from '../../wire/errors.ts';
import { MAX_NETSTRING_BYTES, type NetstringEvent, NetstringReader } from './netstring-reader.ts';
import { writeNetstring } from './netstring-writer.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Events in a form that can be compared: the text of payloads, the codes of errors. */
function shown(events: readonly NetstringEvent[]): readonly string[] {
  return events.map((event) =>
    event.type === 'payload' ? Buffer.from(event.bytes).toString('latin1') : event.error.code,
  );
}

describe('NetstringReader', () => {
  it.each([
    ['5:hello,', ['hello']],
    ['0:,', ['']],
    ['0:,0:,3:abc,', ['', '', 'abc']],
    ['5:a:b,c,', ['a:b,c']],
    ['12:hello world!,1:x', ['hello world!']],
    ['', []],
    [':,', ['netstring/bad-length']],
    ['05:hello,', ['netstring/bad-length']],
    ['00:,', ['netstring/bad-length']],
    ['-1:,', ['netstring/bad-length']],
    ['hello', ['netstring/bad-length']],
    [' 5:hello,', ['netstring/bad-length']],
    ['5:hello;', ['netstring/no-comma']],
    ['4:hello,', ['netstring/no-comma']],
    ['4194305:', ['netstring/too-large']],
    ['99999999999999999999', ['netstring/too-large']],
    ['1:a,x1:b,', ['a', 'netstring/bad-length']],
  ])('reads %j as %j', (text, expected) => {
    expect(shown(new NetstringReader().receive(encode(text)))).toEqual(expected);
  });

  it('begins anew after garbage, with the bytes of the next call', () => {
    const reader = new NetstringReader();
    expect(shown(reader.receive(encode('3:abcX4:lost,')))).toEqual(['netstring/no-comma']);
    expect(reader.bufferedBytes).toBe(0);
    expect(shown(reader.receive(encode('2:ok,')))).toEqual(['ok']);
  });

  it('takes the longest payload allowed', () => {
    const payload = new Uint8Array(MAX_NETSTRING_BYTES).fill(7);
    const events = new NetstringReader().receive(writeNetstring(payload));
    expect(events.map((event) => event.type === 'payload' && event.bytes.length)).toEqual([MAX_NETSTRING_BYTES]);
  });

  it('gives the same payloads however the bytes are cut', () => {
    const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), cuts, (payloads, sizes) => {
        const bytes = Buffer.concat(payloads.map((payload) => writeNetstring(payload)));
        const reader = new NetstringReader();
        const events: NetstringEvent[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          events.push(...reader.receive(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(events.map((event) => (event.type === 'payload' ? [...event.bytes] : event))).toEqual(
          payloads.map((payload) => [...payload]),
        );
      }),
    );
  });

  it('finds one error at the same place in any bytes, one at a time', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9:,a]{0,30}$/), (text) => {
        const whole = shown(new NetstringReader().receive(encode(text)));
        const reader = new NetstringReader();
        const single: string[] = [];
        for (const byte of encode(text)) {
          single.push(...shown(reader.receive(Uint8Array.of(byte))));
          if (single.at(-1)?.startsWith('netstring/') === true) break;
        }
        expect(single).toEqual(whole);
      }),
    );
  });
});

describe('writeNetstring', () => {
  it.each([
    ['', '0:,'],
    ['hello', '5:hello,'],
    ['0123456789', '10:0123456789,'],
  ])('writes %j as %j', (payload, expected) => {
    expect(new TextDecoder().decode(writeNetstring(encode(payload)))).toBe(expected);
  });

  it('refuses a payload over the limit', () => {
    expect(() => writeNetstring(new Uint8Array(MAX_NETSTRING_BYTES + 1))).toThrow(StateError);
  });
});
