import type { HttpRequest, HttpResponse } from '../../io/http-listener.ts';
import type { StaticFile } from '../../io/static-files.ts';
import { answerText, type HttpService } from '../http/http-server.ts';
import type { StreamsDocument } from './streams-document.ts';

export interface ConsoleServiceOptions {
  /** The built page by path, from `loadStaticFiles`. */
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly describeStreams: () => StreamsDocument;
}

/** The first page: its files, and the list of streams it shows. */
export class ConsoleService implements HttpService {
  readonly #files: ReadonlyMap<string, StaticFile>;
  readonly #describeStreams: () => StreamsDocument;

  constructor(options: ConsoleServiceOptions) {
    this.#files = options.files;
    this.#describeStreams = options.describeStreams;
  }

  handle(request: HttpRequest, response: HttpResponse, url: URL): boolean {
    if (url.pathname === '/console/streams.json') {
      const body = Buffer.from(JSON.stringify(this.#describeStreams()));
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': body.length,
        'Cache-Control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
      return true;
    }
    const file = this.#files.get(url.pathname === '/' ? 'index.html' : url.pathname.slice(1));
    if (file === undefined) {
      if (url.pathname !== '/') return false;
      answerText(response, 503, 'the page has not been built: run "npm run build"');
      return true;
    }
    // Names under assets/ carry a hash of their content; everything else is asked for again.
    const cacheControl = url.pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    const headers = {
      ETag: file.etag,
      'Cache-Control': cacheControl,
      'X-Content-Type-Options': 'nosniff',
      // The page carries the rest of its policy itself; this part only works as a header.
      'Content-Security-Policy': "frame-ancestors 'self'",
    };
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, headers);
      response.end();
      return true;
    }
    response.writeHead(200, { ...headers, 'Content-Type': file.contentType, 'Content-Length': file.bytes.length });
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
    return true;
  }
}
