import type { HttpRequest } from '../../../src/protocol/http1/http-request.ts';
import type { RtspRequest } from '../../../src/protocol/rtsp/rtsp-message.ts';
import { HttpDelegateServer } from '../../../src/server/delegate/http-delegate-server.ts';
import { RtspDelegateServer } from '../../../src/server/delegate/rtsp-delegate-server.ts';
import type { DelegateServerOptions } from '../../../src/server/delegate/server-delegate.ts';
import { type DelegateHooks, RecordingDelegate } from './recording-delegate.ts';

export type AnyServer = HttpDelegateServer | RtspDelegateServer;
export type AnyRequest = HttpRequest | RtspRequest;

/** A server of either kind with the delegate that notes its calls. */
export interface ServerUnderTest {
  readonly server: AnyServer;
  readonly delegate: RecordingDelegate<AnyRequest>;
  /** What was reported to `onError`, with the connection's number. */
  readonly errors: string[];
}

/** What a test that holds for both servers needs to know of one. */
export interface ServerKind {
  readonly name: string;
  /** The `n`-th request of a connection. */
  readonly request: (n: number) => string;
  /** How an answer with status 200 begins. */
  readonly ok: string;
  readonly writeQueueLimit: number;
  /** Starts one on a free port; requests are answered with 200 unless a hook does otherwise. */
  readonly start: (options?: Partial<DelegateServerOptions>, hooks?: AnyHooks) => Promise<ServerUnderTest>;
}

/** Hooks that are given the server too. */
export type AnyHooks = (server: () => AnyServer) => DelegateHooks<AnyRequest>;

const answerAll: AnyHooks = (server) => ({
  onRequest: (connectionId) => {
    server().send(connectionId, { statusCode: 200 });
  },
});

async function start(
  listen: (options: DelegateServerOptions & { readonly delegate: RecordingDelegate<AnyRequest> }) => Promise<AnyServer>,
  options: Partial<DelegateServerOptions>,
  hooks: AnyHooks,
): Promise<ServerUnderTest> {
  const errors: string[] = [];
  let server: AnyServer | undefined;
  const started = (): AnyServer => server!;
  const delegate = new RecordingDelegate<AnyRequest>({ ...answerAll(started), ...hooks(started) });
  const onError = (error: Error, connectionId: number | undefined): void => {
    errors.push(`${error.message} (${connectionId})`);
  };
  server = await listen({ address: '127.0.0.1:0', onError, ...options, delegate });
  return { server, delegate, errors };
}

const noHooks: AnyHooks = () => ({});

/** Both servers. */
export const serverKinds: readonly ServerKind[] = [
  {
    name: 'RTSP',
    request: (n) => `OPTIONS /${n} RTSP/1.0\r\nCSeq: ${n}\r\n\r\n`,
    ok: 'RTSP/1.0 200 OK',
    writeQueueLimit: 8_000_000,
    start: (options = {}, hooks = noHooks) => start((all) => RtspDelegateServer.listen(all), options, hooks),
  },
  {
    name: 'HTTP',
    request: (n) => `GET /${n} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ok: 'HTTP/1.1 200 OK',
    writeQueueLimit: 1_000_000,
    start: (options = {}, hooks = noHooks) => start((all) => HttpDelegateServer.listen(all), options, hooks),
  },
];
