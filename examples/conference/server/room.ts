/** A room: one router, and the peers who meet on it. */
import type { types } from 'millrace/mediasoup';
import type { Notifications } from '../protocol.ts';
import { LIMITS } from './limits.ts';
import type { Peer } from './peer.ts';
import { Refusal } from './refusal.ts';

export interface RoomOptions {
  readonly name: string;
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  /** The last peer left, or the media worker died. */
  readonly onClosed: (room: Room) => void;
}

/** How often who speaks is looked at, milliseconds. */
const SPEAKER_INTERVAL_MS = 300;
const LEVEL_INTERVAL_MS = 1_000;
/** Nobody speaks below it, dBov. */
const SILENCE_DBOV = -70;

export class Room {
  readonly name: string;
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  readonly #onClosed: (room: Room) => void;
  readonly #peers = new Map<string, Peer>();
  readonly #observers: readonly types.RtpObserver[];
  /** Who spoke most, whether or not anybody does now. */
  #dominantId: string | null = null;
  #activeSpeakerId: string | null = null;
  #closed = false;

  private constructor(options: RoomOptions, observers: readonly types.RtpObserver[]) {
    this.name = options.name;
    this.router = options.router;
    this.webRtcServer = options.webRtcServer;
    this.#onClosed = options.onClosed;
    this.#observers = observers;
    this.router.on('workerclose', () => this.close());
  }

  static async open(options: RoomOptions): Promise<Room> {
    const speaker = await options.router.createActiveSpeakerObserver({ interval: SPEAKER_INTERVAL_MS });
    const level = await options.router.createAudioLevelObserver({
      interval: LEVEL_INTERVAL_MS,
      threshold: SILENCE_DBOV,
    });
    const room = new Room(options, [speaker, level]);
    // The first says who speaks most, but not that nobody does any more; the second does.
    speaker.on('dominantspeaker', ({ producer }) => {
      room.#dominantId = String(producer.appData['peerId']);
      room.#setActiveSpeaker(room.#dominantId);
    });
    level.on('volumes', () => room.#setActiveSpeaker(room.#dominantId));
    level.on('silence', () => room.#setActiveSpeaker(null));
    return room;
  }

  get peers(): Iterable<Peer> {
    return this.#peers.values();
  }

  get size(): number {
    return this.#peers.size;
  }

  get activeSpeakerId(): string | null {
    return this.#activeSpeakerId;
  }

  /** @throws Refusal */
  add(peer: Peer): void {
    if (this.#closed) throw new Refusal('room-closed', 'The room has just closed.');
    if (this.#peers.size >= LIMITS.peersInRoom) {
      throw new Refusal('room-full', `${LIMITS.peersInRoom} people are in this room, and more it does not take.`);
    }
    this.#peers.set(peer.id, peer);
    this.tellOthers(peer, 'peerJoined', peer.info);
  }

  remove(peer: Peer): void {
    if (!this.#peers.delete(peer.id)) return;
    this.tellOthers(peer, 'peerLeft', { peerId: peer.id });
    if (this.#dominantId === peer.id) this.#dominantId = null;
    if (this.#activeSpeakerId === peer.id) this.#setActiveSpeaker(null);
    if (this.#peers.size === 0) this.close();
  }

  tellOthers<E extends keyof Notifications>(from: Peer, event: E, data: Notifications[E]): void {
    for (const peer of this.#peers.values()) if (peer !== from) peer.tell(event, data);
  }

  /** Who speaks is found among these; a producer that closes leaves by itself. */
  async observe(producer: types.Producer): Promise<void> {
    await Promise.all(this.#observers.map((observer) => observer.addProducer({ producerId: producer.id })));
  }

  /** Ends the room; the peers who are still in it are asked to join again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.router.close();
    for (const peer of this.#peers.values()) peer.roomClosed();
    this.#peers.clear();
    this.#onClosed(this);
  }

  #setActiveSpeaker(peerId: string | null): void {
    if (this.#activeSpeakerId === peerId) return;
    this.#activeSpeakerId = peerId;
    for (const peer of this.#peers.values()) peer.tell('activeSpeaker', { peerId });
  }
}
