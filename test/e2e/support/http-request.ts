import { once } from 'node:events';
import http from 'node:http';

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The connection the answer came by: equal numbers mean the same connection. */
  readonly localPort: number;
}

export interface HttpRequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Give one with `keepAlive` to use a connection again. */
  readonly agent?: http.Agent;
}

/** Sends a request and waits for the end of the answer. */
export async function requestHttp(url: string, options: HttpRequestOptions = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, agent } = options;
  const request = http.request(url, { method, headers, agent: agent ?? false });
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const localPort = response.socket.localPort ?? 0;
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(response, 'end');
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), localPort };
}
