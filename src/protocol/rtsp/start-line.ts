import { isHeaderName } from './rtsp-headers.ts';
import type { StartLineProtocol } from './rtsp-message.ts';

/** The first line of a message, taken apart. */
export type StartLine = RequestLine | StatusLine;

/** `method SP url SP protocol/version` (RFC 2326 §6.1). */
export interface RequestLine {
  readonly type: 'request';
  readonly method: string;
  readonly url: string;
  readonly protocol: StartLineProtocol;
  readonly version: string;
}

/** `protocol/version SP code SP reason` (RFC 2326 §7.1). */
export interface StatusLine {
  readonly type: 'response';
  readonly protocol: StartLineProtocol;
  readonly version: string;
  readonly statusCode: number;
  readonly reason: string;
}

const VERSION = /^(RTSP|HTTP)\/(\d{1,3}\.\d{1,3})$/;
/** Controls but for the tab. */
const CONTROLS = /[^\P{Cc}\t]/u;

/**
 * Takes a start line (RFC 2326 §6.1, §7.1) apart; undefined when it is none. Runs of blanks count as one, a URL may hold
 * blanks (some players do not escape them), a reason may be missing; a control character makes the line none.
 */
export function parseStartLine(line: string): StartLine | undefined {
  if (CONTROLS.test(line)) return undefined;
  const text = line.replaceAll('\t', ' ').trim();
  const firstBlank = text.indexOf(' ');
  if (firstBlank < 0) return undefined;
  const first = text.slice(0, firstBlank);
  const status = VERSION.exec(first);
  if (status !== null) return parseStatus(status, text.slice(firstBlank).trim());
  const lastBlank = text.lastIndexOf(' ');
  const version = VERSION.exec(text.slice(lastBlank + 1));
  const url = text.slice(firstBlank, lastBlank).trim();
  // A `$` in front would make a frame of it.
  if (version === null || url === '' || !isHeaderName(first) || first.startsWith('$')) return undefined;
  return { type: 'request', method: first, url, protocol: version[1] as StartLineProtocol, version: version[2]! };
}

function parseStatus(version: RegExpExecArray, rest: string): StatusLine | undefined {
  const code = rest.slice(0, 3);
  const reason = rest.slice(3);
  if (!/^[1-9]\d\d$/.test(code) || (reason !== '' && !reason.startsWith(' '))) return undefined;
  return {
    type: 'response',
    protocol: version[1] as StartLineProtocol,
    version: version[2]!,
    statusCode: Number(code),
    reason: reason.trim(),
  };
}
