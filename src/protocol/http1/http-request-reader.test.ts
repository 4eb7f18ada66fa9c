import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HTTP_MAX_CHUNK_LINE_BYTES,
  type HttpReadEvent,
  HttpRequestReader,
  type HttpRequestReaderOptions,
} from './http-request-reader.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** An event in one line. */
function toPlain(event: HttpReadEvent): string {
  if (event.type === 'continue') return 'continue';
  if (event.type === 'failed') return `${event.statusCode} ${event.error.code}`;
  const { method, url, version, headers, body, keepAlive } = event;
  return `${method} ${url} ${version} ${JSON.stringify(headers)} [${textOf(body)}]${keepAlive ? '' : ' close'}`;
}

/** What is read of the pieces; each is wiped once received, as a socket's buffer would be. */
function hear(pieces: readonly Uint8Array[], options: HttpRequestReaderOptions = {}): string[] {
  const reader = new HttpRequestReader(options);
  const heard: string[] = [];
  for (const piece of pieces) {
    const copy = piece.slice();
    reader.receive(copy);
    copy.fill(0x41);
    for (let event = reader.next(); event !== undefined; event = reader.next()) heard.push(toPlain(event));
  }
  return heard;
}

const GET = 'GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n';
const HEARD_GET = 'GET /a?b=c 1.1 {"host":"x"} []';
const POST = 'POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A GET with these lines after its Host. */
const withLines = (...lines: string[]): string =>
  `GET / HTTP/1.1\r\nHost: x\r\n${lines.map((l) => `${l}\r\n`).join('')}\r\n`;

