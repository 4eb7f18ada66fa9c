/** From joining to leaving: keeps a call, and makes another when the connection is lost or the room's worker died. */
import type { Source } from '../protocol.ts';
import { Call, type CallListener, layersOf, type RemoteTrack } from './call.ts';
import { LocalMedia, NoMediaError, type Picture } from './local-media.ts';
import { RoomView } from './room-view.ts';
import { LostError, RefusedError } from './signalling.ts';
import { Statistics } from './statistics.ts';

export interface SessionOptions {
  readonly room: string;
  readonly name: string;
  readonly picture: Picture;
  readonly withMicrophone: boolean;
}

const OWN = 'own';
const STATISTICS_MS = 1_000;
const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 5_000;

export class Session {
  /** Settles when the person left; rejects when the server does not let them in. */
  readonly ended: Promise<void>;
  readonly #options: SessionOptions;
  readonly #media: LocalMedia;
  readonly #view: RoomView;
  readonly #statistics = new Statistics();
  readonly #statisticsTimer: number;
  readonly #peers = new Set<string>();
  #call: Call | undefined;
  #isMuted: boolean;
  #left = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#isMuted = !options.withMicrophone;
    this.#media = new LocalMedia(options.name);
    this.#view = new RoomView(options.room, {
      toggleMicrophone: () => this.#attempt(this.#toggleMicrophone()),
      toggleCamera: () => this.#attempt(this.#toggleCamera()),
      toggleScreen: () => this.#attempt(this.#toggleScreen()),
      write: (text) => this.#write(text),
      leave: () => this.leave(),
    });
    this.#view.addPeer({ peerId: OWN, name: options.name }, true);
    this.#showButtons();
    this.#statisticsTimer = window.setInterval(() => void this.#showStatistics(), STATISTICS_MS);
    this.ended = this.#run().finally(() => this.#end());
  }

  leave(): void {
    this.#left = true;
    this.#call?.close();
  }

  async #run(): Promise<void> {
    const { picture, withMicrophone } = this.#options;
    await Promise.all([
      withMicrophone && this.#open('microphone', () => this.#media.openMicrophone()),
      picture !== 'none' && this.#open('camera', () => this.#media.openCamera(picture)),
    ]);
    let hasJoined = false;
    let delayMs = FIRST_RETRY_MS;
    while (!this.#left) {
      try {
        const call = await this.#joinOnce();
        hasJoined = true;
        delayMs = FIRST_RETRY_MS;
        this.#view.setState('');
        // Who left while joining waits for nothing.
        if (!this.#left) await call.ended;
      } catch (error) {
        // Once it worked, whatever else goes wrong comes of a connection that was lost on the way.
        const isPassing = error instanceof RefusedError ? error.isPassing : hasJoined;
        if (!isPassing) throw error;
      }
      this.#call?.close();
      this.#call = undefined;
      for (const peerId of this.#peers) this.#view.removePeer(peerId);
      this.#peers.clear();
      if (this.#left) return;
      this.#view.setState('Connection lost. Joining again…');
      // Not all at the same moment.
      await wait(delayMs * (0.5 + Math.random()));
      delayMs = Math.min(2 * delayMs, LONGEST_RETRY_MS);
    }
  }

  async #joinOnce(): Promise<Call> {
    const call = await Call.join(this.#options.room, this.#options.name, this.#listener);
    this.#call = call;
    for (const [source, track] of this.#media.tracks) {
      await call.send(source, track, source === 'microphone' && this.#isMuted);
    }
    return call;
  }

  /** Asks the browser for a device; without, the person takes part all the same. */
  async #open(source: 'microphone' | 'camera', open: () => Promise<MediaStreamTrack>): Promise<void> {
    try {
      const track = await open();
      if (source === 'camera') this.#showOwnPicture(track);
    } catch (error) {
      if (!(error instanceof NoMediaError)) throw error;
      if (source === 'microphone') this.#isMuted = true;
      this.#view.notify(`No ${source}. ${error.message}`);
    }
    this.#showButtons();
  }

  readonly #listener: CallListener = {
    peerJoined: (peer) => {
      this.#peers.add(peer.peerId);
      this.#view.addPeer(peer);
      // Not those who were there before.
      if (this.#call !== undefined) this.#view.notify(`${peer.name} joined.`);
      this.#view.tile(peer.peerId, 'camera')?.setMuted(true);
    },
    peerLeft: (peerId) => {
      this.#view.notify(`${this.#view.nameOf(peerId)} left.`);
      this.#peers.delete(peerId);
      this.#view.removePeer(peerId);
    },
    received: (track) => this.#show(track),
    changed: ({ peerId, source, paused }) => {
      if (source === 'microphone') this.#view.tile(peerId, source)?.setMuted(paused);
    },
    removed: ({ peerId, source }) => {
      const tile = this.#view.tile(peerId, source);
      if (source === 'microphone') tile?.setMuted(true);
      else if (source === 'screen') this.#view.removeScreen(peerId);
      else {
        tile?.showPicture(undefined);
        tile?.offerSizes(0, () => undefined);
      }
    },
    activeSpeaker: (speaker) => {
      if (typeof speaker === 'object') this.#view.setSpeaker(speaker.peerId);
      else this.#view.setSpeaker(speaker === 'own' ? OWN : undefined);
    },
    message: (peerId, text) => this.#view.addMessage(this.#view.nameOf(peerId), text),
    trouble: (error) => this.#report(error),
  };

  #show(track: RemoteTrack): void {
    const { peerId, source, consumer, paused } = track;
    if (source === 'screen') this.#view.addScreen(peerId);
    const tile = this.#view.tile(peerId, source);
    if (source === 'microphone') {
      tile?.playSound(consumer.track);
      tile?.setMuted(paused);
      this.#view.playSounds();
      return;
    }
    tile?.showPicture(consumer.track);
    tile?.offerSizes(layersOf(consumer).spatial, (size) => {
      if (this.#call !== undefined) this.#attempt(this.#call.prefer(track, size));
    });
  }

  #showOwnPicture(track: MediaStreamTrack): void {
    this.#view.tile(OWN, 'camera')?.showPicture(track, this.#options.picture !== 'test');
  }

  async #toggleMicrophone(): Promise<void> {
    if (!this.#media.tracks.has('microphone')) {
      const track = await this.#media.openMicrophone();
      this.#isMuted = false;
      await this.#call?.send('microphone', track);
    } else {
      this.#isMuted = !this.#isMuted;
      await this.#call?.setPaused('microphone', this.#isMuted);
    }
    this.#showButtons();
  }

  /** Off means off: the light beside the camera goes out. */
  async #toggleCamera(): Promise<void> {
    if (this.#media.tracks.has('camera')) return this.#stop('camera');
    const track = await this.#media.openCamera(this.#options.picture === 'test' ? 'test' : 'camera');
    this.#showOwnPicture(track);
    this.#showButtons();
    await this.#call?.send('camera', track);
  }

  async #toggleScreen(): Promise<void> {
    if (this.#media.tracks.has('screen')) return this.#stop('screen');
    const track = await this.#media.openScreen(() => this.#attempt(this.#stop('screen')));
    this.#view.addScreen(OWN, true).showPicture(track);
    this.#showButtons();
    await this.#call?.send('screen', track);
  }

  async #stop(source: 'camera' | 'screen'): Promise<void> {
    this.#media.close(source);
    if (source === 'screen') this.#view.removeScreen(OWN);
    else this.#view.tile(OWN, source)?.showPicture(undefined);
    this.#showButtons();
    await this.#call?.stop(source);
  }

  #write(text: string): void {
    if (this.#call?.write(text) === true) this.#view.addMessage(this.#options.name, text);
    else this.#view.notify('Not sent: there is no connection at the moment.');
  }

  #showButtons(): void {
    const { tracks } = this.#media;
    this.#view.setButtons({
      microphone: tracks.has('microphone') && !this.#isMuted,
      camera: tracks.has('camera'),
      screen: tracks.has('screen'),
    });
    this.#view.tile(OWN, 'microphone')?.setMuted(this.#isMuted);
  }

  async #showStatistics(): Promise<void> {
    const call = this.#call;
    if (call === undefined) return;
    try {
      for (const track of call.tracks.filter(({ source }) => source !== 'microphone')) {
        this.#view.tile(track.peerId, track.source)?.showStatistics(await this.#statistics.ofRemote(track));
      }
      for (const source of ['camera', 'screen'] as const satisfies Source[]) {
        const producer = call.producer(source);
        if (producer === undefined) continue;
        this.#view.tile(OWN, source)?.showStatistics(await this.#statistics.ofOwn(producer));
      }
    } catch (error) {
      // What closed between being listed and being asked has no figures any more.
      if ((error as Error).name !== 'InvalidStateError') throw error;
    }
  }

  #attempt(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    // A lost connection is told at the top, and repaired.
    if (error instanceof LostError) return;
    this.#view.notify(error instanceof Error ? error.message : String(error));
  }

  #end(): void {
    clearInterval(this.#statisticsTimer);
    this.#call?.close();
    this.#media.closeAll();
    for (const peerId of [OWN, ...this.#peers]) this.#view.removePeer(peerId);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    window.setTimeout(resolve, ms);
  });
}
