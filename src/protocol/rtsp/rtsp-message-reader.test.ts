import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { RtspHeaders } from './rtsp-headers.ts';
import { RtspMessageReader, type RtspMessageReaderOptions, type RtspReadEvent } from './rtsp-message-reader.ts';
import { writeInterleavedFrame, writeRtspRequest, writeRtspResponse } from './rtsp-message-writer.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const lines = (headers: RtspHeaders): string[] => [...headers].map(([name, value]) => `${name}: ${value}`);

/** An event as plain data; neighbouring raw bytes as one. */
type Heard =
  | readonly [what: string, ...details: (string | number | undefined)[]]
  | { readonly what: string; readonly headers: string[]; readonly body: string };

function toPlain(event: RtspReadEvent): Heard {
  switch (event.type) {
    case 'request':
      return {
        what: `${event.method} ${event.url} ${event.protocol}/${event.version}`,
        headers: lines(event.headers),
        body: toText(event.body),
      };
    case 'response':
      return {
        what: `${event.protocol}/${event.version} ${event.statusCode} ${event.reason}`,
        headers: lines(event.headers),
        body: toText(event.body),
      };
    case 'interleaved':
      return ['$', event.channel, toText(event.payload)];
    case 'malformed':
      return ['malformed', event.cSeq];
    case 'raw':
      return ['raw', toText(event.bytes)];
    case 'failed':
      return ['failed', event.error.code];
    default:
      return event satisfies never;
  }
}

/** What is read of the pieces; each is wiped once read, as a socket's buffer would be. */
function hear(pieces: readonly Uint8Array[], options: RtspMessageReaderOptions = {}): Heard[] {
  const reader = new RtspMessageReader(options);
  const heard: Heard[] = [];
  for (const piece of pieces) {
    const copy = piece.slice();
    for (const event of reader.receive(copy).map(toPlain)) {
      const last = heard.at(-1);
      if (Array.isArray(event) && event[0] === 'raw' && Array.isArray(last) && last[0] === 'raw') {
        heard[heard.length - 1] = ['raw', `${last[1]}${event[1]}`];
      } else {
        heard.push(event);
      }
    }
    copy.fill(0x24);
  }
  return heard;
}

function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((cut, i) => bytes.slice(i === 0 ? 0 : cuts[i - 1], cut));
}

/** Whole, byte by byte, in threes: always the same. */
function hearEveryWay(input: string | Uint8Array, options: RtspMessageReaderOptions = {}): Heard[] {
  const bytes = typeof input === 'string' ? utf8(input) : input;
  const whole = hear([bytes], options);
  const positions = Array.from({ length: bytes.length }, (_, i) => i);
  expect(hear(cutAt(bytes, positions), options)).toEqual(whole);
  expect(
    hear(
      cutAt(
        bytes,
        positions.filter((i) => i % 3 === 0),
      ),
      options,
    ),
  ).toEqual(whole);
  return whole;
}

