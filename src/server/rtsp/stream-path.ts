import type { StreamName } from '../../media/stream-name.ts';
import type { MediaTarget } from './media-source.ts';

/** Where streams are whose path names no application: other servers have none, so their users leave it out. */
export const DEFAULT_APP = 'live';

/**
 * The stream a path names: application and stream, or the stream alone in `DEFAULT_APP`. Undefined for paths with empty
 * parts.
 */
export function streamOfPath(
  target: MediaTarget,
  resolveVhost: (asked: string | undefined) => string,
): StreamName | undefined {
  const path = target.path.slice(1);
  if (path.split('/').includes('')) return undefined;
  const vhost = resolveVhost(target.query.get('vhost') ?? target.url.host);
  const slash = path.lastIndexOf('/');
  return { vhost, app: slash < 0 ? DEFAULT_APP : path.slice(0, slash), stream: path.slice(slash + 1) };
}
