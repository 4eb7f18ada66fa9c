import { joinBytes } from '../wire/join-bytes.ts';

/** Why a viewer was closed by the server. */
export type ViewerCloseReason =
  /** The stream ended and no publisher came back within the grace window. */
  | 'stream-ended'
  /** The socket took nothing for `stallTimeoutMs`. */
  | 'stalled'
  /** More than `maxSocketBufferBytes` waited in the viewer's own socket. */
  | 'socket-buffer'
  /** The asked play duration is over. */
  | 'duration'
  /** A fault on this side: the viewer's sink threw, its bytes could not be made, or would be one rendition too many. */
  | 'failed'
  /** The server is shutting down, or an operator kicked the viewer. */
  | 'closed';

/** Where a viewer's bytes go: a socket, a WebSocket, a file. Implemented in `server/`. */
export interface ViewerSink {
  /** Hands bytes over. They are shared with other viewers and must not be written into. */
  write(bytes: Uint8Array): void;
  /** Bytes handed over that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** The viewer was closed by the fan-out; called once, never after `Viewer.leave()`. */
  close(reason: ViewerCloseReason): void;
}

/** How entries of a rendition are put together for the wire, once for all viewers that stand at the same place. */
export interface Framing {
  /** Viewers share joined buffers when rendition and framing name are the same. */
  readonly name: string;
  /** One buffer of all `parts` in order, `sizeBytes` long before framing. A single part may be given back as it is. */
  join(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array;
}

/** The bytes as they are. */
export const RAW_FRAMING: Framing = {
  name: 'raw',
  join: joinBytes,
};
