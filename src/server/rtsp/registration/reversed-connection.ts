import { connectError } from '../../../io/connect-error.ts';
import { LentSocket } from '../../../io/lent-socket.ts';
import type { RtspResponse } from '../../../protocol/rtsp/rtsp-message.ts';
import { writeInterleavedFrame, writeRtspResponse } from '../../../protocol/rtsp/rtsp-message-writer.ts';
import type { PeerInput, RtspConnection } from '../rtsp-connection.ts';

/**
 * A connection of a client whom the server asks back over it: a client of ours borrows it, and gets what answers and frames
 * the peer sends. Requests of the peer are served all the while.
 */
export class ReversedConnection implements PeerInput {
  readonly #connection: RtspConnection;
  readonly #onGone = (): void => {
    this.#lent?.destroy();
  };
  #lent: LentSocket | undefined;

  constructor(connection: RtspConnection) {
    this.#connection = connection;
    connection.peerInput = this;
    connection.gone.signal.addEventListener('abort', this.#onGone, { once: true });
  }

  /**
   * Lends the connection; who had it before has it no longer.
   * @throws ResourceError `connect/lost` when it is gone
   */
  borrow(): LentSocket {
    const { gone, remote, output } = this.#connection;
    if (gone.signal.aborted) throw connectError('connect/lost', 'the connection that was to be used again is gone');
    this.#lent?.destroy();
    const lent = new LentSocket({
      remoteAddress: remote.address,
      write: (bytes) => output.send(bytes),
      onReturned: () => {
        if (this.#lent === lent) this.#lent = undefined;
      },
    });
    this.#lent = lent;
    return lent;
  }

  takeResponse(response: RtspResponse): void {
    this.#lent?.receive(writeRtspResponse(response));
  }

  takeFrame(channel: number, payload: Uint8Array): void {
    this.#lent?.receive(writeInterleavedFrame(channel, payload));
  }

  /** The connection is a client's and nothing else again. */
  close(): void {
    const { gone } = this.#connection;
    gone.signal.removeEventListener('abort', this.#onGone);
    if (this.#connection.peerInput === this) this.#connection.peerInput = undefined;
  }
}
