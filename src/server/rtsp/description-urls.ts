import { withoutSlashes } from '../../protocol/rtsp/rtsp-url.ts';
import { trackName } from './media-session.ts';

/**
 * Base of the relative URLs in a description, the URL asked for with a slash behind its path: clients put control names
 * behind it, or merge them with it as RFC 3986 has it.
 */
export function baseOf(url: string): string {
  const [path, query] = splitQuery(url);
  return `${path}/${query}`;
}

/**
 * URL of a track where the URL asked for has a query: whoever merges URLs loses the query, and with it what it asks for, so
 * it is in every control URL.
 */
export function controlWithQuery(url: string, track: number): string {
  const [path, query] = splitQuery(url);
  return `${path}/${trackName(track)}${query}`;
}

/** A URL without slashes at the end of its path, and its query with the `?`. */
function splitQuery(url: string): readonly [path: string, query: string] {
  const at = url.indexOf('?');
  const end = at < 0 ? url.length : at;
  return [withoutSlashes(url.slice(0, end)), url.slice(end)];
}
