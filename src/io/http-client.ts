import http from 'node:http';
import https from 'node:https';
import { connectError, connectTimeout, describeConnectFailure } from './connect-error.ts';

/** Most redirects followed. */
export const MAX_HTTP_REDIRECTS = 5;
/** Of an error page, how much is read for its first line, and how long. */
const MAX_ERROR_TEXT_BYTES = 4096;
const MAX_ERROR_TEXT_MS = 2_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface HttpClientOptions {
  readonly url: URL;
  /** Take any certificate. */
  readonly insecure: boolean;
  /** Time until the answer begins, milliseconds. */
  readonly timeoutMs: number;
  /** Ends the request; the body then ends as if the server had ended it. */
  readonly signal: AbortSignal;
}

/**
 * The body of a GET answered with 200, piece by piece, redirects followed. The connection closes when the caller stops.
 * @throws ResourceError with a `ConnectErrorCode`
 */
export async function openHttpBody(options: HttpClientOptions): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  let { url } = options;
  for (let redirects = 0; redirects <= MAX_HTTP_REDIRECTS; redirects++) {
    const response = await get(url, options);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (REDIRECTS.has(status) && location !== undefined) {
      response.destroy();
      url = resolveLocation(location, url);
      continue;
    }
    if (status !== 200) throw await statusError(url, status, response);
    return bodyOf(response, url, options.signal);
  }
  throw connectError(
    'connect/too-many-redirects',
    `${options.url.href} redirects more than ${MAX_HTTP_REDIRECTS} times`,
  );
}

function resolveLocation(location: string, base: URL): URL {
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw connectError('connect/bad-answer', `${base.href} redirects to "${location}", which is no HTTP address`);
}

function get(url: URL, options: HttpClientOptions): Promise<http.IncomingMessage> {
  const { insecure, signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? https.request(url, { rejectUnauthorized: !insecure, signal, agent: false })
        : http.request(url, { signal, agent: false });
    const timer = setTimeout(() => request.destroy(connectTimeout(url.host, timeoutMs)), timeoutMs);
    request.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    // Also hears what happens after the answer began, which the reader of the body is told too.
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(signal.aborted ? connectError('connect/cancelled', 'cancelled') : describeConnectFailure(url.host, error));
    });
    request.end();
  });
}

async function* bodyOf(
  response: http.IncomingMessage,
  url: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (cause) {
    if (signal.aborted) return;
    throw connectError('connect/lost', `${url.href} broke off: ${(cause as Error).message}`, cause);
  } finally {
    response.destroy();
  }
}

/** @internal `url` answered with a status that is no success; the first line of the body often says why. */
export async function statusError(url: URL, status: number, response: http.IncomingMessage): Promise<Error> {
  let text = '';
  const limit = setTimeout(() => response.destroy(), MAX_ERROR_TEXT_MS);
  try {
    response.setEncoding('utf8');
    for await (const chunk of response) {
      text += chunk as string;
      if (text.length >= MAX_ERROR_TEXT_BYTES) break;
    }
  } catch (cause) {
    return connectError('connect/bad-answer', `${url.href} answers ${status}`, cause);
  } finally {
    clearTimeout(limit);
  }
  const isPlain = response.headers['content-type']?.startsWith('text/plain') === true;
  const line = isPlain ? text.split('\n', 1)[0]!.trim().slice(0, 200) : (http.STATUS_CODES[status] ?? '');
  return connectError('connect/bad-answer', `${url.href} answers ${status}${line === '' ? '' : `: ${line}`}`);
}
