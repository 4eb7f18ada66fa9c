import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attributeOf,
  attributesOf,
  connectionOf,
  directionOf,
  type MediaDescription,
  type SessionDescription,
} from './session-description.ts';
import {
  parseSessionDescription,
  SDP_MAX_LINE_LENGTH,
  SDP_MAX_LINES,
  SDP_MAX_MEDIA,
  SDP_MAX_SIZE,
} from './session-description-parser.ts';
import { writeSessionDescription } from './session-description-writer.ts';

const lines = (...text: string[]): string => `${text.join('\r\n')}\r\n`;

const RFC_EXAMPLE = lines(
  'v=0',
  'o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1',
  's=Call to John Smith',
  'i=SDP Offer #1',
  'u=http://www.jdoe.example.com/home.html',
  'e=Jane Doe <jane@jdoe.example.com>',
  'p=+1 617 555-6011',
  'c=IN IP4 198.51.100.1',
  't=0 0',
  'm=audio 49170 RTP/AVP 0',
  'm=audio 49180 RTP/AVP 0',
  'm=video 51372 RTP/AVP 99',
  'c=IN IP6 2001:db8::2',
  'a=rtpmap:99 h263-1998/90000',
);

const WITH_ALL_LINES = lines(
  'v=0',
  'o=- 0 0 IN IP4 0.0.0.0',
  's= ',
  'c=IN IP4 233.252.0.1/127/3',
  'b=X-YZ:128',
  'b=AS:500',
  't=3034423619 3042462419',
  'r=604800 3600 0 90000',
  'r=7d 1h 0 25h',
  't=0 0',
  'z=2882844526 -1h 2898848070 0',
  'k=prompt',
  'a=control:*',
  'a=recvonly',
  'm=video 49170/2 RTP/AVP 31 96',
  'i=pictures',
  'c=IN IP6 ff00::db8:0:101/3',
  'b=TIAS:1000000',
  'k=clear:secret',
  'a=sendonly',
  'a=fmtp:96 a=1:2',
);

