import { DEFAULT_TRANSPORT, parseTransport, type Transport } from './transport.ts';

/** What the page's address asks for. */
export interface Route {
  /** Key of the stream to play; `undefined` for the list alone. */
  readonly streamKey: string | undefined;
  readonly transport: Transport;
}

/**
 * Reads the page's address: `#/live/demo?via=ws`, and `?via=ws#/live/demo` just as well.
 * @param hash `location.hash`, with its `#`.
 * @param search `location.search`, with its `?`.
 */
export function parseRoute(hash: string, search: string): Route {
  const [path = '', query = ''] = splitOnce(hash.replace(/^#/, ''), '?');
  const streamKey = path.replace(/^\/+/, '').split('/').map(decodeSegment).join('/');
  const via = parseTransport(new URLSearchParams(query).get('via'));
  return {
    streamKey: streamKey === '' ? undefined : streamKey,
    transport: via ?? impliedTransport(search),
  };
}

/**
 * The `location.hash` for a route; `#/` for the list alone. The transport is named when the address would mean another
 * without.
 * @param search `location.search`, which stays as it is.
 */
export function writeRoute(route: Route, search: string): string {
  if (route.streamKey === undefined) {
    return '#/';
  }
  const path = route.streamKey.split('/').map(encodeSegment).join('/');
  return `#/${path}${route.transport === impliedTransport(search) ? '' : `?via=${route.transport}`}`;
}

function impliedTransport(search: string): Transport {
  return parseTransport(new URLSearchParams(search).get('via')) ?? DEFAULT_TRANSPORT;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A segment with broken percent-encoding is taken as it stands: somebody typed it. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A lone surrogate has no encoding; it becomes U+FFFD. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed());
}
