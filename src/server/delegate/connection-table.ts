/** What a table keeps: something with a number. */
interface Numbered {
  readonly id: number;
}

/**
 * Connections by number. Numbers count up from 1 and are never used twice: a step that comes late finds no connection
 * rather than another one.
 */
export class ConnectionTable<Connection extends Numbered> {
  readonly #connections = new Map<number, Connection>();
  #lastId = 0;

  /** Connections in the table. */
  get size(): number {
    return this.#connections.size;
  }

  /** A number for the next connection. */
  nextId(): number {
    return ++this.#lastId;
  }

  add(connection: Connection): void {
    this.#connections.set(connection.id, connection);
  }

  get(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  delete(id: number): void {
    this.#connections.delete(id);
  }

  /** In the order they came. Connections may be deleted meanwhile. */
  values(): Iterable<Connection> {
    return this.#connections.values();
  }
}
