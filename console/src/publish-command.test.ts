import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ffmpegFileCommand, ffmpegTestCommand, quoteShellWord } from './publish-command.ts';

describe('commands to publish', () => {
  it.each([
    ['rtmp://host:1935/live/demo', 'rtmp://host:1935/live/demo'],
    ['rtmp://[::1]/live/demo', "'rtmp://[::1]/live/demo'"],
    ["it's", "'it'\\''s'"],
    ['', "''"],
  ])('writes the word %j as %s', (word, quoted) => {
    expect(quoteShellWord(word)).toBe(quoted);
  });

  it('quotes so that a shell reads the word as it was', () => {
    const words = fc.sample(fc.string({ unit: 'grapheme-ascii' }), 50);
    const output = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${words.map(quoteShellWord).join(' ')}`], {
      encoding: 'utf8',
    });
    expect(output).toBe(`${words.join('\n')}\n`);
  });

  it('ends with where to publish', () => {
    const publishUrl = 'rtmp://host/live/demo';
    expect(ffmpegFileCommand(publishUrl)).toMatch(/^ffmpeg -re .* -f flv rtmp:\/\/host\/live\/demo$/);
    expect(ffmpegTestCommand(publishUrl)).toMatch(/^ffmpeg -re -f lavfi .* -f flv rtmp:\/\/host\/live\/demo$/);
  });
});
