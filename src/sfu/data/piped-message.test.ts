import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isAddressed, MAX_PIPED_OVERHEAD_BYTES, parsePipedMessage, writePipedMessage } from './piped-message.ts';

const subchannel = fc.integer({ min: 0, max: 0xffff });
const message = fc.record(
  {
    ppid: fc.nat(0xffff_ffff),
    bytes: fc.uint8Array({ maxLength: 50 }),
    subchannels: fc.array(subchannel, { maxLength: 20 }),
    requiredSubchannel: subchannel,
    ignoredSubchannel: subchannel,
  },
  { requiredKeys: ['ppid', 'bytes', 'subchannels'] },
);

it('comes out of a pipe as it went in', () => {
  fc.assert(
    fc.property(message, (one) => {
      expect(parsePipedMessage(writePipedMessage(one))).toEqual({ ...one });
    }),
  );
});

it('is refused when it is cut off before the message', () => {
  const whole = writePipedMessage({
    ppid: 51,
    bytes: new Uint8Array(0),
    subchannels: [1, 2],
    requiredSubchannel: 3,
    ignoredSubchannel: 4,
  });
  for (let size = 0; size < whole.length; size++) expect(parsePipedMessage(whole.subarray(0, size))).toBeUndefined();
});

it('is read from any bytes without a fault', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void parsePipedMessage(bytes)));
});

it('has no more subchannels than 16 bits count', () => {
  const piped = writePipedMessage({
    ppid: 51,
    bytes: Uint8Array.of(7),
    subchannels: Array.from({ length: 70_000 }, (_, i) => i & 0xffff),
    requiredSubchannel: 1,
    ignoredSubchannel: 2,
  });
  expect(piped).toHaveLength(MAX_PIPED_OVERHEAD_BYTES + 1);
  expect(parsePipedMessage(piped)).toMatchObject({ requiredSubchannel: 1, bytes: Uint8Array.of(7) });
});

it.each([
  [{}, false],
  [{ subchannels: [] }, false],
  [{ subchannels: [0] }, true],
  [{ requiredSubchannel: 0 }, true],
  [{ ignoredSubchannel: 0 }, true],
])('is written as such when it says who it is for: %o', (fields, expected) => {
  expect(isAddressed({ ppid: 51, bytes: new Uint8Array(1), ...fields })).toBe(expected);
});
