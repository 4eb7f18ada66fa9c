/** One picture in the room: somebody's camera, or the screen somebody shows. */
import { byId, within } from './elements.ts';
import { hueOf } from './hue.ts';

export interface TileOptions {
  readonly kind: 'camera' | 'screen';
  readonly name: string;
  /** Of the person in front of it. */
  readonly isOwn: boolean;
}

/** Names of sizes, the smallest first, by how many there are. */
const SIZES: Readonly<Record<number, readonly string[]>> = {
  2: ['Small', 'Large'],
  3: ['Small', 'Medium', 'Large'],
};

export class Tile {
  readonly element: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #audio: HTMLAudioElement | undefined;
  readonly #mutedMark: HTMLElement;
  readonly #statistics: HTMLElement;
  readonly #quality: HTMLElement;

  constructor({ kind, name, isOwn }: TileOptions) {
    const content = byId('tile-template', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
    this.element = within(content, '.tile', HTMLElement);
    this.#video = within(content, 'video', HTMLVideoElement);
    this.#mutedMark = within(content, '.muted-mark', HTMLElement);
    this.#statistics = within(content, '.statistics', HTMLElement);
    this.#quality = within(content, '.quality', HTMLElement);
    const label = labelOf(kind, name, isOwn);
    this.element.classList.add(kind);
    this.element.classList.toggle('own', isOwn);
    this.element.ariaLabel = label;
    this.element.style.setProperty('--hue', String(hueOf(name)));
    within(content, '.person', HTMLElement).textContent = label;
    within(content, '.initial', HTMLElement).textContent = /./u.exec(name)?.[0].toUpperCase() ?? '?';
    if (kind === 'screen' || isOwn) return;
    this.#audio = document.createElement('audio');
    this.#audio.autoplay = true;
    this.element.append(this.#audio);
  }

  /** @param isMirrored as people know themselves from mirrors */
  showPicture(track: MediaStreamTrack | undefined, isMirrored = false): void {
    this.#video.classList.toggle('mirrored', isMirrored);
    this.#video.srcObject = track === undefined ? null : new MediaStream([track]);
    this.element.classList.toggle('has-picture', track !== undefined);
    if (track === undefined) this.showStatistics('');
  }

  playSound(track: MediaStreamTrack | undefined): void {
    if (this.#audio !== undefined) this.#audio.srcObject = track === undefined ? null : new MediaStream([track]);
  }

  /** @throws Error when the browser wants a click before it plays sound */
  async resumeSound(): Promise<void> {
    if (this.#audio?.srcObject) await this.#audio.play();
  }

  setMuted(isMuted: boolean): void {
    this.#mutedMark.hidden = !isMuted;
  }

  setSpeaking(isSpeaking: boolean): void {
    this.element.classList.toggle('speaking', isSpeaking);
  }

  showStatistics(text: string): void {
    this.#statistics.textContent = text;
  }

  /** Lets people choose the largest of `sizes` sizes they want to be sent; with one there is no choice. */
  offerSizes(sizes: number, onChosen: (size: number) => void): void {
    this.#quality.hidden = sizes < 2;
    const select = within(this.#quality, 'select', HTMLSelectElement);
    const options = Array.from(
      { length: sizes },
      (_, size) => new Option(SIZES[sizes]?.[size] ?? `Size ${size + 1}`, `${size}`),
    );
    select.replaceChildren(...options.reverse());
    select.onchange = () => onChosen(Number(select.value));
  }
}

function labelOf(kind: TileOptions['kind'], name: string, isOwn: boolean): string {
  if (kind === 'screen') return isOwn ? 'Your screen' : `Screen of ${name}`;
  return isOwn ? `${name} (you)` : name;
}
