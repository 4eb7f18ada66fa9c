import { fromBase64, toBase64 } from '../../wire/base64.ts';
import { quote, unquote } from './parameter-list.ts';

/** Most challenges read from the WWW-Authenticate headers of one response. */
export const RTSP_MAX_CHALLENGES = 16;
/** Most parameters read of one challenge or answer. */
const MAX_PARAMETERS = 32;

/** A challenge of WWW-Authenticate, or an answer of Authorization (RFC 7235 §2.1). */
export interface AuthenticationHeader {
  /** Lower case: `digest`, `basic`, … */
  readonly scheme: string;
  /** By lower-case name; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What stands there in place of parameters: the base64 of Basic. */
  readonly token: string | undefined;
}

/** User name and password of `Authorization: Basic` (RFC 7617). */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * The challenges of the values of one or more WWW-Authenticate headers, several of which may stand in one value (RFC 7235
 * §4.1). Parameters are read quoted or not, with blanks or commas between them.
 */
export function parseChallenges(values: Iterable<string>): AuthenticationHeader[] {
  const challenges: AuthenticationHeader[] = [];
  for (const value of values) {
    const room = RTSP_MAX_CHALLENGES - challenges.length;
    if (room === 0) break;
    challenges.push(...parseHeader(value, room));
  }
  return challenges;
}

/** The answer in an Authorization header; undefined when there is none in it. */
export function parseAuthorization(value: string): AuthenticationHeader | undefined {
  return parseHeader(value, 1)[0];
}

/** A challenge for WWW-Authenticate. */
export function writeChallenge(scheme: string, parameters: Iterable<readonly [string, string]>): string {
  return writeHeader(scheme, parameters, BARE_IN_CHALLENGE);
}

/** An answer for Authorization. */
export function writeAnswer(scheme: string, parameters: Iterable<readonly [string, string]>): string {
  return writeHeader(scheme, parameters, BARE_IN_ANSWER);
}

/** User name and password out of `Authorization: Basic`; undefined when they can't be read. */
export function parseBasicCredentials(header: AuthenticationHeader): BasicCredentials | undefined {
  const bytes = header.scheme === 'basic' ? fromBase64(header.token ?? '') : undefined;
  if (bytes === undefined) return undefined;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The value of `Authorization: Basic`. */
export function writeBasicCredentials(credentials: BasicCredentials): string {
  return `Basic ${toBase64(new TextEncoder().encode(`${credentials.username}:${credentials.password}`))}`;
}

/** Parameters that stand without quotes (RFC 7616 §3.3, §3.4). */
const BARE_IN_CHALLENGE: ReadonlySet<string> = new Set(['algorithm', 'stale']);
const BARE_IN_ANSWER: ReadonlySet<string> = new Set(['algorithm', 'qop', 'nc']);

const SPACES = /\s*/y;
const BLANK = /[\s,]*/y;
const NAME = /[!#$%&'*+\-.^_`|~\w]+/y;
const EQUALS = /\s*=\s*/y;
const QUOTED = /"(?:[^"\\]|\\.)*"?/sy;
const UNQUOTED = /[^\s,]*/y;
/** RFC 7235 §2.1 `token68`. */
const TOKEN = /[\w.~+/-]+=*(?=\s*(?:,|$))/y;

function writeHeader(
  scheme: string,
  parameters: Iterable<readonly [string, string]>,
  bare: ReadonlySet<string>,
): string {
  const list = [...parameters].map(([name, value]) => `${name}=${bare.has(name) ? value : quote(value)}`);
  return `${scheme} ${list.join(', ')}`;
}

interface MutableHeader {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
  token: string | undefined;
}

function parseHeader(value: string, limit: number): AuthenticationHeader[] {
  const headers: MutableHeader[] = [];
  const cursor = { at: 0 };
  while (cursor.at < value.length) {
    take(value, cursor, BLANK);
    const start = cursor.at;
    const name = take(value, cursor, NAME);
    if (name === '') {
      // Nothing a name begins with: leave it out.
      cursor.at++;
      continue;
    }
    const header = headers.at(-1);
    if (header !== undefined && take(value, cursor, EQUALS) !== '') {
      const quoted = take(value, cursor, QUOTED);
      const text = quoted === '' ? take(value, cursor, UNQUOTED) : unquote(quoted);
      const key = name.toLowerCase();
      if (!header.parameters.has(key) && header.parameters.size < MAX_PARAMETERS) header.parameters.set(key, text);
      continue;
    }
    if (headers.length === limit) break;
    headers.push(takeScheme(value, cursor, start, name));
  }
  return headers;
}

function takeScheme(value: string, cursor: { at: number }, start: number, name: string): MutableHeader {
  const header: MutableHeader = { scheme: name.toLowerCase(), parameters: new Map(), token: undefined };
  cursor.at = start + name.length;
  const behind = cursor.at;
  take(value, cursor, SPACES);
  const token = take(value, cursor, TOKEN);
  if (token === '') cursor.at = behind;
  else header.token = token;
  return header;
}

/** The text that matches where the cursor stands, '' when there is none; the cursor goes behind it. */
function take(text: string, cursor: { at: number }, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const [match = ''] = pattern.exec(text) ?? [];
  cursor.at += match.length;
  return match;
}
