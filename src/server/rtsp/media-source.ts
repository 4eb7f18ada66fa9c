import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import type { MediaSession } from './media-session.ts';

/** What a URL asks for, the track left off. */
export interface MediaTarget {
  /** Decoded path, beginning with a slash and not ending with one; `''` for the root. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly url: RtspUrl;
}

/** A kind of media sessions: finds the one a URL stands for, and makes it when needed. */
export interface MediaSource {
  /**
   * The media session of a target, or undefined when this source has none. May take time: whoever asked looks up anew by
   * number what it needs afterwards.
   * @param signal aborted when nobody waits any more
   */
  find(target: MediaTarget, signal: AbortSignal): Promise<MediaSession | undefined>;
}

/** The same for URLs of one presentation, by whatever name or address of the server it is asked for. */
export function targetKey(target: MediaTarget): string {
  return `${target.path}?${target.query.get('vhost') ?? ''}`;
}

/** Whether the packets of a target are to be SRTP: `?srtp`. */
export function wantsSrtp(target: MediaTarget): boolean {
  return target.query.has('srtp');
}
