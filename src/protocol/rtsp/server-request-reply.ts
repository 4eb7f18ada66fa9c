import type { RtspRequest } from './rtsp-message.ts';
import { writeRtspResponse } from './rtsp-message-writer.ts';

/** Requests of a server that a client answers with 200 (RFC 2326 §10, RFC 7826 §13.5). */
const ANSWERED: ReadonlySet<string> = new Set([
  'OPTIONS',
  'ANNOUNCE',
  'GET_PARAMETER',
  'SET_PARAMETER',
  'REDIRECT',
  'PLAY_NOTIFY',
  'TEARDOWN',
]);

/** A client's answer to a request of its server. */
export interface ServerRequestReply {
  readonly statusCode: number;
  readonly bytes: Uint8Array;
}

/**
 * Answers what a server asks its client: 200 to what a client can do nothing about but take note, 501 to unknown methods,
 * 551 when a feature is required, 400 without a CSeq, 505 for another version.
 */
export function replyToServer(request: RtspRequest): ServerRequestReply {
  const cSeq = request.headers.get('CSeq');
  const required = request.headers.getAll('Require');
  const headers: [string, string][] = cSeq === undefined ? [] : [['CSeq', cSeq]];
  const session = request.headers.get('Session');
  if (session !== undefined) headers.push(['Session', session]);
  let statusCode = 200;
  if (request.protocol !== 'RTSP' || cSeq === undefined) {
    statusCode = 400;
  } else if (request.version !== '1.0') {
    statusCode = 505;
  } else if (!ANSWERED.has(request.method)) {
    statusCode = 501;
  } else if (required.length > 0) {
    statusCode = 551;
    headers.push(['Unsupported', required.join(', ')]);
  } else if (request.method === 'OPTIONS') {
    headers.push(['Public', [...ANSWERED].join(', ')]);
  }
  return { statusCode, bytes: writeRtspResponse({ statusCode, headers }) };
}
