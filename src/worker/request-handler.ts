import type { IncomingRequest } from './channel/response-channel.ts';

/**
 * Answers what is asked of one entity (router, transport, producer …). `request.method` keeps its prefix:
 * `transport.produce`. Throws, or rejects, with TypeError for wrong data, UnsupportedError, NotFoundError for entities named in
 * `data` that do not exist, any other Error else.
 */
export interface RequestHandler {
  /** @returns the data of the answer, or a promise of it; `undefined` for none */
  request(request: IncomingRequest): unknown;
  /** What is not answered: `producer.send`, `transport.sendRtcp`, `dataProducer.send`, with their payload. */
  command?(command: IncomingRequest): void;
}
