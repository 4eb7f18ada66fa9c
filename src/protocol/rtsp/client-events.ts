import type { ProtocolError } from '../../wire/errors.ts';
import type { MediaDescription, SessionDescription } from '../sdp/session-description.ts';
import type { RtspRange } from './range-header.ts';
import type { RtpInfo } from './rtp-info.ts';
import type { InterleavedFrame, RtspRequest } from './rtsp-message.ts';
import type { RtspTransport } from './transport-header.ts';

/** A track as the description names it. */
export interface RtspClientTrack {
  /** Place among the media sections of the description, from 0. */
  readonly index: number;
  readonly media: MediaDescription;
  /** Where its SETUP goes. */
  readonly url: string;
  /** Sound that goes from us to the device (ONVIF Streaming Specification §5.3); only when it was asked for. */
  readonly isBackChannel: boolean;
}

/** What `RtspClientSession` has to say. Handle the events of one call in order. */
export type RtspClientEvent =
  /** Write these bytes to the connection. They are whole messages: `$` frames of yours may go between two of them. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** The stream is described, or accepted for publishing: `setUp` the tracks you want. */
  | {
      readonly type: 'described';
      readonly description: SessionDescription;
      readonly tracks: readonly RtspClientTrack[];
    }
  /** A track is set up. `transport` is what the server said, completed by what was asked. */
  | { readonly type: 'track-ready'; readonly track: RtspClientTrack; readonly transport: RtspTransport }
  /**
   * The server will not have a track this way (461), or not at all. The tracks behind it in the same `setUp` were not
   * asked for; `setUp` again with other transports, or without it.
   */
  | {
      readonly type: 'track-refused';
      readonly track: RtspClientTrack;
      readonly statusCode: number;
      readonly reason: string;
    }
  /** All tracks of a `setUp` are set up: `play` or `record`. */
  | { readonly type: 'ready' }
  /** Media comes from now on; some servers send it a little before. What is undefined the server did not say. */
  | {
      readonly type: 'playing';
      readonly range: RtspRange | undefined;
      readonly scale: number | undefined;
      readonly speed: number | undefined;
      readonly rtpInfos: readonly RtpInfo[];
    }
  /** Media may be sent from now on. */
  | { readonly type: 'recording' }
  | { readonly type: 'paused' }
  /** A `play` or `pause` of a running session was refused; it goes on as it was. */
  | { readonly type: 'refused'; readonly method: string; readonly statusCode: number; readonly reason: string }
  | InterleavedFrame
  /** The server told something on its own (ANNOUNCE, SET_PARAMETER, PLAY_NOTIFY); it is answered already. */
  | { readonly type: 'notified'; readonly request: RtspRequest }
  /** Go to this URL instead. By an answer (`statusCode`) it is final; by REDIRECT the session goes on until you close it. */
  | { readonly type: 'redirect'; readonly url: string; readonly statusCode: number | undefined }
  /** The session is over, by TEARDOWN of ours or of the server. Final. */
  | { readonly type: 'ended' }
  /** The server refused, broke the protocol or took too long. Final. */
  | { readonly type: 'failed'; readonly error: ProtocolError; readonly statusCode: number | undefined };
