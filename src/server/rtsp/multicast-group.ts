import type { MediaEndReason, Playback } from './media-session.ts';

/** A media session sent once to whoever has joined a multicast group. */
export interface MulticastGroup {
  /** Of the group, in numbers. */
  readonly address: string;
  /** Routers its packets may pass. */
  readonly timeToLive: number;
  /** Port of a track's RTP; RTCP has the next one. */
  portOf(track: number): number;
  /** One more client plays it; sending begins with the first. */
  join(onEnded: (reason: MediaEndReason) => void): Playback;
}
