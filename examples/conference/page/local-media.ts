/** This person's camera, microphone and screen. They outlive the connection: who joins anew sends them again. */
import type { Source } from '../protocol.ts';
import { drawTestPicture } from './test-picture.ts';

export type Picture = 'camera' | 'test' | 'none';

/** Why there is no camera or microphone, in words for people. */
export class NoMediaError extends Error {}

export class LocalMedia {
  readonly #tracks = new Map<Source, MediaStreamTrack>();
  readonly #name: string;

  /** @param name drawn into the test picture */
  constructor(name: string) {
    this.#name = name;
  }

  get tracks(): ReadonlyMap<Source, MediaStreamTrack> {
    return this.#tracks;
  }

  /** @throws NoMediaError */
  async openMicrophone(): Promise<MediaStreamTrack> {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    return this.#keep('microphone', await this.#ask(() => navigator.mediaDevices.getUserMedia({ audio })));
  }

  /** @throws NoMediaError */
  async openCamera(picture: 'camera' | 'test'): Promise<MediaStreamTrack> {
    if (picture === 'test') return this.#keep('camera', drawTestPicture(this.#name));
    const video = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 24, max: 30 } };
    return this.#keep('camera', await this.#ask(() => navigator.mediaDevices.getUserMedia({ video })));
  }

  /**
   * @param onEnded the browser's own button ended it
   * @throws NoMediaError
   */
  async openScreen(onEnded: () => void): Promise<MediaStreamTrack> {
    const video = { frameRate: { max: 15 } };
    const track = this.#keep('screen', await this.#ask(() => navigator.mediaDevices.getDisplayMedia({ video })));
    track.addEventListener('ended', onEnded);
    return track;
  }

  close(source: Source): void {
    this.#tracks.get(source)?.stop();
    this.#tracks.delete(source);
  }

  closeAll(): void {
    for (const source of this.#tracks.keys()) this.close(source);
  }

  #keep(source: Source, track: MediaStreamTrack): MediaStreamTrack {
    this.close(source);
    this.#tracks.set(source, track);
    return track;
  }

  async #ask(open: () => Promise<MediaStream>): Promise<MediaStreamTrack> {
    if (!window.isSecureContext) {
      throw new NoMediaError('Browsers give camera, microphone and screen only to https pages, and to localhost.');
    }
    try {
      const [track] = (await open()).getTracks();
      if (track === undefined) throw new NoMediaError('The browser gave nothing.');
      return track;
    } catch (error) {
      throw new NoMediaError(reasonOf(error));
    }
  }
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  switch (name) {
    case 'NotAllowedError':
      return 'It was not allowed. The button beside the address lets you change that.';
    case 'NotFoundError':
      return 'There is none on this machine.';
    case 'NotReadableError':
      return 'Another program is using it.';
    default:
      return message;
  }
}
