import { NotFoundError, RequestError } from './channel/request-errors.ts';
import type { RequestHandler } from './request-handler.ts';

/** The living entities of a worker that requests can be for, by their ids. */
export class HandlerRegistry {
  readonly #handlers = new Map<string, RequestHandler>();

  /** Ids in the order they were registered. */
  get ids(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Ids of those that take commands, too. */
  get commandIds(): string[] {
    return [...this.#handlers].filter(([, handler]) => handler.command !== undefined).map(([id]) => id);
  }

  has(id: string): boolean {
    return this.#handlers.has(id);
  }

  /** @throws RequestError when the id is taken */
  register(id: string, handler: RequestHandler): void {
    if (this.#handlers.has(id)) throw new RequestError(`an entity with id "${id}" exists already`);
    this.#handlers.set(id, handler);
  }

  /** Nothing happens when there is none. */
  unregister(id: string): void {
    this.#handlers.delete(id);
  }

  /**
   * @param id as it came: anything
   * @throws NotFoundError
   */
  get(id: unknown): RequestHandler {
    const handler = typeof id === 'string' ? this.#handlers.get(id) : undefined;
    if (handler === undefined) {
      throw new NotFoundError(`there is no entity with id "${typeof id === 'string' ? id : ''}"`);
    }
    return handler;
  }
}
