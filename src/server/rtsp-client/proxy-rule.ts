import { parseRtspUrl, type RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';

/** Longest name a rule is asked for, UTF-16 units. Names come from viewers. */
export const MAX_PROXIED_NAME_LENGTH = 255;

/** `*` stands for one part of a name, `**` for any number of them. */
const WILDCARD = /\*+/g;
/** Scheme, user and host, which viewers have no part in. */
const AUTHORITY = /^rtsps?:\/\/[^/?]*[/?]/i;
/** Stands for the wildcard where a rule is tried out. */
const SAMPLE = 'x';

/** Which names are had from another server, and under which URL there. */
export interface ProxyRule {
  /** What stands before and behind the wildcard of a name; without a wildcard the whole name and undefined. */
  readonly before: string;
  readonly behind: string | undefined;
  /** The wildcard may stand for several parts. */
  readonly isDeep: boolean;
  /** With a wildcard for what stood in its place in the name, or without any. */
  readonly url: string;
}

/**
 * Reads a rule: `cams/*` and `rtsp://host/path/*`. One wildcard may stand anywhere in the name, and anywhere in the URL
 * behind the host.
 * @returns what is wrong, as text
 */
export function parseProxyRule(match: string, url: string): ProxyRule | string {
  const inMatch = match.match(WILDCARD) ?? [];
  const inUrl = url.match(WILDCARD) ?? [];
  if (!/^[^\s/?]+(?:\/[^\s/?]+)+$/.test(match)) return 'expected app/stream';
  if (inMatch.length > 1 || (inMatch[0]?.length ?? 0) > 2) return 'expected one * or ** at most';
  if (inUrl.length > inMatch.length || (inUrl[0]?.length ?? 0) > 2)
    return 'expected a * in the URL for the one of the name';
  const authority = AUTHORITY.exec(`${url}/`)?.[0];
  if (authority?.includes('*') === true) return 'expected the * of the URL behind its host';
  if (authority === undefined || parseRtspUrl(url.replace(WILDCARD, SAMPLE)) === undefined) {
    return 'expected an rtsp:// or rtsps:// URL';
  }
  const [before = '', behind] = match.split(/\*+/);
  return { before, behind, isDeep: inMatch[0] === '**', url };
}

/**
 * Where a rule has a name from; undefined when that is none of its affair. What a viewer has put in place of the wildcard
 * is one part of the URL, or parts, whatever is in it: it can neither leave the path nor name another host.
 * @param name `app/stream`
 */
export function proxiedUrl(rule: ProxyRule, name: string): RtspUrl | undefined {
  const { before, behind, isDeep, url } = rule;
  if (name.length > MAX_PROXIED_NAME_LENGTH || !name.isWellFormed()) return undefined;
  if (behind === undefined) return name === before ? parseRtspUrl(url) : undefined;
  if (!name.startsWith(before) || !name.endsWith(behind)) return undefined;
  const asked = name.slice(before.length, name.length - behind.length);
  if (before.length + behind.length >= name.length || !isPlain(asked, isDeep)) return undefined;
  const inserted = asked.split('/').map(encodeURIComponent).join('/');
  const target = parseRtspUrl(url.replace(WILDCARD, () => inserted));
  // Parts that are harmless alone may be something else beside what the rule has there.
  return target === undefined || target.path.split('/').some(isDots) ? undefined : target;
}

function isPlain(asked: string, isDeep: boolean): boolean {
  if (/[\p{Cc}\\]/u.test(asked)) return false;
  const parts = asked.split('/');
  return (isDeep || parts.length === 1) && !parts.some((part) => part === '' || isDots(part));
}

function isDots(part: string): boolean {
  return part === '.' || part === '..';
}
