import type { MediaSession } from './media-session.ts';
import type { MediaTarget } from './media-source.ts';
import type { RtspConnection } from './rtsp-connection.ts';

/** Takes what clients publish by ANNOUNCE and RECORD (RFC 2326 §10.3, §10.11). */
export interface RtspIngest {
  /**
   * Makes the media session a client will record to, or gives back the status code of a refusal.
   * @param description the SDP as it came
   */
  announce(
    target: MediaTarget,
    description: Uint8Array,
    connection: RtspConnection,
  ): MediaSession | { readonly statusCode: number } | Promise<MediaSession | { readonly statusCode: number }>;
}
