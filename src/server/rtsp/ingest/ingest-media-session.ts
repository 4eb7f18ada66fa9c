import type { Clock } from '../../../media/clock.ts';
import type { Stream } from '../../../media/stream.ts';
import { parseRtspUrl, type RtspUrl } from '../../../protocol/rtsp/rtsp-url.ts';
import type { MediaSession, Recording, RecordingOptions } from '../media-session.ts';
import type { MediaSessionRegistry } from '../media-session-registry.ts';
import type { RtspConnection } from '../rtsp-connection.ts';
import type { AnnouncedTrack } from './announced-tracks.ts';
import { RtpRecording } from './rtp-recording.ts';

export interface IngestMediaSessionOptions {
  /** Key in the registry. */
  readonly name: string;
  /** The stream to be published, made when there is none. */
  readonly openStream: () => Stream;
  readonly tracks: readonly AnnouncedTrack[];
  /** Of the ANNOUNCE. */
  readonly url: RtspUrl;
  /** That the ANNOUNCE came on. */
  readonly connection: RtspConnection;
  readonly clock: Clock;
  readonly registry: MediaSessionRegistry;
  readonly random32: () => number;
}

/** What one client announced. It has its name in the registry as soon as it publishes. */
export class IngestMediaSession implements MediaSession {
  readonly name: string;
  readonly trackCount: number;
  readonly #options: IngestMediaSessionOptions;

  constructor(options: IngestMediaSessionOptions) {
    this.name = options.name;
    this.trackCount = options.tracks.length;
    this.#options = options;
  }

  /** Control attributes are joined to the URL of the ANNOUNCE in front of its query, or behind it. */
  trackOf(url: string): number | undefined {
    const asked = pathOf(parseRtspUrl(url));
    if (asked === undefined) return undefined;
    const { tracks, url: own } = this.#options;
    const path = own.rawPath.replace(/\/+$/, '');
    const found = tracks.findIndex(({ control }) => {
      if (control === undefined || control === '') return false;
      const absolute = pathOf(parseRtspUrl(control));
      if (absolute !== undefined) return asked === absolute;
      const relative = control.replace(/^\/+|\/+$/g, '');
      return asked === `${path}/${relative}${own.query}` || asked === `${path}${own.query}/${relative}`;
    });
    return found < 0 ? undefined : found;
  }

  openRecording(options: RecordingOptions): Recording {
    const { openStream, tracks, connection, clock, registry, random32 } = this.#options;
    return new RtpRecording({
      ...options,
      openStream,
      descriptions: tracks.map(({ description }) => description),
      info: {
        id: String(connection.log.bindings()['cid']),
        protocol: 'rtsp',
        remote: `${connection.remote.address}:${connection.remote.port}`,
      },
      log: connection.log,
      clock,
      random32,
      onPublishing: () => registry.add(this),
    });
  }

  onUnreferenced(): void {
    this.#options.registry.remove(this);
  }
}

/** Path and query, without slashes at the end. */
function pathOf(url: RtspUrl | undefined): string | undefined {
  return url === undefined ? undefined : `${url.rawPath}${url.query}`.replace(/\/+$/, '');
}
