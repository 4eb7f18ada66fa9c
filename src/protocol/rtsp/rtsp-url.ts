/** Longest URL taken, UTF-16 units. */
export const RTSP_MAX_URL_LENGTH = 4096;

/** Ports meant where none is named, by scheme (RFC 2326 §3.2, RFC 7826 §4.2). */
export const RTSP_DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['rtsp', 554],
  ['rtspu', 554],
  ['rtsps', 322],
]);

/** Separates a scheme from what follows; RFC 3986 §3.1. */
const SCHEME = /^([a-z][a-z\d+.-]*):\/\//i;

/** An RTSP URL taken apart. The strings come from the peer and are not to be trusted. */
export interface RtspUrl {
  /** Lower case. */
  readonly scheme: 'rtsp' | 'rtsps' | 'rtspu';
  /** Decoded; both undefined when the URL has none. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  /** As sent, from its slash on; '' when there is none. */
  readonly rawPath: string;
  /** Percent-decoded, beginning with a slash. May hold anything, `..` and control characters too. */
  readonly path: string;
  /** As sent, with its `?`; '' when there is none. */
  readonly query: string;
}

/**
 * Takes an RTSP URL apart (RFC 2326 §3.2). A password may hold an unescaped `@`, as people write them. Undefined when it
 * is none, has another scheme, no host, a port out of range or a control character, or is longer than
 * `RTSP_MAX_URL_LENGTH`.
 */
export function parseRtspUrl(text: string): RtspUrl | undefined {
  if (text.length > RTSP_MAX_URL_LENGTH || /\p{Cc}/u.test(text)) return undefined;
  const scheme = SCHEME.exec(text);
  const name = scheme?.[1]?.toLowerCase();
  if (scheme === null || (name !== 'rtsp' && name !== 'rtsps' && name !== 'rtspu')) return undefined;
  const rest = text.slice(scheme[0].length);
  const authorityEnd = indexOrEnd(rest, rest.search(/[/?]/));
  const authority = rest.slice(0, authorityEnd);
  const at = authority.lastIndexOf('@');
  const host = /^(?:\[([^\]\s]+)\]|([^:\s[\]]+))(?::(\d{0,5}))?$/.exec(authority.slice(at + 1));
  if (host === null) return undefined;
  const port = host[3] ? Number(host[3]) : RTSP_DEFAULT_PORTS.get(name)!;
  if (port < 1 || port > 65_535) return undefined;
  const userInfo = at < 0 ? undefined : authority.slice(0, at);
  const colon = userInfo === undefined ? -1 : indexOrEnd(userInfo, userInfo.indexOf(':'));
  const pathEnd = indexOrEnd(rest, rest.indexOf('?'));
  const rawPath = rest.slice(authorityEnd, pathEnd);
  return {
    scheme: name,
    username: userInfo === undefined ? undefined : percentDecode(userInfo.slice(0, colon)),
    password: userInfo === undefined ? undefined : percentDecode(userInfo.slice(colon + 1)),
    host: (host[1] ?? host[2]!).toLowerCase(),
    port,
    rawPath,
    path: rawPath === '' ? '/' : percentDecode(rawPath),
    query: rest.slice(pathEnd),
  };
}

/** The URL for request lines: credentials left out, the port only where it is not the default one. */
export function writeRtspUrl(url: Pick<RtspUrl, 'scheme' | 'host' | 'port' | 'rawPath' | 'query'>): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const port = url.port === RTSP_DEFAULT_PORTS.get(url.scheme) ? '' : `:${url.port}`;
  return `${url.scheme}://${host}${port}${url.rawPath}${url.query}`;
}

/** Decodes `%XX` as UTF-8; a `%` that begins no such thing stays. */
export function percentDecode(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from({ length: run.length / 3 }, (_, i) =>
      Number.parseInt(run.slice(3 * i + 1, 3 * i + 3), 16),
    );
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  });
}

/**
 * Where requests about all tracks of a description go, which is also what the URLs of its tracks are relative to: its own
 * `a=control` when that is absolute, else Content-Base, Content-Location, or the URL asked (RFC 2326 §C.1.1).
 */
