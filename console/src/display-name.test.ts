import { describe, expect, it } from 'vitest';
import { displayName } from './display-name.ts';

describe('names of strangers', () => {
  it.each([
    ['live/demo', 'live/demo'],
    ['live/Überraschung 演示', 'live/Überraschung 演示'],
    ['live/<b>&amp;', 'live/<b>&amp;'],
    ['a\u0000b\nc', 'a\\u{0}b\\u{a}c'],
    ['a\u202egnp', 'a\\u{202e}gnp'],
    ['a\u200bb', 'a\\u{200b}b'],
    ['a\ud800b', 'a\\u{d800}b'],
  ])('shows %j as %j', (name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it('shortens very long names, and does not cut a character in two', () => {
    expect(displayName('😀'.repeat(1000))).toBe(`${'😀'.repeat(119)}…`);
    expect(displayName('x'.repeat(120))).toBe('x'.repeat(120));
  });
});
