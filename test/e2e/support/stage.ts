import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace } from '../../../src/app/millrace.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { type PeerCommand, PeerProcess } from '../../peers/peer-process.ts';

/** How long a stream may take to begin, milliseconds. */
const LIVE_TIMEOUT_MS = 20_000;

/** A server for one test on free ports, with the addresses to reach it. */
export class TestServer {
  readonly millrace: Millrace;
  readonly #host: string;

  constructor(millrace: Millrace, host: string) {
    this.millrace = millrace;
    this.#host = host;
  }

  /** @param path `live/x` */
  rtmp(path: string): string {
    return `rtmp://${this.#host}:${this.millrace.ports.rtmp[0]}/${path}`;
  }

  rtmps(path: string): string {
    return `rtmps://${this.#host}:${this.millrace.ports.rtmps[0]}/${path}`;
  }

  /** @param path `live/x.flv`, or nothing for the first page */
  http(path = ''): string {
    return `http://${this.#host}:${this.millrace.ports.http[0]}/${path}`;
  }

  ws(path: string): string {
    return `ws://${this.#host}:${this.millrace.ports.http[0]}/${path}`;
  }

  /** @param path `live/x`, or `live/x.ts` for a transport stream */
  rtsp(path: string): string {
    return `rtsp://${this.#host}:${this.millrace.ports.rtsp[0]}/${path}`;
  }

  rtsps(path: string): string {
    return `rtsps://${this.#host}:${this.millrace.ports.rtsps[0]}/${path}`;
  }

  get host(): string {
    return this.#host;
  }

  /** The stream `app/stream` of the default virtual host as the server holds it. */
  stream(path: string): Stream {
    const [app = '', stream = ''] = path.split('/');
    return this.millrace.hub.getOrCreate({ vhost: DEFAULT_VHOST, app, stream });
  }

  /** Waits until somebody publishes `path`. */
  async whenLive(path: string): Promise<Stream> {
    const stream = this.stream(path);
    assert.equal(await stream.whenLive(LIVE_TIMEOUT_MS), 'live', `nobody published ${path} in ${LIVE_TIMEOUT_MS} ms`);
    return stream;
  }
}

/** What one test uses: servers, programs, a directory. `close()` ends and removes all of it. */
export class Stage {
  /** Everybody may write here: VLC runs as another user. */
  readonly directory: string;
  readonly #closers: (() => unknown)[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-e2e-'));
    await chmod(directory, 0o777);
    const stage = new Stage(directory);
    stage.own(() => rm(directory, { recursive: true, force: true }));
    return stage;
  }

  /** A path in the stage's directory. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Calls `close` at the end, in reverse order of owning. */
  own(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Starts a server that listens on `host` on ports of the system's choice and logs nothing. */
  async server(configuration: ConfigurationInput = {}, host = '127.0.0.1'): Promise<TestServer> {
    const listen = `${host}:0`;
    const millrace = await Millrace.start({
      configuration: {
        ...configuration,
        rtmp: { listen, ...configuration.rtmp },
        http: { listen, ...configuration.http },
        rtsp: { listen, ...configuration.rtsp },
        log: { level: 'silent' },
      },
    });
    this.own(() => millrace.close());
    return new TestServer(millrace, host);
  }

  run(command: PeerCommand): PeerProcess {
    const peer = PeerProcess.start(command);
    this.own(() => peer.stop());
    return peer;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