export function aggregateUrlOf(source: {
  /** URL of the DESCRIBE, without credentials. */
  readonly requestUrl: string;
  readonly contentBase?: string | undefined;
  readonly contentLocation?: string | undefined;
  /** `a=control` of the session level. */
  readonly control?: string | undefined;
}): string {
  // A relative one would move the tracks below it, where no server has them.
  if (source.control !== undefined && isAbsolute(source.control)) return encodeControls(source.control.trim());
  return (
    toAbsolute(source.contentBase, source.requestUrl) ??
    toAbsolute(source.contentLocation, source.requestUrl) ??
    source.requestUrl
  );
}

/**
 * Where a track's requests go: `control` itself when it is absolute, the base for `*` or none, and else `control` behind
 * the base and a slash. Not as RFC 1808 resolves: servers expect `rtsp://h/a/trackID=1` for `trackID=1` upon
 * `rtsp://h/a`, and the same where the base ends with a query. Control characters come out percent-encoded.
 */
export function joinControl(base: string, control: string | undefined): string {
  const text = encodeControls(control?.trim() ?? '');
  if (text === '' || text === '*') return base;
  if (isAbsolute(text)) return text;
  if (text.startsWith('/')) {
    const path = parseRtspUrl(base)?.rawPath ?? '';
    // From the root when it repeats the path of the base.
    if (path.length > 1 && isBelow(text, path)) return `${originOf(base)}${text}`;
    return base.endsWith('/') ? `${base}${text.slice(1)}` : `${base}${text}`;
  }
  if (text.startsWith('?')) return `${base}${text}`;
  return base.endsWith('/') ? `${base}${text}` : `${base}/${text}`;
}

/** The stream and the track a request is about. */
export interface RequestTarget {
  /** Decoded path of the stream, without slashes at its end; '' for the root. */
  readonly path: string;
  /** With its `?`; '' when there is none. */
  readonly query: string;
  /** The last part of the URL, when it names a track. */
  readonly control: string | undefined;
}

/**
 * Finds stream and track in a request's URL, wherever the client has put the control: behind the path, or behind a query
 * (`rtsp://h/a/trackID=1?x`, `rtsp://h/a?x/trackID=1`). Slashes at the end do not count.
 *
 * @param isControl whether a last part, decoded, names a track
 */
export function requestTarget(url: RtspUrl, isControl: (part: string) => boolean): RequestTarget {
  let path = withoutSlashes(url.path);
  let query = withoutSlashes(url.query);
  let control: string | undefined;
  const inQuery = query.lastIndexOf('/');
  const inPath = path.lastIndexOf('/');
  if (inQuery >= 0 && isControl(percentDecode(query.slice(inQuery + 1)))) {
    control = percentDecode(query.slice(inQuery + 1));
    query = withoutSlashes(query.slice(0, inQuery));
  } else if (inPath >= 0 && isControl(path.slice(inPath + 1))) {
    control = path.slice(inPath + 1);
    path = withoutSlashes(path.slice(0, inPath));
  }
  return { path, query: query === '?' ? '' : query, control };
}

function encodeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, encodeURIComponent);
}

function isAbsolute(text: string): boolean {
  return SCHEME.test(text.trim());
}

function toAbsolute(text: string | undefined, requestUrl: string): string | undefined {
  const url = text?.trim() ?? '';
  if (parseRtspUrl(url) !== undefined) return url;
  return url.startsWith('/') ? `${originOf(requestUrl)}${url}` : undefined;
}

/** Scheme, host and port of an absolute URL. */
function originOf(url: string): string {
  const start = SCHEME.exec(url)?.[0].length ?? 0;
  const end = url.slice(start).search(/[/?]/);
  return end < 0 ? url : url.slice(0, start + end);
}

function isBelow(path: string, parent: string): boolean {
  const base = withoutSlashes(parent);
  return path === base || path.startsWith(`${base}/`);
}

/** The text without slashes at its end. In one pass, where a pattern tries every run of slashes from each of its own. */
export function withoutSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end--;
  return text.slice(0, end);
}

function indexOrEnd(text: string, index: number): number {
  return index < 0 ? text.length : index;
}
