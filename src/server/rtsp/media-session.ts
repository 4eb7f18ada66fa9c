import type { Delivery } from './delivery.ts';
import type { MulticastAddress } from './multicast-address.ts';

/** Name of a method this server knows (RFC 2326 §10). Methods are case-sensitive. */
export type RtspMethod =
  | 'OPTIONS'
  | 'DESCRIBE'
  | 'ANNOUNCE'
  | 'SETUP'
  | 'PLAY'
  | 'PAUSE'
  | 'TEARDOWN'
  | 'GET_PARAMETER'
  | 'SET_PARAMETER'
  | 'RECORD';

/** What `describe` has to know of who asks. */
export interface DescribeContext {
  /** Own address the client reached, IPv4 or IPv6 in numbers. */
  readonly localAddress: string;
  /** Control URL of a track, relative to the Content-Base or absolute; its name by default. */
  readonly controlOf?: (track: number) => string;
  /** The group to be told, when the client asked for multicast. */
  readonly multicast: MulticastAddress | undefined;
}

/** Why the server ended what a client played or recorded. */
export type MediaEndReason =
  /** The stream or file is over. */
  | 'ended'
  /** The stream is no longer what its description said. */
  | 'changed'
  /** The client's connection took nothing for too long, or too much waits in it. */
  | 'stalled'
  /** A fault on this side. */
  | 'failed'
  /** The server is shutting down, or an operator ended it. */
  | 'closed'
  /** Nothing was heard of the client for the session timeout. */
  | 'timeout';

/**
 * What stands behind a URL: a live stream, a file, a stream being recorded, or one of another server. Client sessions hold
 * it by the registry's reference counts.
 */
export interface MediaSession {
  /** Its key in the registry. */
  readonly name: string;
  /** Tracks in the order of the description; track `i` has the control name `trackName(i)`. */
  readonly trackCount: number;
  /** The track a SETUP's URL stands for, where the description, and with it the names of the tracks, is the client's. */
  trackOf?(url: string): number | undefined;
  /** SSRC of the packets of a track, when it is known beforehand. */
  ssrcOf?(track: number): number;
  /** Whether the packets of a track are SRTP, with the key in the description. */
  isProtected?(track: number): boolean;
  /** Its one track is an MPEG transport stream: that can be sent without RTP. */
  readonly isTransportStream?: boolean;
  /**
   * Takes the key a publisher tells of a track, the `KeyMgmt` header of its SETUP if there is one (RFC 4567 §4.1).
   * @returns the status code of a refusal
   */
  takeKey?(track: number, keyManagement: string | undefined): number | undefined;
  /** All who play it see the same at the same time: it may go to a multicast group. */
  readonly isSameForAll?: boolean;
  /** PLAY and PAUSE are for all tracks together only. */
  readonly isAggregateOnly?: boolean;
  /** The description (SDP), with relative control URLs. Undefined when it is only recorded to. */
  describe?(context: DescribeContext): string;
  /** Plays to one client. */
  openPlayback?(options: PlaybackOptions): Playback;
  /** Records from one client. */
  openRecording?(options: RecordingOptions): Recording;
  /** Tells that no client session holds it any more. */
  onUnreferenced?(): void;
}

export interface PlaybackOptions {
  readonly delivery: Delivery;
  /** The media ended it; nothing is delivered any more. Never called from within `play`, `pause` or `close`. */
  readonly onEnded: (reason: MediaEndReason) => void;
}

/** What a PLAY asks for (RFC 2326 §10.5). */
export interface PlayRequest {
  /** Tracks to be delivered from now on. */
  readonly tracks: ReadonlySet<number>;
  /** Value of the Range header. */
  readonly range: string | undefined;
  /** Value of the Scale header, 1 when there is none. */
  readonly scale: number;
  /** Value of the Speed header, 1 when there is none. */
  readonly speed: number;
}

/** What was done, for the answer to PLAY. */
export interface PlayOutcome {
  /** Value of the Range header: where it really plays from. */
  readonly range?: string | undefined;
  readonly scale: number;
  readonly speed: number;
  /** Where each delivered track begins, as far as it is known. */
  readonly tracks: readonly TrackBegin[];
  /** To be called when the answer was sent: packets flow from then on. */
  begin(): void;
}

/** One `stream-url` of RTP-Info (RFC 2326 §12.33). */
export interface TrackBegin {
  readonly track: number;
  /** Sequence number of the first packet. */
  readonly sequenceNumber?: number | undefined;
  /** RTP timestamp of the moment the Range of the answer begins at. */
  readonly timestamp?: number | undefined;
}

/** A PLAY that can't be done: the status code for it. */
export interface PlayRefusal {
  readonly statusCode: number;
}

/** One client's playing of a media session. */
export interface Playback {
  /** Starts, goes on, or changes what is played. */
  play(request: PlayRequest): PlayOutcome | PlayRefusal | Promise<PlayOutcome | PlayRefusal>;
  /** Stops delivering `tracks`; all others go on. */
  pause(tracks: ReadonlySet<number>): void;
  /** An RTCP packet of the client for a track; `bytes` are lent. */
  receiveRtcp(track: number, bytes: Uint8Array): void;
  /** Reports that are due. To be called about twice a second. */
  housekeep(): void;
  /**
   * Stops delivering for good. `onEnded` is not called. Idempotent.
   * @param sayBye the client does not know it yet: tell it by RTCP
   */
  close(sayBye: boolean): void;
}

/** A RECORD that can't be done: the status code for it. */
export interface RecordRefusal {
  readonly statusCode: number;
}

export interface RecordingOptions {
  /** Tracks that were set up. */
  readonly tracks: ReadonlySet<number>;
  /** Packets come in the order they were sent in, and none is lost. */
  readonly keepsOrder: boolean;
  /** For RTCP to the client. */
  readonly delivery: Delivery;
  /** The media side ended it. Never called from within `record`, `pause` or `close`. */
  readonly onEnded: (reason: MediaEndReason) => void;
}

/** One client's recording to a media session. */
export interface Recording {
  /** Begins or goes on. */
  record(): RecordRefusal | undefined;
  pause(): void;
  /** An RTP packet of the client; `bytes` are lent. */
  receiveRtp(track: number, bytes: Uint8Array): void;
  /** An RTCP packet of the client; `bytes` are lent. */
  receiveRtcp(track: number, bytes: Uint8Array): void;
  housekeep(): void;
  /**
   * Idempotent.
   * @param end whether the client said so, or went away
   */
  close(end: 'unpublished' | 'lost'): void;
}

/** Control name of a track: the last part of its URL. */
export function trackName(index: number): string {
  return `track${index + 1}`;
}

/** Index of the track a control name stands for, or undefined. */
export function trackIndexOf(name: string): number | undefined {
  const match = /^track([1-9]\d{0,2})$/.exec(name);
  return match === null ? undefined : Number(match[1]) - 1;
}
