import type { TrackSelection } from '../../media/stream-header.ts';
import type { StreamName } from '../../media/stream-name.ts';

/** The containers a stream is served in over HTTP. */
export type HttpContainer = 'flv' | 'ts' | 'aac' | 'mp3';

/** What an HTTP viewer asks for. */
export interface StreamRequest {
  readonly name: StreamName;
  readonly container: HttpContainer;
  readonly selection: TrackSelection;
  /** `?start=-10`: seconds back in the log. */
  readonly secondsAgo: number | undefined;
  /** `?wait=10`: seconds to wait for a publisher. */
  readonly waitSeconds: number;
}

const CONTAINERS: ReadonlySet<string> = new Set<HttpContainer>(['flv', 'ts', 'aac', 'mp3']);

/**
 * Reads `/app/stream.flv?start=-10&audio=0&video=0&tracks=all&wait=10&vhost=name`. Returns undefined when the path is
 * no stream's, or a sentence for the viewer when a parameter is wrong. Without `?vhost=` the URL's host name is asked for.
 */
export function parseStreamRequest(
  url: URL,
  resolveVhost: (asked: string | undefined) => string,
): StreamRequest | string | undefined {
  const match = /^\/(.+)\/([^/]+)\.([a-z0-9]+)$/.exec(url.pathname);
  if (match === null || !CONTAINERS.has(match[3]!)) return undefined;
  const app = decode(match[1]!);
  const stream = decode(match[2]!);
  if (app === undefined || stream === undefined) return 'the path is not valid percent-encoding';
  // An application that begins with a slash would read like a virtual host in the stream's key.
  if ([...app.split('/'), ...stream.split('/')].includes('')) return 'the path has an empty part';
  const params = url.searchParams;
  const start = optionalNumber(params, 'start');
  const wait = optionalNumber(params, 'wait');
  if (start !== undefined && !(start <= 0)) return 'start must be 0 or negative: seconds back from now';
  if (wait !== undefined && !(wait >= 0)) return 'wait must be a number of seconds';
  const audio = optionalSwitch(params, 'audio');
  const video = optionalSwitch(params, 'video');
  if (audio === 'bad' || video === 'bad') return 'audio and video must be 0 or 1';
  if (audio === false && video === false) return 'audio=0 and video=0 together leave nothing to send';
  const vhost = resolveVhost(params.get('vhost') ?? url.hostname);
  return {
    name: { vhost, app, stream },
    container: match[3] as HttpContainer,
    selection: { audio, video, multitrack: params.get('tracks') === 'all' },
    secondsAgo: start === undefined ? undefined : -start,
    waitSeconds: wait ?? 0,
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** NaN for text that is no number, which then fails every comparison. */
function optionalNumber(params: URLSearchParams, name: string): number | undefined {
  const text = params.get(name);
  return text === null ? undefined : text === '' ? Number.NaN : Number(text);
}

function optionalSwitch(params: URLSearchParams, name: string): boolean | 'bad' {
  const text = params.get(name);
  if (text === null || text === '1') return true;
  return text === '0' ? false : 'bad';
}
