import type { ProtocolError } from '../../wire/errors.ts';
import type { EnhancedCapabilities } from './enhanced-rtmp.ts';
import type { HandshakeKind } from './server-handshake.ts';
import type { SendEvent } from './session-output.ts';

/** What `RtmpClientSession` has to say. Handle the events of one call in order. */
export type RtmpClientEvent =
  | SendEvent
  | { readonly type: 'handshake'; readonly kind: HandshakeKind }
  /** The server accepted connect; `capabilities` is undefined for a server without Enhanced RTMP. */
  | { readonly type: 'connected'; readonly capabilities: EnhancedCapabilities | undefined }
  /** Media may now be written. */
  | { readonly type: 'publishing'; readonly messageStreamId: number }
  /** Media comes from now on. */
  | { readonly type: 'playing'; readonly messageStreamId: number }
  /** Media of the stream played: 8 audio, 9 video, 18 data in AMF0. `payload` is yours to keep. */
  | {
      readonly type: 'message';
      readonly typeId: 8 | 9 | 18;
      readonly timestamp: number;
      readonly payload: Uint8Array;
    }
  /** The server has nothing to send for the moment (Stream Dry). */
  | { readonly type: 'dry' }
  /** Go to this URL instead. Final: close the connection. */
  | { readonly type: 'redirect'; readonly url: string }
  /** The server wants the client to connect anew (Enhanced RTMP v2) while this connection goes on for a while. */
  | { readonly type: 'reconnect-request'; readonly url: string; readonly description: string | undefined }
  /** The stream is over, by the server's word (`NetStream.Play.UnpublishNotify` …) or our own. Final. */
  | { readonly type: 'ended'; readonly code: string }
  /** The server refused, broke the protocol or took too long. Final. */
  | { readonly type: 'failed'; readonly error: ProtocolError };
