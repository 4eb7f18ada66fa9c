import { connect, type Socket } from 'node:net';
import { until } from '../robustness/until.ts';

/** The client's end of a connection: sends text or bytes, collects what comes. */
export class TestPeer {
  readonly socket: Socket;
  /** Everything received, as Latin-1. */
  text = '';
  /** The server ended its half, or all. */
  ended = false;
  closed = false;
  #wasConnected = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
    });
    socket.on('connect', () => {
      this.#wasConnected = true;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    // A reset is one way for the server to let go.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<TestPeer> {
    const peer = new TestPeer(connect({ host, port, allowHalfOpen: true }));
    // Some servers close at once.
    await until('connected', () => peer.#wasConnected || peer.closed);
    return peer;
  }

  /** The client's end of a connection that was made elsewhere (TLS). */
  static of(socket: Socket): TestPeer {
    return new TestPeer(socket);
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Resolves when what was received holds `part`. */
  async receives(part: string): Promise<void> {
    await until(`received ${JSON.stringify(part)}, not only ${JSON.stringify(this.text.slice(-300))}`, () =>
      this.text.includes(part),
    );
  }

  /** Resolves when `count` answers of that start line came. */
  async receivesTimes(part: string, count: number): Promise<void> {
    await until(`received ${count} times ${part}`, () => this.text.split(part).length - 1 >= count);
  }

  async isClosed(): Promise<void> {
    await until('closed by the server', () => this.ended || this.closed);
  }

  close(): void {
    this.socket.destroy();
  }

  /** Ends with a reset instead of a proper end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
