import type { Clock } from '../../../media/clock.ts';
import type { Stream } from '../../../media/stream.ts';
import type { StreamHub } from '../../../media/stream-hub.ts';
import { streamKey } from '../../../media/stream-name.ts';
import type { MediaSession } from '../media-session.ts';
import type { MediaSessionRegistry } from '../media-session-registry.ts';
import type { MediaTarget } from '../media-source.ts';
import type { RtspConnection } from '../rtsp-connection.ts';
import type { RtspIngest } from '../rtsp-ingest.ts';
import { streamOfPath } from '../stream-path.ts';
import { announcedTracks } from './announced-tracks.ts';
import { IngestMediaSession } from './ingest-media-session.ts';

export interface IngestSessionsOptions {
  readonly hub: StreamHub;
  readonly clock: Clock;
  readonly registry: MediaSessionRegistry;
  /** The virtual host a name asked for stands for. */
  readonly resolveVhost: (asked: string | undefined) => string;
  readonly random32: () => number;
}

/** Name in the registry of what is published to the stream of this key. */
export function ingestName(streamKeyText: string): string {
  return `${streamKeyText}?record`;
}

/** Streams of the hub that are published by RTSP, under `/app/stream`. */
export class IngestSessions implements RtspIngest {
  readonly #options: IngestSessionsOptions;

  constructor(options: IngestSessionsOptions) {
    this.#options = options;
  }

  announce(
    target: MediaTarget,
    description: Uint8Array,
    connection: RtspConnection,
  ): MediaSession | { readonly statusCode: number } {
    const { hub, clock, registry, random32, resolveVhost } = this.#options;
    const tracks = announcedTracks(description);
    if (tracks === undefined) return { statusCode: 400 };
    // Whoever could read the keys could read the packets.
    if (!connection.isSecure && tracks.some((track) => track.isProtected)) return { statusCode: 403 };
    const name = streamOfPath(target, resolveVhost);
    if (name === undefined) return { statusCode: 404 };
    if (tracks.every((track) => track.description === undefined)) return { statusCode: 415 };
    // RECORD is what decides; a publisher told now need not set up anything first.
    if (isTaken(hub.get(name))) return { statusCode: 403 };
    return new IngestMediaSession({
      name: ingestName(streamKey(name)),
      openStream: () => hub.getOrCreate(name),
      tracks,
      url: target.url,
      connection,
      clock,
      registry,
      random32,
    });
  }
}

/** Whether somebody publishes it who is not to be pushed aside. */
function isTaken(stream: Stream | undefined): boolean {
  return stream?.publisher !== undefined && stream.settings.takeover === 'refuse';
}