describe('HttpRequestReader', () => {
  it.each([
    ['a request', GET, [HEARD_GET]],
    ['two at once', GET + GET, [HEARD_GET, HEARD_GET]],
    ['bare LF', GET.replaceAll('\r', ''), [HEARD_GET]],
    ['blank lines before it', `\r\n\r\n\n${GET}`, [HEARD_GET]],
    ['a body', POST, ['POST /p 1.1 {"host":"x","content-length":"5"} [hello]']],
    [
      'one length told twice',
      withLines('Content-Length: 0', 'Content-Length: 0'),
      ['GET / 1.1 {"host":"x","content-length":"0"} []'],
    ],
    [
      'chunks, extensions and trailers',
      `${CHUNKED}3\r\nabc\r\n00a;x="y"\r\n0123456789\r\n0\r\nX-Late: 1\r\n\r\n${GET}`,
      ['POST /p 1.1 {"host":"x","transfer-encoding":"chunked"} [abc0123456789]', HEARD_GET],
    ],
    ['no chunks', `${CHUNKED}0\r\n\r\n`, ['POST /p 1.1 {"host":"x","transfer-encoding":"chunked"} []']],
    ['names in any case, values trimmed', withLines('X-A:  \t1 2\t'), ['GET / 1.1 {"host":"x","x-a":"1 2"} []']],
    [
      'repeated lines',
      withLines('A: 1', 'a: 2', 'Cookie: b', 'Cookie: c'),
      ['GET / 1.1 {"host":"x","a":"1, 2","cookie":"b; c"} []'],
    ],
    [
      'names of Object’s own',
      withLines('__proto__: 1', 'constructor: 2'),
      ['GET / 1.1 {"host":"x","__proto__":"1","constructor":"2"} []'],
    ],
    [
      'Connection: close',
      withLines('Connection: foo, Close'),
      ['GET / 1.1 {"host":"x","connection":"foo, Close"} [] close'],
    ],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', ['GET / 1.0 {} [] close']],
    [
      'HTTP/1.0 that stays',
      'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
      ['GET / 1.0 {"connection":"Keep-Alive"} []'],
    ],
    ['HTTP/1.7 as 1.1', 'GET / HTTP/1.7\r\nHost: x\r\n\r\n', ['GET / 1.1 {"host":"x"} []']],
    ['an asterisk and unknown methods', 'fOO! * HTTP/1.1\r\nHost:\r\n\r\n', ['fOO! * 1.1 {"host":""} []']],
  ])('reads %s', (_, text, expected) => {
    expect(hear([bytesOf(text)])).toEqual(expected);
    expect(hear([...bytesOf(text)].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it.each([
    ['a word', 'hello\r\n\r\n', '400 http/bad-request-line'],
    ['HTTP/0.9', 'GET /\r\n\r\n', '400 http/bad-request-line'],
    ['two blanks', 'GET  / HTTP/1.1\r\n\r\n', '400 http/bad-request-line'],
    ['a control in the target', 'GET /\x01 HTTP/1.1\r\n\r\n', '400 http/bad-request-line'],
    ['RTSP', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n', '400 http/bad-request-line'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505 http/unsupported-version'],
    ['HTTP/1.1 without Host', 'GET / HTTP/1.1\r\n\r\n', '400 http/bad-host'],
    ['two Hosts', withLines('Host: x'), '400 http/bad-host'],
    ['a blank before the colon', withLines('A : 1'), '400 http/bad-header'],
    ['a folded line', withLines('A: 1', ' 2'), '400 http/bad-header'],
    ['no colon', withLines('A'), '400 http/bad-header'],
    ['no name', withLines(': a'), '400 http/bad-header'],
    ['a bare CR', withLines('A: 1\rB: 2'), '400 http/bad-header'],
    ['a NUL', withLines('A: 1\x002'), '400 http/bad-header'],
    ['a negative length', withLines('Content-Length: -1'), '400 http/bad-length'],
    ['a length in hex', withLines('Content-Length: 0x10'), '400 http/bad-length'],
    ['two lengths', withLines('Content-Length: 1', 'Content-Length: 2'), '400 http/bad-length'],
    ['length and chunks', withLines('Content-Length: 1', 'Transfer-Encoding: chunked'), '400 http/bad-length'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', '400 http/bad-length'],
    ['gzip', withLines('Transfer-Encoding: gzip, chunked'), '501 http/unsupported-transfer-encoding'],
    [
      'chunked twice',
      withLines('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
      '501 http/unsupported-transfer-encoding',
    ],
    ['another expectation', withLines('Expect: tea'), '417 http/unsupported-expectation'],
    ['a body over the limit', withLines('Content-Length: 101'), '413 http/body-too-large'],
    ['chunks over the limit', `${CHUNKED}32\r\n${'a'.repeat(50)}\r\n33\r\n`, '413 http/body-too-large'],
    ['a chunk of 4 GB', `${CHUNKED}FFFFFFFF\r\n`, '413 http/body-too-large'],
    ['a size of nine digits', `${CHUNKED}000000001\r\n`, '400 http/bad-chunk'],
    ['a size that is none', `${CHUNKED}-1\r\n`, '400 http/bad-chunk'],
    ['a chunk longer than its size', `${CHUNKED}1\r\nab\r\n`, '400 http/bad-chunk'],
    ['an endless size line', `${CHUNKED}1;${'a'.repeat(HTTP_MAX_CHUNK_LINE_BYTES)}`, '400 http/bad-chunk'],
    ['endless trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(200)}`, '431 http/header-too-large'],
    ['a head over the limit', withLines(`A: ${'a'.repeat(500)}`), '431 http/header-too-large'],
    ['an endless line', 'a'.repeat(501), '431 http/header-too-large'],
    ['too many headers', withLines(...Array.from({ length: 128 }, () => 'A:')), '431 http/too-many-headers'],
  ])('refuses %s', (name, text, expected) => {
    const limits = { maxBodySizeBytes: 100, maxHeaderSizeBytes: name === 'too many headers' ? 5000 : 500 };
    expect(hear([bytesOf(text + GET)], limits)).toEqual([expected]);
    expect(
      hear(
        [...bytesOf(text + GET)].map((byte) => Uint8Array.of(byte)),
        limits,
      ),
    ).toEqual([expected]);
  });

  it.each([500, 501])('takes a head of 500 bytes to the byte: %i', (sizeBytes) => {
    const text = withLines(`A: ${'a'.repeat(sizeBytes - withLines('A: ').length)}`);
    expect(text).toHaveLength(sizeBytes);
    expect(hear([bytesOf(text)], { maxHeaderSizeBytes: 500 })[0]).toMatch(sizeBytes === 500 ? /^GET/ : /^431/);
  });

  it('asks for the body that waits for a word, but not for one that came along', () => {
    const head = POST.replace('Content', 'Expect: 100-Continue\r\nContent').slice(0, -5);
    const heard = 'POST /p 1.1 {"host":"x","expect":"100-Continue","content-length":"5"} [hello]';
    expect(hear([bytesOf(head), bytesOf('hello')])).toEqual(['continue', heard]);
    expect(hear([bytesOf(`${head}hello`)])).toEqual([heard]);
    expect(hear([bytesOf(head.replace('/1.1', '/1.0')), bytesOf('hello')])).toHaveLength(1);
  });

  it('reads no further than asked, and gives the rest away', () => {
    const reader = new HttpRequestReader();
    reader.receive(bytesOf(`${GET}anything \x00 at all`));
    expect(toPlain(reader.next()!)).toBe(HEARD_GET);
    expect(textOf(reader.takeRest())).toBe('anything \x00 at all');
    reader.receive(bytesOf(GET));
    expect(reader.next()).toBeUndefined();
  });

  it('tells where it stands', () => {
    const reader = new HttpRequestReader();
    const standing = (): readonly boolean[] => {
      reader.next();
      return [reader.isInsideMessage, reader.isInsideBody];
    };
    expect(standing()).toEqual([false, false]);
    reader.receive(bytesOf('\r\n'));
    expect(standing()).toEqual([false, false]);
    reader.receive(bytesOf('P'));
    expect(standing()).toEqual([true, false]);
    reader.receive(bytesOf(POST.slice(1, -1)));
    expect(standing()).toEqual([true, true]);
    reader.receive(bytesOf('o'));
    expect(standing()).toEqual([false, false]);
  });

  it('takes no longer over a value of blanks than over others', () => {
    const beganMs = performance.now();
    const value = `a${' '.repeat(50_000)}b`;
    expect(hear([bytesOf(withLines(`X:\t ${value} \t`))])).toEqual([`GET / 1.1 {"host":"x","x":"${value}"} []`]);
    expect(performance.now() - beganMs).toBeLessThan(300);
  });

  it('allocates nothing for what is only claimed', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 1000 }, () => {
      const reader = new HttpRequestReader();
      reader.receive(bytesOf(withLines('Content-Length: 1048576')));
      reader.next();
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
    expect(readers).toHaveLength(1000);
  });

  it('never throws and hears the same however the input is cut', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          GET,
          POST,
          CHUNKED,
          '5\r\nhello\r\n',
          '0\r\n\r\n',
          '\r\n',
          '\n',
          'Host: y\r\n',
          'Expect: 100-continue\r\n',
        ),
        fc.string({ unit: 'binary-ascii', maxLength: 20 }),
      ),
      { maxLength: 12 },
    );
    const withoutWaits = (heard: readonly string[]): string[] => heard.filter((line) => line !== 'continue');
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(300)), (parts, cuts) => {
        const bytes = bytesOf(parts.join(''));
        const whole = withoutWaits(hear([bytes]));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const cut = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        expect(withoutWaits(hear(cut))).toEqual(whole);
      }),
    );
  });
});
