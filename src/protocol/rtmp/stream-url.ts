/** The virtual host that stands for "none configured". */
const DEFAULT_VHOST = '__defaultVhost__';
/** The application of a URL that names none. */
export const DEFAULT_APP = '__defaultApp__';
/** Longest tcUrl or stream name taken, in UTF-16 units. */
export const RTMP_MAX_URL_LENGTH = 4096;

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['rtmp', 1935],
  ['rtmpe', 1935],
  ['rtmps', 443],
  ['rtmpt', 80],
  ['http', 80],
  ['ws', 80],
  ['https', 443],
  ['wss', 443],
]);

/** Container names that players and encoders append to a stream name without meaning another stream. */
const MEDIA_EXTENSION = /\.(?:flv|ts|aac|mp3|mp4|m4a|m4s|m3u8|mpd)$/i;

/** Where a publisher or player wants to go, taken apart. The strings come from the peer and are not to be trusted. */
export interface StreamUrl {
  /** Lower case: `rtmp`, `rtmps`, … */
  readonly schema: string;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  /** What `vhost=` or `domain=` says, else the host. Mapping it to a configured virtual host is the server's work. */
  readonly vhost: string;
  readonly app: string;
  /** Empty when none was named. */
  readonly stream: string;
  readonly port: number;
  /** All parameters, those behind the stream name first, with a leading `?`; empty when there are none. */
  readonly param: string;
}

interface Authority {
  readonly schema: string;
  readonly host: string;
  readonly port: number;
  /** From the slash after the authority on. */
  readonly rest: string;
}

/**
 * Takes apart the tcUrl of a `connect` and the stream name of a `publish` or `play`, in all the ways encoders write
 * them: `…/app/stream` in the tcUrl, `?vhost=v` before or behind the stream name, `app...vhost...v`, `app/_definst_`,
 * `[::1]`. Gives undefined when `tcUrl` is no URL with a host, or one of the two is longer than `RTMP_MAX_URL_LENGTH`.
 */
export function parseStreamUrl(tcUrl: string, streamName: string): StreamUrl | undefined {
  if (tcUrl.length > RTMP_MAX_URL_LENGTH || streamName.length > RTMP_MAX_URL_LENGTH) return undefined;
  const authority = parseAuthority(tcUrl.trim());
  if (authority === undefined) return undefined;
  const connectPart = splitParams(authority.rest);
  let streamPart = splitParams(streamName);
  let connectParams = connectPart.params;
  if (streamPart.path === '' && streamPart.params === '') {
    // `rtmp://host/app?vhost=v/stream` in the tcUrl alone.
    const slash = connectParams.lastIndexOf('/');
    if (slash >= 0) {
      streamPart = { path: trimSlashes(connectParams.slice(slash)), params: '' };
      connectParams = connectParams.slice(0, slash);
    }
  }
  const segments = [...toSegments(connectPart.path), ...toSegments(streamPart.path)];
  // Without a name of its own the last of several path segments is the stream.
  const hasStream = streamPart.path !== '' || segments.length > 1;
  const stream = hasStream ? (segments.pop() ?? '') : '';
  const params = [streamPart.params, connectParams].filter((part) => part !== '').join('&');
  const vhost = paramOf(params, 'vhost') ?? paramOf(params, 'domain');
  const isOnlyDefaultVhost = vhost === DEFAULT_VHOST && !params.includes('&');
  return {
    schema: authority.schema,
    host: authority.host,
    vhost: vhost ?? authority.host,
    app: segments.join('/') || DEFAULT_APP,
    stream,
    port: authority.port,
    param: params === '' || isOnlyDefaultVhost ? '' : `?${params}`,
  };
}

/** A stream's name without a container extension: `livestream.flv` is `livestream`. (Other dots stay: `cam.1` is not `cam.2`.) */
export function withoutMediaExtension(stream: string): string {
  return stream.replace(MEDIA_EXTENSION, '') || stream;
}

/** An RTMP URL as a client uses it. */
export interface RtmpUrl {
  readonly schema: 'rtmp' | 'rtmps';
  /** An IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
  /** Everything between host and stream, with its parameters if it has any. */
  readonly app: string;
  /** The last path segment with the parameters behind it: what goes into `publish` and `play`. May be empty. */
  readonly streamName: string;
  /** What goes into `connect`. */
  readonly tcUrl: string;
}

