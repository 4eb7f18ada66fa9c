import { expect, it } from 'vitest';
import { packetKindOf } from './packet-kind.ts';

it.each([
  [[], 'unknown'],
  [[0], 'unknown'],
  [[0, 1], 'stun'],
  [[3, 0], 'stun'],
  [[4, 0], 'unknown'],
  [[16, 0], 'unknown'],
  [[19, 0], 'unknown'],
  [[20, 254], 'dtls'],
  [[63, 254], 'dtls'],
  [[64, 0], 'unknown'],
  [[127, 0], 'unknown'],
  [[128, 0], 'rtp'],
  [[128, 191], 'rtp'],
  [[128, 192], 'rtcp'],
  [[129, 200], 'rtcp'],
  [[191, 223], 'rtcp'],
  [[128, 224], 'rtp'],
  [[192, 0], 'unknown'],
  [[255, 255], 'unknown'],
])('a datagram of %j is %s', (bytes, expected) => {
  expect(packetKindOf(Uint8Array.from(bytes))).toBe(expected);
});
