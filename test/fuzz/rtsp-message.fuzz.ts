import { createHash } from 'node:crypto';
import {
  parseAuthorization,
  parseBasicCredentials,
  parseChallenges,
} from '../../src/protocol/rtsp/authentication-header.ts';
import { parseRange, writeRange } from '../../src/protocol/rtsp/range-header.ts';
import { parseRtpInfo } from '../../src/protocol/rtsp/rtp-info.ts';
import { RtspClientSession } from '../../src/protocol/rtsp/rtsp-client-session.ts';
import type { RtspHeaders } from '../../src/protocol/rtsp/rtsp-headers.ts';
import type { RtspRequest, RtspResponse } from '../../src/protocol/rtsp/rtsp-message.ts';
import { RtspMessageReader, type RtspReadEvent } from '../../src/protocol/rtsp/rtsp-message-reader.ts';
import {
  writeInterleavedFrame,
  writeRtspRequest,
  writeRtspResponse,
} from '../../src/protocol/rtsp/rtsp-message-writer.ts';
import { parseRtspUrl, requestTarget, writeRtspUrl } from '../../src/protocol/rtsp/rtsp-url.ts';
import { parseScale, parseSpeed } from '../../src/protocol/rtsp/scale-and-speed.ts';
import { parseSession, writeSession } from '../../src/protocol/rtsp/session-header.ts';
import { parseTransports, type RtspTransport, writeTransports } from '../../src/protocol/rtsp/transport-header.ts';

export const name = 'rtsp-message';

const LIMITS = { maxHeaderSizeBytes: 2048, maxBodySizeBytes: 4096, maxHeaders: 32 };
const TCP: RtspTransport = { profile: 'RTP/AVP', lowerTransport: 'TCP', interleaved: { first: 0, last: 1 } };

/**
 * RTSP input: the same events whole and in pieces, messages written and read again, headers that read what they wrote,
 * and a client session that hears it and does whatever it may do.
 */
export function run(bytes: Uint8Array): void {
  const whole = hear(bytes, bytes.length + 1);
  for (const sizeBytes of [1, 7, 100]) expectSame(hear(bytes, sizeBytes), whole, `pieces of ${sizeBytes}`);
  for (const event of new RtspMessageReader(LIMITS).receive(bytes)) {
    if (event.type !== 'request' && event.type !== 'response') continue;
    checkHeaders(event.headers);
    if (event.type === 'request') checkUrl(event.url);
    checkRewrite(event);
  }
  drive(bytes, bytes.length + 1);
  drive(bytes, 50);
}

function checkRewrite(message: RtspRequest | RtspResponse): void {
  const { body, ...head } = message;
  const hasLength = head.headers.has('Content-Length') && body.length > 0;
  const outgoing = hasLength ? { ...head, body } : head;
  const written = outgoing.type === 'request' ? writeRtspRequest(outgoing) : writeRtspResponse(outgoing);
  const expected = describe(message);
  const [again] = hear(written, written.length);
  // One Content-Length is written, without zeros in front, whatever there was.
  const lengths = head.headers.getAll('Content-Length');
  if ((!hasLength || lengths.join() === String(body.length)) && again !== expected) {
    throw new RangeError('a message written differs');
  }
}

/** What is heard, with neighbouring raw bytes as one. */
function hear(bytes: Uint8Array, sizeBytes: number): string[] {
  const reader = new RtspMessageReader(LIMITS);
  const heard: string[] = [];
  let raw = '';
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    const piece = bytes.slice(at, at + sizeBytes);
    for (const event of reader.receive(piece)) {
      if (event.type === 'raw') raw += toText(event.bytes);
      else heard.push(describe(event));
    }
    piece.fill(0x24);
  }
  if (raw !== '') heard.push(`raw ${raw}`);
  return heard;
}

function describe(event: Exclude<RtspReadEvent, { type: 'raw' }>): string {
  switch (event.type) {
    case 'request':
      return `${event.method} ${event.url} ${event.protocol}/${event.version} ${describeHeaders(event.headers)} ${toText(event.body)}|`;
    case 'response':
      return `${event.statusCode} ${event.reason} ${event.protocol}/${event.version} ${describeHeaders(event.headers)} ${toText(event.body)}|`;
    case 'interleaved':
      return toText(writeInterleavedFrame(event.channel, event.payload));
    case 'malformed':
      return `malformed ${event.cSeq}`;
    case 'failed':
      return event.error.code;
    default:
      return event satisfies never;
  }
}

/** Names in lower case: the one that the writer puts in has its own spelling. */
function describeHeaders(headers: RtspHeaders): string {
  return JSON.stringify([...headers].map(([header, value]) => [header.toLowerCase(), value]));
}

function checkHeaders(headers: RtspHeaders): void {
  for (const [header, value] of headers) {
    expectStable(value, (text) => parseTransports(text), writeTransports, `Transport in ${header}`);
    expectStable(value, parseRange, writeRange, 'Range');
    expectStable(value, parseSession, writeSession, 'Session');
    parseRtpInfo(value);
    parseScale(value);
    parseSpeed(value);
    parseChallenges([value]);
    const authorization = parseAuthorization(value);
    if (authorization !== undefined) parseBasicCredentials(authorization);
    checkUrl(value);
  }
}

function checkUrl(text: string): void {
  const url = parseRtspUrl(text);
  if (url === undefined) return;
  requestTarget(url, (part) => part.startsWith('track'));
  const again = parseRtspUrl(writeRtspUrl(url));
  if (again?.path !== url.path || again.host !== url.host || again.query !== url.query || again.port !== url.port) {
    throw new RangeError(`${text} is not the same once written`);
  }
}

function expectStable<T>(
  text: string,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
  what: string,
): void {
  const value = read(text);
  if (value === undefined) return;
  const written = write(value);
  const again = read(written);
  if (again === undefined || write(again) !== written)
    throw new RangeError(`${what} ${JSON.stringify(text)} is not stable`);
}

/** A session that plays as soon as it can. */
function drive(bytes: Uint8Array, sizeBytes: number): void {
  const session = new RtspClientSession({
    url: parseRtspUrl('rtsp://user:pass@h/a')!,
    crypto: {
      hash: (algorithm, text) => createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('hex'),
    },
    cnonce: '0a4f113b',
    wantsBackChannel: true,
    limits: LIMITS,
  });
  session.start(0);
  let nowMs = 0;
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    for (const event of session.receive(bytes.subarray(at, at + sizeBytes), nowMs)) {
      if (event.type === 'described') {
        session.setUp(
          event.tracks.map((track) => ({ track, transports: [TCP] })),
          nowMs,
        );
      } else if (event.type === 'ready') session.play({}, nowMs);
    }
    nowMs += 100;
  }
  for (let turns = 0; ; turns++) {
    const due = session.nextTimeoutMs();
    if (due === undefined || turns === 10) break;
    if (due < nowMs - 60_000) throw new RangeError('the session wants to be called in the past');
    nowMs = Math.max(nowMs, due);
    session.handleTimeout(nowMs);
  }
  session.teardown(nowMs);
}

function expectSame(actual: readonly string[], expected: readonly string[], what: string): void {
  if (actual.join('\n') !== expected.join('\n')) throw new RangeError(`${what} differ`);
}

function toText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
