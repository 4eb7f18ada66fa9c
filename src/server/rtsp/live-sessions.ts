import type { Clock } from '../../media/clock.ts';
import { type Random32, RtpPresentation } from '../../media/renditions/rtp-presentation.ts';
import { TRANSPORT_STREAM_HEADER } from '../../media/renditions/rtp-ts-rendition.ts';
import { SETTLE_MS, type Stream } from '../../media/stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { type StreamName, streamKey } from '../../media/stream-name.ts';
import { type LiveForm, LiveMediaSession } from './live-media-session.ts';
import type { MediaSession } from './media-session.ts';
import type { MediaSessionRegistry } from './media-session-registry.ts';
import { type MediaSource, type MediaTarget, wantsSrtp } from './media-source.ts';
import { SrtpProtection } from './srtp-protection.ts';
import { streamOfPath } from './stream-path.ts';

/** How long a description waits for the tracks of a stream that has begun, milliseconds. */
export const HEADER_WAIT_MS = 5_000;

/** How often it looks, milliseconds. */
const HEADER_POLL_MS = 50;

/** How often media sessions of streams that are gone are looked for, milliseconds. */
const SWEEP_MS = 1_000;

/** The name of this extension asks for a transport stream. */
const TS_EXTENSION = '.ts';

export interface LiveSessionsOptions {
  readonly hub: StreamHub;
  readonly clock: Clock;
  readonly registry: MediaSessionRegistry;
  /** The virtual host a name asked for stands for. */
  readonly resolveVhost: (asked: string | undefined) => string;
  /** How long a client may wait for a publisher, milliseconds. */
  readonly waitMs: number;
  readonly maxPacketBytes?: number | undefined;
  readonly random32: Random32;
}

/** Every stream of the hub as a media session, under `/app/stream`, and as a transport stream under `/app/stream.ts`. */
export class LiveSessions implements MediaSource {
  readonly #options: LiveSessionsOptions;
  readonly #sessions = new Set<LiveMediaSession>();
  readonly #stopSweeping: () => void;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#stopSweeping = options.clock.every(SWEEP_MS, () => {
      for (const session of this.#sessions) this.#forgetUnused(session);
    });
  }

  /** Where its media sessions are held. */
  get registry(): MediaSessionRegistry {
    return this.#options.registry;
  }

  /**
   * The media session of a stream, once it is described; undefined when it ends before, or RTP carries nothing of it.
   * @param isProtected its packets are to be SRTP
   */
  async open(stream: Stream, signal: AbortSignal, isProtected: boolean): Promise<LiveMediaSession | undefined> {
    await whenDescribed(stream, this.#options.clock, signal);
    return isPublished(stream) && !signal.aborted ? this.#sessionOf(stream, 'tracks', isProtected) : undefined;
  }

  async find(target: MediaTarget, signal: AbortSignal): Promise<MediaSession | undefined> {
    const asked = this.#streamOf(target);
    if (asked === undefined) return undefined;
    const { name, form } = asked;
    const { hub } = this.#options;
    let stream = hub.get(name);
    if (!isPublished(stream)) {
      // A path of one part may as well be that of a file: nobody waits for a stream of that name.
      const ownWaitMs = target.path.lastIndexOf('/') > 0 ? this.#options.waitMs : 0;
      const waitMs = Math.max(ownWaitMs, hub.want(name));
      if (waitMs === 0) return undefined;
      stream = hub.getOrCreate(name);
      if ((await stream.whenLive(waitMs, signal)) !== 'live') return undefined;
    }
    await whenDescribed(stream, this.#options.clock, signal);
    if (!isPublished(stream) || signal.aborted) return undefined;
    return this.#sessionOf(stream, form, wantsSrtp(target));
  }

  close(): void {
    this.#stopSweeping();
  }

  #streamOf(target: MediaTarget): { readonly name: StreamName; readonly form: LiveForm } | undefined {
    const { hub, resolveVhost } = this.#options;
    const whole = streamOfPath(target, resolveVhost);
    if (whole === undefined) return undefined;
    const { stream: last } = whole;
    // A publisher that puts the extension into the name means it.
    if (!last.endsWith(TS_EXTENSION) || last === TS_EXTENSION || isPublished(hub.get(whole))) {
      return { name: whole, form: 'tracks' };
    }
    return { name: { ...whole, stream: last.slice(0, -TS_EXTENSION.length) }, form: 'ts' };
  }

  /** The media session there is for the stream as it is now, or a new one in its place. */
  #sessionOf(stream: Stream, form: LiveForm, isProtected: boolean): LiveMediaSession | undefined {
    const { registry, clock, random32, maxPacketBytes } = this.#options;
    const name = `${streamKey(stream.name)}${form === 'ts' ? TS_EXTENSION : ''}${isProtected ? '?srtp' : ''}`;
    const known = registry.get(name);
    if (known instanceof LiveMediaSession && known.isCurrent(stream)) return known;
    const header = form === 'ts' && hasMedia(stream) ? TRANSPORT_STREAM_HEADER : stream.header;
    const presentation = RtpPresentation.of(header, random32);
    if (presentation === undefined) return undefined;
    const session = new LiveMediaSession({
      name,
      stream,
      form,
      presentation,
      clock,
      cname: `millrace-${random32().toString(36)}`,
      maxPacketBytes,
      protection: isProtected ? new SrtpProtection() : undefined,
      // From within the making of packets: whoever watches is told afterwards.
      onOutdated: () =>
        clock.soon(() => {
          registry.remove(session);
          registry.endUsers(session, 'changed');
        }),
      onUnreferenced: () => this.#forgetUnused(session),
    });
    this.#sessions.add(session);
    registry.add(session);
    return session;
  }

  /** What nobody watches stays only under its name, and only as long as there is a stream to it. */
  #forgetUnused(session: LiveMediaSession): void {
    const { registry } = this.#options;
    if (registry.isReferenced(session)) return;
    if (registry.has(session) && isPublished(session.stream)) return;
    registry.remove(session);
    this.#sessions.delete(session);
  }
}

/** Publishers announce one track after the other: resolves when all seem to be there, or it takes too long. */
export async function whenDescribed(stream: Stream, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadlineMs = clock.nowMs() + HEADER_WAIT_MS;
  while (isPublished(stream) && !isSettled(stream) && clock.nowMs() < deadlineMs && !signal.aborted) {
    await new Promise<void>((resolve) => clock.after(HEADER_POLL_MS, resolve));
  }
}

/** Whether a stream has a publisher, or waits for the one it lost. */
export function isPublished(stream: Stream | undefined): stream is Stream {
  return stream !== undefined && (stream.state === 'live' || stream.state === 'grace');
}

function hasMedia(stream: Stream): boolean {
  return stream.header.tracks.some((track) => track.kind !== 'data');
}

function isSettled(stream: Stream): boolean {
  const { tracks } = stream.header;
  const hasBoth = tracks.some(({ kind }) => kind === 'video') && tracks.some(({ kind }) => kind === 'audio');
  return hasBoth || (hasMedia(stream) && stream.liveForMs >= SETTLE_MS);
}
