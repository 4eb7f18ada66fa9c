import type { MediaEndReason, MediaSession } from './media-session.ts';

/** Who holds a media session: a client session. */
export interface MediaSessionUser {
  /** The media session is taken away from its users. */
  mediaEnded(reason: MediaEndReason): void;
}

/**
 * Media sessions by name. A name stands for one at a time; one that was replaced or removed lives on with the users it
 * has, and is let go by the last of them.
 */
export class MediaSessionRegistry {
  readonly #byName = new Map<string, MediaSession>();
  readonly #users = new Map<MediaSession, Set<MediaSessionUser>>();

  /** Names there are. */
  get size(): number {
    return this.#byName.size;
  }

  /** Media sessions that are in use, under their name or not. */
  get referenced(): number {
    return this.#users.size;
  }

  get(name: string): MediaSession | undefined {
    return this.#byName.get(name);
  }

  /** Puts a media session in the place of the one of the same name. */
  add(session: MediaSession): void {
    this.#byName.set(session.name, session);
  }

  /** Takes a media session's name away, unless the name stands for another one by now. */
  remove(session: MediaSession): void {
    if (this.#byName.get(session.name) === session) this.#byName.delete(session.name);
  }

  /** Whether its name still stands for it. */
  has(session: MediaSession): boolean {
    return this.#byName.get(session.name) === session;
  }

  /** Counts a user. */
  retain(session: MediaSession, user: MediaSessionUser): void {
    const users = this.#users.get(session);
    if (users === undefined) this.#users.set(session, new Set([user]));
    else users.add(user);
  }

  /** A user is gone. The last one lets the session go. Idempotent. */
  release(session: MediaSession, user: MediaSessionUser): void {
    const users = this.#users.get(session);
    if (users?.delete(user) !== true || users.size > 0) return;
    this.#users.delete(session);
    session.onUnreferenced?.();
  }

  isReferenced(session: MediaSession): boolean {
    return this.#users.has(session);
  }

  /** Throws the users of the session off; its name stays. */
  endUsers(session: MediaSession, reason: MediaEndReason): void {
    for (const user of this.#users.get(session) ?? []) user.mediaEnded(reason);
  }

  /** Throws the users of whatever is called so now off; the name stays. */
  closeAllClientSessions(name: string): void {
    const session = this.#byName.get(name);
    if (session !== undefined) this.endUsers(session, 'closed');
  }
}
