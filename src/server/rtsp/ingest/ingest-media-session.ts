import type { Clock } from '../../../media/clock.ts';
import type { Stream } from '../../../media/stream.ts';
import type { MikeySrtp } from '../../../protocol/mikey/mikey-srtp.ts';
import { parseRtspUrl, type RtspUrl, withoutSlashes } from '../../../protocol/rtsp/rtsp-url.ts';
import type { MediaSession, Recording, RecordingOptions } from '../media-session.ts';
import type { MediaSessionRegistry } from '../media-session-registry.ts';
import type { RtspConnection } from '../rtsp-connection.ts';
import { offeredSrtpOfHeader } from '../srtp-offer.ts';
import type { AnnouncedTrack } from './announced-tracks.ts';
import { RtpRecording } from './rtp-recording.ts';

/** There is no key for a track that is SRTP, or none that can be used (RFC 7826 has the code). */
const KEY_MANAGEMENT_ERROR = 466;

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
  /** Of each track that is SRTP. */
  readonly #keys: (MikeySrtp | undefined)[];

  constructor(options: IngestMediaSessionOptions) {
    this.name = options.name;
    this.trackCount = options.tracks.length;
    this.#options = options;
    this.#keys = options.tracks.map(({ srtp }) => srtp);
  }

  isProtected(track: number): boolean {
    return this.#options.tracks[track]?.isProtected === true;
  }

  takeKey(track: number, keyManagement: string | undefined): number | undefined {
    if (keyManagement !== undefined) this.#keys[track] = offeredSrtpOfHeader(keyManagement);
    return this.#keys[track] === undefined ? KEY_MANAGEMENT_ERROR : undefined;
  }

  /** Control attributes are joined to the URL of the ANNOUNCE in front of its query, or behind it. */
  trackOf(url: string): number | undefined {
    const asked = pathOf(parseRtspUrl(url));
    if (asked === undefined) return undefined;
    const { tracks, url: own } = this.#options;
    const path = withoutSlashes(own.rawPath);
    const found = tracks.findIndex(({ control }) => {
      if (control === undefined || control === '') return false;
      const absolute = pathOf(parseRtspUrl(control));
      if (absolute !== undefined) return asked === absolute;
      const relative = withoutSlashes(control.replace(/^\/+/, ''));
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
      keys: [...this.#keys],
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
  return url === undefined ? undefined : withoutSlashes(`${url.rawPath}${url.query}`);
}