describe('RtspMessageReader', () => {
  it('reads a request with a body', () => {
    expect(
      hearEveryWay(
        'ANNOUNCE rtsp://h/a RTSP/1.0\r\nCSeq: 3\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n',
      ),
    ).toEqual([
      {
        what: 'ANNOUNCE rtsp://h/a RTSP/1.0',
        headers: ['CSeq: 3', 'Content-Type: application/sdp', 'Content-Length: 5'],
        body: 'v=0\r\n',
      },
    ]);
  });

  it('reads requests, responses and frames in one connection', () => {
    expect(
      hearEveryWay(
        joinBytes([
          writeInterleavedFrame(1, utf8('sr')),
          writeRtspResponse({ statusCode: 200, headers: [['CSeq', '1']] }),
          writeInterleavedFrame(0, utf8('$')),
          writeInterleavedFrame(255, new Uint8Array()),
          writeRtspRequest({ method: 'OPTIONS', url: '*', headers: [['CSeq', '2']] }),
        ]),
      ),
    ).toEqual([
      ['$', 1, 'sr'],
      { what: 'RTSP/1.0 200 OK', headers: ['CSeq: 1'], body: '' },
      ['$', 0, '$'],
      ['$', 255, ''],
      { what: 'OPTIONS * RTSP/1.0', headers: ['CSeq: 2'], body: '' },
    ]);
  });

  it.each([
    ['bare line feeds', 'OPTIONS * RTSP/1.0\nCSeq: 1\n\n'],
    ['blank lines in front', '\r\n \r\n\n\tOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'],
    ['blanks in the start line', 'OPTIONS \t *  RTSP/1.0 \r\nCSeq: 1\r\n\r\n'],
    ['blanks around a header', 'OPTIONS * RTSP/1.0\r\nCSeq \t:1  \r\n\r\n'],
    ['lines that are no headers', 'OPTIONS * RTSP/1.0\r\n x\r\nnonsense\r\n: y\r\na b: c\r\nCSeq: 1\r\n\r\n'],
  ])('takes %s', (_, text) => {
    expect(hearEveryWay(text)).toEqual([{ what: 'OPTIONS * RTSP/1.0', headers: ['CSeq: 1'], body: '' }]);
  });

  it('joins folded header lines', () => {
    expect(
      hearEveryWay(
        'PLAY rtsp://h/a RTSP/1.0\r\nTransport: RTP/AVP;unicast;\r\n  client_port=1-2\r\n\tx\r\nB: 1\r\n\r\n',
      ),
    ).toEqual([
      {
        what: 'PLAY rtsp://h/a RTSP/1.0',
        headers: ['Transport: RTP/AVP;unicast; client_port=1-2 x', 'B: 1'],
        body: '',
      },
    ]);
  });

  it.each([
    ['DESCRIBE rtsp://h/a file.mp4 RTSP/2.0', 'DESCRIBE rtsp://h/a file.mp4 RTSP/2.0'],
    ['get_x rtsp://h/ä RTSP/9.9', `get_x rtsp://h/ä RTSP/9.9`],
    ['GET /live/a.flv?x=1 HTTP/1.1', 'GET /live/a.flv?x=1 HTTP/1.1'],
    ['RTSP/1.0 461', 'RTSP/1.0 461 '],
    ['HTTP/1.0 401 No  entry', 'HTTP/1.0 401 No  entry'],
  ])('reads the start line %j', (line, what) => {
    expect(hearEveryWay(`${line}\r\n\r\n`)).toEqual([{ what, headers: [], body: '' }]);
  });

  it.each([
    'garbage',
    'OPTIONS *',
    'OPTIONS RTSP/1.0',
    'OPTIONS * RTSP/x',
    'OPTIONS * SIP/1.0',
    'RTSP/1.0 20 OK',
    'RTSP/1.0 2000 OK',
    'RTSP/1.0 abc',
    'OPT(IONS * RTSP/1.0',
    'OPTIONS rtsp://h/\u0001 RTSP/1.0',
    '\u0001\u0002\u0003',
  ])('calls %j malformed and goes on behind the blank line', (line) => {
    expect(hearEveryWay(`${line}\r\nCSeq: 8\r\nContent-Length: 3\r\n\r\nabcOPTIONS * RTSP/1.0\r\n\r\n`)).toEqual([
      ['malformed', '8'],
      { what: 'OPTIONS * RTSP/1.0', headers: [], body: '' },
    ]);
  });

  it.each(['-1', 'x', '1 1', '1e3', '', '9'.repeat(30)])('calls a body of %j bytes malformed', (length) => {
    expect(hearEveryWay(`OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${length}\r\n\r\n`)).toEqual([
      ['malformed', '1'],
    ]);
  });

  it('takes Content-Length twice only when it is the same twice', () => {
    const head = 'OPTIONS * RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: ';
    expect(hearEveryWay(`${head}1\r\n\r\nx`)).toMatchObject([{ body: 'x' }]);
    expect(hearEveryWay(`${head}2\r\n\r\n`)).toEqual([['malformed', undefined]]);
  });

  it('hands everything behind the POST of a tunnel on as it is', () => {
    const post = [
      'POST /a HTTP/1.0\r\nx-sessioncookie: c\r\nContent-Length: 32767\r\n\r\n',
      'POST /a HTTP/1.0\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n',
      'GET /a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    ];
    for (const head of post) expect(hearEveryWay(`${head}$T1BU\r\n\r\nSU9O`)[1]).toEqual(['raw', '$T1BU\r\n\r\nSU9O']);
  });

  it('reads on behind the answer to the GET of a tunnel, whatever length it claims', () => {
    expect(
      hearEveryWay(
        'HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\nContent-Length: 999\r\n\r\nRTSP/1.0 200 OK\r\n\r\n',
      ),
    ).toMatchObject([{ what: 'HTTP/1.0 200 OK' }, { what: 'RTSP/1.0 200 OK' }]);
  });

  it.each<[string, string, RtspMessageReaderOptions, number]>([
    ['header-too-large', `OPTIONS * RTSP/1.0\r\nA: ${'x'.repeat(60)}\r\n\r\n`, { maxHeaderSizeBytes: 60 }, 0],
    ['header-too-large', 'x'.repeat(100), { maxHeaderSizeBytes: 60 }, 0],
    ['header-too-large', 'A B RTSP/1.0\n\nOPTIONS * RTSP/1.0\nA: 123\n\n', { maxHeaderSizeBytes: 26 }, 1],
    ['too-many-headers', 'A B RTSP/1.0\nA: 1\nA: 2\nA: 3\n\n', { maxHeaders: 2 }, 0],
    ['too-many-headers', `A B RTSP/1.0\n${'A: 1\n'.repeat(257)}\n`, {}, 0],
    ['body-too-large', 'A B RTSP/1.0\nContent-Length: 11\n\n01234567890', { maxBodySizeBytes: 10 }, 0],
    ['body-too-large', 'A B RTSP/1.0\nContent-Length: 1048577\n\n', {}, 0],
    ['unsupported-transfer-encoding', 'A B HTTP/1.1\nTransfer-Encoding: chunked\n\n', {}, 0],
  ])('fails with %s', (code, text, options, before) => {
    const heard = hearEveryWay(`${text}OPTIONS * RTSP/1.0\r\n\r\n`, options);
    expect(heard.slice(before)).toEqual([['failed', `rtsp/${code}`]]);
  });

  it('takes a head and a body exactly at their limits', () => {
    const options = { maxHeaderSizeBytes: 32, maxBodySizeBytes: 2, maxHeaders: 1 };
    expect(hearEveryWay('A B RTSP/1.0\nContent-Length: 2\n\nxy', options)).toMatchObject([{ body: 'xy' }]);
  });

  it('gives whole frames as views of the input', () => {
    const input = writeInterleavedFrame(0, utf8('abc'));
    const [event] = new RtspMessageReader().receive(input);
    expect(event?.type === 'interleaved' && event.payload.buffer).toBe(input.buffer);
  });

  it('keeps the payload of a cut frame until the next input, though another one begins', () => {
    const bytes = joinBytes([writeInterleavedFrame(0, utf8('abc')), writeInterleavedFrame(1, utf8('def'))]);
    const reader = new RtspMessageReader();
    for (let turn = 0; turn < 3; turn++) {
      reader.receive(bytes.subarray(0, 2));
      expect(reader.receive(bytes.subarray(2, 12)).map(toPlain)).toEqual([['$', 0, 'abc']]);
      expect(reader.isInsideMessage).toBe(true);
      expect(reader.receive(bytes.subarray(12)).map(toPlain)).toEqual([['$', 1, 'def']]);
      expect(reader.isInsideMessage).toBe(false);
    }
  });

  it('takes a long body in many pieces', () => {
    const body = 'x'.repeat(100_000);
    const bytes = utf8(`A B RTSP/1.0\nContent-Length: ${body.length}\n\n${body}`);
    const pieces = Array.from({ length: 101 }, (_, i) => bytes.subarray(i * 1000, (i + 1) * 1000));
    expect(hear(pieces)).toMatchObject([{ body }]);
  });

  it('reads back what was written, cut anywhere', () => {
    const name = fc
      .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
      .filter((text) => !/^(\$|content|transfer|upgrade)/i.test(text));
    const value = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/\p{Cc}/gu, ' ').trim());
    const headers = fc.array(fc.tuple(name, value), { maxLength: 5 });
    const body = fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined });
    const url = fc.oneof(fc.webUrl(), fc.constant('*'), fc.stringMatching(/^\/[!-~]{0,20}$/));
    const version = fc.constantFrom('1.0', '2.0', '1.1');
    const message = fc.oneof(
      fc.record({ method: name, url, version, headers, body }).map((request) => ({
        bytes: writeRtspRequest(toOutgoing(request)),
        what: `${request.method} ${request.url} RTSP/${request.version}`,
        ...request,
      })),
      fc
        .record({ statusCode: fc.integer({ min: 100, max: 999 }), reason: name, version, headers, body })
        .map((response) => ({
          bytes: writeRtspResponse(toOutgoing(response)),
          what: `RTSP/${response.version} ${response.statusCode} ${response.reason}`,
          ...response,
        })),
      fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 2000 })).map(([channel, payload]) => ({
        bytes: writeInterleavedFrame(channel, payload),
        channel,
        payload,
      })),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (messages, cuts) => {
        const expected = messages.map((sent): Heard => {
          if ('payload' in sent) return ['$', sent.channel, toText(sent.payload)];
          const written = sent.headers.map(([key, text]) => `${key}: ${text}`);
          if (sent.body !== undefined) written.push(`Content-Length: ${sent.body.length}`);
          return { what: sent.what, headers: written, body: toText(sent.body ?? new Uint8Array()) };
        });
        expect(hear(cutAt(joinBytes(messages.map(({ bytes }) => bytes)), cuts))).toEqual(expected);
      }),
    );
  });

  it('says the same of any bytes wherever they are cut, and never throws', () => {
    const piece = fc.oneof(
      fc.constantFrom('RTSP/1.0 200 OK', 'OPTIONS * RTSP/1.0', '\r\n', '\n', '$\0\0\u0003', 'CSeq: 1\r\n', ' fold\r\n'),
      fc.constantFrom('Content-Length: 4\r\n', 'POST / HTTP/1.0\r\nx-sessioncookie: 1\r\n', '\r\n\r\n', ':'),
      fc.string({ unit: 'binary', maxLength: 10 }),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(piece, { maxLength: 20 }).map((parts) => utf8(parts.join(''))),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 10 }), (input, cuts) => {
        const options = { maxHeaderSizeBytes: 80, maxHeaders: 3, maxBodySizeBytes: 20 };
        expect(hear(cutAt(input, cuts), options)).toEqual(hear([input], options));
      }),
      { numRuns: 500 },
    );
  });
});

/** Leaves out what is undefined. */
function toOutgoing<T extends { readonly body: Uint8Array | undefined }>(
  message: T,
): Omit<T, 'body'> & { readonly body?: Uint8Array } {
  const { body, ...rest } = message;
  return body === undefined ? rest : { ...rest, body };
}