/** Takes apart `rtmp[s]://host[:port]/app[/more]/stream[?params]`; undefined when it is not such a URL. */
export function parseRtmpUrl(url: string): RtmpUrl | undefined {
  if (url.length > RTMP_MAX_URL_LENGTH) return undefined;
  const authority = parseAuthority(url.trim());
  if (authority === undefined) return undefined;
  const { schema, host, port, rest } = authority;
  if (schema !== 'rtmp' && schema !== 'rtmps') return undefined;
  const { app, streamName } = splitAppAndStream(rest);
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const shownPort = port === DEFAULT_PORTS.get(schema) ? '' : `:${port}`;
  return { schema, host, port, app, streamName, tcUrl: `${schema}://${shownHost}${shownPort}/${app}` };
}

/**
 * The RTMP URL to connect to after a reconnect request: `tcUrl` may be absolute, begin with `//` or `/`, be a name
 * beside the present application, or be missing (Enhanced RTMP v2, "Reconnect Request"). The stream stays the same.
 */
export function resolveReconnectUrl(current: RtmpUrl, tcUrl: string | undefined): string {
  const stream = current.streamName === '' ? '' : `/${current.streamName}`;
  if (tcUrl === undefined || tcUrl === '') return `${current.tcUrl}${stream}`;
  if (tcUrl.includes('://')) return `${tcUrl}${stream}`;
  if (tcUrl.startsWith('//')) return `${current.schema}:${tcUrl}${stream}`;
  const origin = current.tcUrl.slice(0, current.tcUrl.length - current.app.length - 1);
  return `${origin}/${tcUrl.replace(/^\//, '')}${stream}`;
}

function splitAppAndStream(rest: string): { readonly app: string; readonly streamName: string } {
  const query = rest.indexOf('?');
  const path = query < 0 ? rest : rest.slice(0, query);
  const params = query < 0 ? '' : rest.slice(query);
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length >= 2) {
    const name = segments.pop() ?? '';
    return { app: segments.join('/'), streamName: name + params };
  }
  const app = segments[0] ?? '';
  // `app?vhost=v/stream`: the parameters belong to the app.
  const slash = params.lastIndexOf('/');
  if (slash < 0) return { app: app + params, streamName: '' };
  return { app: app + params.slice(0, slash), streamName: params.slice(slash + 1) };
}

function parseAuthority(url: string): Authority | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url);
  if (match === null) return undefined;
  const schema = match[1]!.toLowerCase();
  const hostPort = match[2]!.slice(match[2]!.lastIndexOf('@') + 1);
  const parts = /^(?:\[([0-9a-f:.%]+)\]|([^[\]:]+))(?::(\d{0,5}))?$/i.exec(hostPort);
  if (parts === null) return undefined;
  const port = parts[3] ? Number(parts[3]) : (DEFAULT_PORTS.get(schema) ?? 1935);
  if (port < 1 || port > 65535) return undefined;
  return { schema, host: (parts[1] ?? parts[2]!).toLowerCase(), port, rest: match[3]! };
}

/** Path and parameters (without `?`) of a tcUrl's rest or a stream name. */
function splitParams(text: string): { readonly path: string; readonly params: string } {
  const params: string[] = [];
  // FMLE cannot write `?` in a URL and uses `app...vhost...name`.
  const plain = text.replace(/\.\.\.(vhost|domain)\.\.\.([^/?&#]*)/g, (_match, name: string, value: string) => {
    params.push(`${name}=${value}`);
    return '';
  });
  const start = plain.search(/[?&#]/);
  if (start >= 0) params.push(plain.slice(start + 1).replace(/^[?&]+/, ''));
  return {
    path: trimSlashes(start < 0 ? plain : plain.slice(0, start)),
    params: params.filter((part) => part !== '').join('&'),
  };
}

function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpaceOrSlash(text.charCodeAt(start))) start++;
  while (end > start && isSpaceOrSlash(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpaceOrSlash(code: number): boolean {
  return code <= 0x20 || code === 0x2f;
}

function toSegments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '_definst_');
}

/** The first non-empty value of a parameter. Names and values are taken as written, without percent-decoding. */
function paramOf(params: string, name: string): string | undefined {
  for (const pair of params.split(/[&?]/)) {
    if (pair.startsWith(`${name}=`) && pair.length > name.length + 1) return pair.slice(name.length + 1);
  }
  return undefined;
}
