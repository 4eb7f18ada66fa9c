import type { StreamEntry, StreamPaths } from './streams-document.ts';
import type { Transport } from './transport.ts';

/** The port an `rtmp://` address means when it names none. */
const RTMP_DEFAULT_PORT = 1935;
/** The port an `rtmps://` address means when it names none. */
const RTMPS_DEFAULT_PORT = 443;
/** The ports `rtsp://` and `rtsps://` addresses mean when they name none. */
const RTSP_DEFAULT_PORTS = { rtsp: 554, rtsps: 322 } as const;
/** The vhost of streams that ask for none. */
const DEFAULT_VHOST = '__defaultVhost__';

/**
 * Where this page fetches a stream.
 * @param pageUrl address of this page; the stream is on the same origin.
 * @returns `undefined` when the server named a path that leads off this origin.
 */
export function mediaUrl(pageUrl: string, paths: StreamPaths, transport: Transport): URL | undefined {
  const page = new URL(pageUrl);
  const path = transport === 'ts' ? paths.ts : paths.flv;
  const url = URL.parse(path, page.origin);
  if (url === null || url.origin !== page.origin) {
    return undefined;
  }
  if (transport === 'ws') {
    url.protocol = page.protocol === 'https:' ? 'wss:' : 'ws:';
  }
  return url;
}

/** Address of an application on the RTMP server: `rtmp://host/live`, `rtmp://[::1]:19350/live`. */
export function rtmpAppUrl(hostname: string, port: number, app: string): string {
  return `rtmp://${hostname}${port === RTMP_DEFAULT_PORT ? '' : `:${port}`}/${app}`;
}

/** Address of an application on the RTMPS server. */
export function rtmpsAppUrl(hostname: string, port: number, app: string): string {
  return `rtmps://${hostname}${port === RTMPS_DEFAULT_PORT ? '' : `:${port}`}/${app}`;
}

/** Address to play a stream over RTMP. */
export function rtmpPlayUrl(
  hostname: string,
  port: number,
  stream: Pick<StreamEntry, 'vhost' | 'app' | 'stream'>,
): string {
  const vhost = stream.vhost === '' || stream.vhost === DEFAULT_VHOST ? '' : `?vhost=${stream.vhost}`;
  return `${rtmpAppUrl(hostname, port, stream.app)}/${stream.stream}${vhost}`;
}

/** Address to play a stream over RTSP or RTSPS. */
export function rtspPlayUrl(
  scheme: 'rtsp' | 'rtsps',
  hostname: string,
  port: number,
  stream: Pick<StreamEntry, 'vhost' | 'app' | 'stream'>,
): string {
  const authority = `${hostname}${port === RTSP_DEFAULT_PORTS[scheme] ? '' : `:${port}`}`;
  const path = [...stream.app.split('/'), stream.stream].map(encodeURIComponent).join('/');
  const hasVhost = stream.vhost !== '' && stream.vhost !== DEFAULT_VHOST;
  return `${scheme}://${authority}/${path}${hasVhost ? `?vhost=${encodeURIComponent(stream.vhost)}` : ''}`;
}