describe('parseSessionDescription', () => {
  it('reads the example of RFC 8866 §5', () => {
    expect(parseSessionDescription(RFC_EXAMPLE)).toEqual({
      origin: {
        username: 'jdoe',
        sessionId: '3724394400',
        sessionVersion: '3724394405',
        networkType: 'IN',
        addressType: 'IP4',
        address: '198.51.100.1',
      },
      name: 'Call to John Smith',
      information: 'SDP Offer #1',
      uri: 'http://www.jdoe.example.com/home.html',
      emails: ['Jane Doe <jane@jdoe.example.com>'],
      phones: ['+1 617 555-6011'],
      connection: { networkType: 'IN', addressType: 'IP4', address: '198.51.100.1' },
      times: [{ start: 0, stop: 0 }],
      attributes: [],
      media: [
        { type: 'audio', port: 49170, protocol: 'RTP/AVP', formats: ['0'], attributes: [] },
        { type: 'audio', port: 49180, protocol: 'RTP/AVP', formats: ['0'], attributes: [] },
        {
          type: 'video',
          port: 51372,
          protocol: 'RTP/AVP',
          formats: ['99'],
          connection: { networkType: 'IN', addressType: 'IP6', address: '2001:db8::2' },
          attributes: [{ name: 'rtpmap', value: '99 h263-1998/90000' }],
        },
      ],
    } satisfies SessionDescription);
  });

  it('reads every kind of line', () => {
    expect(parseSessionDescription(WITH_ALL_LINES)).toMatchObject({
      name: '',
      connection: { address: '233.252.0.1', ttl: 127, addressCount: 3 },
      bandwidths: [
        { type: 'X-YZ', value: 128 },
        { type: 'AS', value: 500 },
      ],
      times: [
        { start: 3034423619, stop: 3042462419, repeats: ['604800 3600 0 90000', '7d 1h 0 25h'] },
        { start: 0, stop: 0 },
      ],
      timeZones: '2882844526 -1h 2898848070 0',
      encryptionKey: 'prompt',
      attributes: [{ name: 'control', value: '*' }, { name: 'recvonly' }],
      media: [
        {
          type: 'video',
          port: 49170,
          portCount: 2,
          formats: ['31', '96'],
          information: 'pictures',
          connection: { address: 'ff00::db8:0:101', addressCount: 3 },
          bandwidths: [{ type: 'TIAS', value: 1_000_000 }],
          encryptionKey: 'clear:secret',
          attributes: [{ name: 'sendonly' }, { name: 'fmtp', value: '96 a=1:2' }],
        },
      ],
    });
  });

  it.each<[string, string, Partial<SessionDescription>]>([
    ['line feeds alone', 'v=0\ns=a\nm=video 0 RTP/AVP 96\n', { name: 'a' }],
    ['carriage returns alone', 'v=0\rs=a\rm=video 0 RTP/AVP 96\r', { name: 'a' }],
    ['no line end at the end', 'v=0\r\ns=a', { name: 'a' }],
    ['blank and unknown lines, and zeros behind', '\r\n\r\nv=0\r\nnonsense\r\nq=1\r\n\r\ns=a\r\n\0\0', { name: 'a' }],
    ['blanks around', ' v = 0 \r\n s = a \r\n', { name: 'a' }],
    ['no version', 'm=video 0 RTP/AVP 96', { media: [expect.objectContaining({ type: 'video' })] }],
    ['connection without address', 'v=0\nc=IN IP4\n', {}],
    [
      'nonsense in numbers',
      'v=0\nb=AS:x\nb=5\nt=x\nr=1\nc=IN IP4 h/x/7',
      { connection: { networkType: 'IN', addressType: 'IP4', address: 'h' } },
    ],
  ])('takes %s', (_, text, expected) => {
    expect(parseSessionDescription(text)).toMatchObject(expected);
    expect(parseSessionDescription(new TextEncoder().encode(text))).toEqual(parseSessionDescription(text));
  });

  it.each([
    ['a b 1 2 IN IP4 h', 'a b 1 2 IN IP4 h'],
    ['- 1 2 in IP6 ::1', '- 1 2 in IP6 ::1'],
    ['- 1 2 X Y Z', '- 1 2 X Y Z'],
    ['7 IN IP4 h', '- 7 0 IN IP4 h'],
    ['7 8 IN IP4 h', '- 7 8 IN IP4 h'],
    ['- 7 IN IP4 h', '- 7 0 IN IP4 h'],
    ['- 7 8 IN IP4', '- 7 8 IN IP4 0.0.0.0'],
    ['-', '- 0 0 IN IP4 0.0.0.0'],
    ['7', '- 7 0 IN IP4 0.0.0.0'],
    ['', '- 0 0 IN IP4 0.0.0.0'],
  ])('reads o=%j as %j', (text, written) => {
    expect(writeSessionDescription(parseSessionDescription(`v=0\no=${text}`)!)).toContain(`\r\no=${written}\r\n`);
  });

  it.each<[string, Partial<MediaDescription> | undefined]>([
    ['video  0   RTP/AVP  96 97 ', { type: 'video', port: 0, protocol: 'RTP/AVP', formats: ['96', '97'] }],
    ['video x RTP/AVP 96', { port: 0, formats: ['96'] }],
    ['video 70000 RTP/AVP 96', { port: 0 }],
    ['video -1 RTP/AVP 96', { port: 0 }],
    ['video RTP/AVP 96', { port: 0, protocol: 'RTP/AVP', formats: ['96'] }],
    ['video 0/x RTP/AVP', { port: 0, formats: [] }],
    ['application 9 UDP/DTLS/SCTP webrtc-datachannel', { protocol: 'UDP/DTLS/SCTP', formats: ['webrtc-datachannel'] }],
    ['video 0', undefined],
    ['video', undefined],
    ['', undefined],
  ])('reads m=%j', (text, expected) => {
    const media = parseSessionDescription(`v=0\r\nm=${text}\r\n`)?.media;
    if (expected === undefined) expect(media).toEqual([]);
    else expect(media).toMatchObject([expected]);
  });

  it.each([
    ['nothing', ''],
    ['no description', '<html>\r\n</html>'],
    ['too much', `v=0\r\n${'a=x\r\n'.repeat(SDP_MAX_SIZE / 5)}`],
    ['too many lines', `v=0\r\n${'a=x\n'.repeat(SDP_MAX_LINES)}`],
    ['too long a line', `v=0\r\na=${'x'.repeat(SDP_MAX_LINE_LENGTH)}`],
    ['too many media sections', `v=0\r\n${'m=video 0 RTP/AVP 96\n'.repeat(SDP_MAX_MEDIA + 1)}`],
  ])('refuses %s', (_, text) => {
    expect(parseSessionDescription(text)).toBeUndefined();
  });

  it('never throws, and what it reads is read again once written', () => {
    const part = fc.constantFrom(
      'v=0',
      'o=',
      's=',
      'c=IN IP4 ',
      'b=AS:',
      't=',
      'r=',
      'm=video ',
      'a=',
      'a=x:',
      '/',
      ' ',
      '1',
      '\n',
      '\r',
      'k=',
      'i=',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const read = parseSessionDescription(source);
        if (read === undefined) return;
        const again = parseSessionDescription(writeSessionDescription(read));
        const written = { times: [{ start: 0, stop: 0 }], ...read };
        expect({ ...again, origin: undefined }).toEqual({ ...written, origin: undefined });
        if (read.origin !== undefined) expect(again!.origin).toEqual(read.origin);
      }),
      { numRuns: 500 },
    );
  });
});

describe('writeSessionDescription', () => {
  it.each([
    ['of RFC 8866', RFC_EXAMPLE],
    ['with every kind of line', WITH_ALL_LINES],
  ])('writes the example %s as it was', (_, text) => {
    expect(writeSessionDescription(parseSessionDescription(text)!)).toBe(text);
  });

  it('gives a description the lines it must have, and lets no value add others', () => {
    const session: SessionDescription = {
      name: 'a\r\nm=audio 0 RTP/AVP 0',
      attributes: [{ name: 'x', value: '1\n2' }],
      media: [],
    };
    expect(writeSessionDescription(session)).toBe(
      'v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=a m=audio 0 RTP/AVP 0\r\nt=0 0\r\na=x:1 2\r\n',
    );
  });
});

describe('what a level says', () => {
  const session = parseSessionDescription(WITH_ALL_LINES)!;
  const [video] = session.media;

  it('finds attributes whatever their case', () => {
    expect(attributeOf(session, 'CONTROL')).toBe('*');
    expect(attributeOf(session, 'recvonly')).toBe('');
    expect(attributeOf(session, 'range')).toBeUndefined();
    expect(attributesOf(video!, 'fmtp')).toEqual(['96 a=1:2']);
  });

  it('takes direction and connection from the session where the media has none', () => {
    const bare: MediaDescription = { type: 'audio', port: 0, protocol: 'RTP/AVP', formats: [], attributes: [] };
    expect([directionOf(session, video!), directionOf(session, bare)]).toEqual(['sendonly', 'recvonly']);
    expect(directionOf({ ...session, attributes: [] }, bare)).toBe('sendrecv');
    expect(connectionOf(session, video!)?.address).toBe('ff00::db8:0:101');
    expect(connectionOf(session, bare)?.address).toBe('233.252.0.1');
  });
});
