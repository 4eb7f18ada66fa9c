/** The rooms: made when somebody enters, gone when the last one leaves. */
import { LIMITS } from './limits.ts';
import type { MediaWorkers } from './media-workers.ts';
import { Refusal } from './refusal.ts';
import { Room } from './room.ts';

export class Rooms {
  readonly #workers: MediaWorkers;
  readonly #log: (line: string) => void;
  /** Promises, so that two who enter at once meet in one room. */
  readonly #rooms = new Map<string, Promise<Room>>();

  constructor(workers: MediaWorkers, log: (line: string) => void) {
    this.#workers = workers;
    this.#log = log;
  }

  /** @throws Refusal */
  enter(name: string): Promise<Room> {
    const existing = this.#rooms.get(name);
    if (existing !== undefined) return existing;
    if (this.#rooms.size >= LIMITS.rooms) {
      throw new Refusal('too-many-rooms', 'The server has no place for another room now.');
    }
    const opening = this.#open(name);
    this.#rooms.set(name, opening);
    opening.catch(() => this.#rooms.delete(name));
    return opening;
  }

  /** Everybody is asked to leave. */
  async close(): Promise<void> {
    for (const room of await Promise.allSettled(this.#rooms.values())) {
      if (room.status === 'fulfilled') room.value.close();
    }
  }

  async #open(name: string): Promise<Room> {
    const place = await this.#workers.createRouter();
    const onClosed = (): void => {
      this.#rooms.delete(name);
      this.#log(`room "${name}" closed`);
    };
    try {
      const room = await Room.open({ name, ...place, onClosed });
      this.#log(`room "${name}" opened`);
      return room;
    } catch (error) {
      place.router.close();
      throw error;
    }
  }
}
