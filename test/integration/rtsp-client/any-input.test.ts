import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RtspClientEvent } from '../../../src/protocol/rtsp/client-events.ts';
import { RtspClientSession } from '../../../src/protocol/rtsp/rtsp-client-session.ts';
import { parseRtspUrl } from '../../../src/protocol/rtsp/rtsp-url.ts';
import { crypto, Pair, SDP, script } from '../../rtsp-client-test-kit.ts';

describe('RtspClientSession, its caller', () => {
  const url = parseRtspUrl('rtsp://h/a')!;
  const wrongState = expect.objectContaining({ code: 'rtsp/wrong-state' });

  it('may not do things out of order', () => {
    const idle = new RtspClientSession({ url, crypto, cnonce: 'c' });
    expect(() => idle.receive(new Uint8Array(1), 0)).toThrow(wrongState);
    expect(() => idle.setUp([], 0)).toThrow(wrongState);
    idle.start(0);
    expect(() => idle.start(0)).toThrow(wrongState);
    expect(() => idle.play({}, 0)).toThrow(wrongState);
    expect(() => idle.record(0)).toThrow(wrongState);
    expect(() => idle.pause(0)).toThrow(wrongState);
    const pair = new Pair().start().setUp();
    expect(() => pair.session.record(0)).toThrow(wrongState);
    expect(() => pair.session.setUp([], 0)).toThrow(wrongState);
  });

  it('may not pile requests up', () => {
    const pair = new Pair(script(({ method }) => (method === 'PLAY' ? undefined : 'usual'))).start().setUp();
    const playOn = (): void => {
      for (let i = 0; i < 1000; i++) pair.play();
    };
    expect(playOn).toThrow(expect.objectContaining({ code: 'rtsp/too-many-requests' }));
  });
});

describe('RtspClientSession, any input', () => {
  it('says the same wherever the input is cut, and never throws', () => {
    const parts = [
      'RTSP/1.0 200 OK\r\n',
      'RTSP/1.0 401 No\r\n',
      'RTSP/1.0 302 x\r\nLocation: rtsp://h/b\r\n',
      'OPTIONS * RTSP/1.0\r\n',
      'TEARDOWN * RTSP/1.0\r\n',
      'CSeq: 1\r\n',
      'CSeq: 2\r\n',
      'CSeq: 3\r\n',
      'Session: 1\r\n',
      'Public: GET_PARAMETER\r\n',
      'WWW-Authenticate: Digest nonce="n"\r\n',
      '\r\n',
      '$\0\0\u0002ab',
      'x',
    ];
    const answers = [1, 2, 3].flatMap((cSeq) => [
      `RTSP/1.0 200 OK\r\nCSeq: ${cSeq}\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
      `RTSP/1.0 401 No\r\nCSeq: ${cSeq}\r\nWWW-Authenticate: Digest nonce="n"\r\n\r\n`,
    ]);
    const part = fc.constantFrom(...parts, ...answers);
    const run = (bytes: Uint8Array, sizeBytes: number): unknown[] => {
      const session = new RtspClientSession({ url: parseRtspUrl('rtsp://u:p@h/a')!, crypto, cnonce: 'c' });
      const told: unknown[] = [];
      const tell = (events: readonly RtspClientEvent[]): void => {
        for (const event of events) {
          if (event.type === 'interleaved') told.push(event.payload.slice());
          else
            told.push(
              event.type === 'failed'
                ? event.error.code
                : event.type === 'send'
                  ? Buffer.from(event.bytes).toString()
                  : event.type,
            );
        }
      };
      tell(session.start(0));
      for (let at = 0; at < bytes.length; at += sizeBytes) tell(session.receive(bytes.slice(at, at + sizeBytes), 0));
      return told;
    };
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (parts, sizeBytes) => {
        const bytes = new Uint8Array(Buffer.from(parts.join(''), 'latin1'));
        expect(run(bytes, sizeBytes)).toEqual(run(bytes, bytes.length + 1));
      }),
      { numRuns: 300 },
    );
  });
});
