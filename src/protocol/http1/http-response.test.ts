import { describe, expect, it } from 'vitest';
import { writeHttpResponseHead } from './http-response.ts';

describe('writeHttpResponseHead', () => {
  it.each([
    [{ statusCode: 200, headers: [] }, 'HTTP/1.1 200 OK\r\n\r\n'],
    [{ statusCode: 299, headers: [] }, 'HTTP/1.1 299 \r\n\r\n'],
    [{ statusCode: 404, reason: 'Lost', headers: [] }, 'HTTP/1.1 404 Lost\r\n\r\n'],
    [
      {
        statusCode: 200,
        headers: [
          ['A', 'b'],
          ['A', 'ü\t'],
        ],
      },
      'HTTP/1.1 200 OK\r\nA: b\r\nA: ü\t\r\n\r\n',
    ],
  ] as const)('writes %j', (head, text) => {
    expect(new TextDecoder().decode(writeHttpResponseHead(head))).toBe(text);
  });

  it.each([
    { statusCode: 99, headers: [] },
    { statusCode: 600, headers: [] },
    { statusCode: 200.5, headers: [] },
    { statusCode: Number.NaN, headers: [] },
    { statusCode: 200, reason: 'a\r\nb', headers: [] },
    { statusCode: 200, headers: [['', 'a']] },
    { statusCode: 200, headers: [['A:', 'a']] },
    { statusCode: 200, headers: [['A\r\nB', 'a']] },
    { statusCode: 200, headers: [['A', 'a\r\nB: c']] },
    { statusCode: 200, headers: [['A', 'a\0']] },
  ] as const)('refuses to write %j', (head) => {
    expect(() => writeHttpResponseHead(head)).toThrow(expect.objectContaining({ code: 'http/bad-response' }));
  });
});
