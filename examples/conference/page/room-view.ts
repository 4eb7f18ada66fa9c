/** The room on the screen: tiles, chat, notices, buttons. */
import type { PeerInfo, Source } from '../protocol.ts';
import { byId } from './elements.ts';
import { Tile } from './tile.ts';

/** What the buttons do. */
export interface RoomActions {
  toggleMicrophone(): void;
  toggleCamera(): void;
  toggleScreen(): void;
  write(text: string): void;
  leave(): void;
}

const NOTICE_MS = 6_000;
/** Lines of the chat that are kept. */
const CHAT_LINES = 500;

export class RoomView {
  readonly #stage = byId('stage', HTMLElement);
  readonly #chatLog = byId('chat-log', HTMLElement);
  readonly #notice = byId('notice', HTMLElement);
  readonly #hear = byId('hear', HTMLButtonElement);
  /** By peer and kind. */
  readonly #tiles = new Map<string, Tile>();
  readonly #names = new Map<string, string>();
  #noticeTimer = 0;

  constructor(room: string, actions: RoomActions) {
    byId('room-name', HTMLElement).textContent = room;
    document.title = `${room} – Conference`;
    new ResizeObserver(() => this.#arrange()).observe(this.#stage);
    onClick('toggle-microphone', () => actions.toggleMicrophone());
    onClick('toggle-camera', () => actions.toggleCamera());
    onClick('toggle-screen', () => actions.toggleScreen());
    // Phones have no screens to share.
    byId('toggle-screen', HTMLButtonElement).hidden = navigator.mediaDevices?.getDisplayMedia === undefined;
    onClick('leave', () => actions.leave());
    onClick('toggle-chat', () => this.#toggleChat());
    onClick('toggle-statistics', () => {
      const isHidden = document.body.classList.toggle('without-statistics');
      setPressed('toggle-statistics', !isHidden);
    });
    onClick('copy-link', () => void this.#copyLink());
    this.#hear.onclick = () => this.playSounds();
    byId('chat-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      const input = byId('chat-text', HTMLInputElement);
      const text = input.value.trim();
      if (text !== '') actions.write(text);
      input.value = '';
    };
  }

  addPeer({ peerId, name }: Pick<PeerInfo, 'peerId' | 'name'>, isOwn = false): void {
    this.#names.set(peerId, name);
    this.#addTile(peerId, 'camera', isOwn);
  }

  removePeer(peerId: string): void {
    this.#removeTile(peerId, 'camera');
    this.#removeTile(peerId, 'screen');
    this.#names.delete(peerId);
    this.#arrange();
  }

  nameOf(peerId: string): string {
    return this.#names.get(peerId) ?? 'Somebody';
  }

  /** The tile that shows a source; a screen has one as long as it is shown. */
  tile(peerId: string, source: Source): Tile | undefined {
    return this.#tiles.get(keyOf(peerId, source));
  }

  addScreen(peerId: string, isOwn = false): Tile {
    return this.#addTile(peerId, 'screen', isOwn);
  }

  removeScreen(peerId: string): void {
    this.#removeTile(peerId, 'screen');
    this.#arrange();
  }

  setSpeaker(peerId: string | undefined): void {
    const speaking = peerId === undefined ? undefined : this.tile(peerId, 'camera');
    for (const tile of this.#tiles.values()) tile.setSpeaking(tile === speaking);
  }

  /** The word at the top; empty while all is well. */
  setState(text: string): void {
    byId('call-state', HTMLElement).textContent = text;
  }

  setButtons(on: { microphone: boolean; camera: boolean; screen: boolean }): void {
    setPressed('toggle-microphone', !on.microphone, on.microphone ? 'Mute' : 'Unmute');
    setPressed('toggle-camera', on.camera, on.camera ? 'Camera off' : 'Camera on');
    setPressed('toggle-screen', on.screen, on.screen ? 'Stop sharing' : 'Share screen');
  }

  /** A sentence that goes away by itself. */
  notify(text: string): void {
    this.#notice.textContent = text;
    this.#notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = window.setTimeout(() => {
      this.#notice.hidden = true;
    }, NOTICE_MS);
  }

  addMessage(name: string, text: string): void {
    const line = document.createElement('p');
    const author = document.createElement('strong');
    author.textContent = name;
    line.append(author, ` ${text}`);
    this.#chatLog.append(line);
    while (this.#chatLog.childElementCount > CHAT_LINES) this.#chatLog.firstElementChild?.remove();
    this.#chatLog.scrollTop = this.#chatLog.scrollHeight;
    if (byId('chat', HTMLElement).hidden) this.notify(`${name} wrote: ${text}`);
  }

  /** Browsers want a click before a page may be heard; mostly that was the one on “Join”. */
  playSounds(): void {
    this.#hear.hidden = true;
    for (const tile of this.#tiles.values()) {
      tile.resumeSound().catch((error: unknown) => {
        if ((error as Error).name === 'NotAllowedError') this.#hear.hidden = false;
      });
    }
  }

  #addTile(peerId: string, kind: 'camera' | 'screen', isOwn: boolean): Tile {
    this.#removeTile(peerId, kind);
    const tile = new Tile({ kind, name: this.nameOf(peerId), isOwn });
    this.#tiles.set(keyOf(peerId, kind), tile);
    // Screens are what everybody looks at.
    if (kind === 'screen') this.#stage.prepend(tile.element);
    else this.#stage.append(tile.element);
    this.#arrange();
    return tile;
  }

  #removeTile(peerId: string, kind: 'camera' | 'screen'): void {
    this.tile(peerId, kind)?.element.remove();
    this.#tiles.delete(keyOf(peerId, kind));
  }

  #arrange(): void {
    const isNarrow = this.#stage.clientWidth < this.#stage.clientHeight;
    const wide = Math.ceil(Math.sqrt(this.#tiles.size));
    const high = Math.ceil(this.#tiles.size / Math.max(1, wide));
    const [columns, rows] = isNarrow ? [high, wide] : [wide, high];
    this.#stage.style.setProperty('--columns', String(columns));
    this.#stage.style.setProperty('--rows', String(rows));
    const count = this.#names.size;
    byId('people', HTMLElement).textContent = count === 1 ? 'Nobody else is here yet' : `${count} people`;
  }

  #toggleChat(): void {
    const chat = byId('chat', HTMLElement);
    chat.hidden = !chat.hidden;
    setPressed('toggle-chat', !chat.hidden);
    if (!chat.hidden) byId('chat-text', HTMLInputElement).focus();
  }

  async #copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.notify('The link of this room is copied.');
    } catch {
      // Old browsers, and pages without https, may not copy.
      this.notify(`The link of this room: ${location.href}`);
    }
  }
}

/** Who is heard is seen in the tile of the camera. */
function keyOf(peerId: string, source: Source): string {
  return `${peerId}/${source === 'screen' ? 'screen' : 'camera'}`;
}

function onClick(id: string, action: () => void): void {
  byId(id, HTMLButtonElement).onclick = action;
}

function setPressed(id: string, isPressed: boolean, label?: string): void {
  const button = byId(id, HTMLButtonElement);
  button.ariaPressed = String(isPressed);
  const text = button.querySelector('span');
  if (label !== undefined && text !== null) text.textContent = label;
}
