import type { ProtocolError } from '../../wire/errors.ts';
import type { ConnectRequest } from './connect-request.ts';
import type { PublisherKind } from './publisher-identification.ts';
import type { HandshakeKind } from './server-handshake.ts';
import type { SendEvent } from './session-output.ts';
import type { StreamUrl } from './stream-url.ts';

/** What `RtmpServerSession` has to say. Handle the events of one call in order. */
export type RtmpServerEvent =
  | SendEvent
  /** A load balancer in front told the client's address; believe it only of balancers you know. */
  | { readonly type: 'proxied'; readonly address: string }
  | { readonly type: 'handshake'; readonly kind: HandshakeKind }
  /** Answer with `acceptConnect`, `rejectConnect` or `redirectConnect`; until then further requests wait. */
  | { readonly type: 'connect'; readonly request: ConnectRequest }
  /** Answer with `acceptPublish` or `rejectPublish`, unless `unpublish` for the same stream comes first. */
  | PublishEvent
  | { readonly type: 'unpublish'; readonly messageStreamId: number }
  /** Answer with `acceptPlay` or `rejectPlay`, unless `stop` for the same stream comes first. */
  | PlayEvent
  | { readonly type: 'stop'; readonly messageStreamId: number }
  /** Answer with `acceptPause`. */
  | { readonly type: 'pause'; readonly messageStreamId: number; readonly paused: boolean; readonly positionMs: number }
  /** Already answered; a live stream has nowhere to seek to. */
  | { readonly type: 'seek'; readonly messageStreamId: number; readonly positionMs: number }
  | { readonly type: 'receive-audio'; readonly messageStreamId: number; readonly enabled: boolean }
  | { readonly type: 'receive-video'; readonly messageStreamId: number; readonly enabled: boolean }
  | { readonly type: 'set-buffer-length'; readonly messageStreamId: number; readonly bufferMs: number }
  | MediaMessageEvent
  /** The session ended as it should (rejected or redirected): flush and close. Final. */
  | { readonly type: 'end'; readonly reason: 'rejected' | 'redirected' }
  /** The peer broke the protocol or a limit: flush and close. Final. */
  | { readonly type: 'failed'; readonly error: ProtocolError };

/** A client wants to publish. */
export interface PublishEvent {
  readonly type: 'publish';
  readonly messageStreamId: number;
  /** As sent, parameters included. */
  readonly streamName: string;
  /** Stream name and tcUrl taken apart; `stream` is not empty. */
  readonly url: StreamUrl;
  readonly publishType: 'live' | 'record' | 'append';
  readonly publisherKind: PublisherKind;
}

/** A client wants to play. */
export interface PlayEvent {
  readonly type: 'play';
  readonly messageStreamId: number;
  /** As sent, parameters included. */
  readonly streamName: string;
  /** Stream name and tcUrl taken apart; `stream` is not empty. */
  readonly url: StreamUrl;
  /** As sent: -2 (also -2000) live or recorded, the default; -1 (-1000) live only; else a position. Live servers ignore it. */
  readonly start: number;
  /** Stop after this many milliseconds of media; negative for no limit, the default. */
  readonly duration: number;
  /** Replace what is playing (the default) instead of queueing behind it. */
  readonly reset: boolean;
}

/** Media of a publisher. */
export interface MediaMessageEvent {
  readonly type: 'message';
  readonly messageStreamId: number;
  /** 8 audio, 9 video, 18 data in AMF0. */
  readonly typeId: 8 | 9 | 18;
  /** Milliseconds, unsigned 32 bits, as the publisher counts. */
  readonly timestamp: number;
  /** Yours to keep, and never written to again, unless `ownsInput` is set. (Parts of one aggregate share a buffer.) */
  readonly payload: Uint8Array;
}
