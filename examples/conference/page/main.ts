/** The form to join by, and the room after it. The address names the room: `/room/<name>`. */
import { byId } from './elements.ts';
import type { Picture } from './local-media.ts';
import { Session } from './session.ts';

const NAME_KEY = 'conference-name';

const form = byId('join-form', HTMLFormElement);
const nameInput = byId('name', HTMLInputElement);
const roomInput = byId('room', HTMLInputElement);
const joinButton = byId('join-button', HTMLButtonElement);
const joinError = byId('join-error', HTMLElement);

function roomOfAddress(): string {
  const [, room = ''] = /^\/room\/([^/]+)/.exec(location.pathname) ?? [];
  return decodeURIComponent(room);
}

/** Nobody guesses it, and it can be read out on the phone. */
function newRoom(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz';
  const random = crypto.getRandomValues(new Uint8Array(9));
  const text = Array.from(random, (byte) => letters[byte % letters.length]).join('');
  return text.replace(/(...)(...)(...)/, '$1-$2-$3');
}

function showForm(error?: unknown): void {
  byId('room-view', HTMLElement).hidden = true;
  byId('join-view', HTMLElement).hidden = false;
  joinError.hidden = error === undefined;
  joinError.textContent = error instanceof Error ? error.message : '';
  document.title = 'Conference';
}

async function join(): Promise<void> {
  const room = roomInput.value.trim().normalize('NFC');
  const name = nameInput.value.trim();
  const data = new FormData(form);
  localStorage.setItem(NAME_KEY, name);
  history.replaceState(undefined, '', `/room/${encodeURIComponent(room)}`);
  byId('join-view', HTMLElement).hidden = true;
  byId('room-view', HTMLElement).hidden = false;
  byId('room-name', HTMLElement).focus();
  byId('chat-log', HTMLElement).replaceChildren();
  const session = new Session({
    room,
    name,
    picture: data.get('picture') as Picture,
    withMicrophone: byId('with-microphone', HTMLInputElement).checked,
  });
  const leave = (): void => session.leave();
  addEventListener('pagehide', leave);
  try {
    await session.ended;
    showForm();
  } catch (error) {
    showForm(error);
  } finally {
    removeEventListener('pagehide', leave);
    joinButton.focus();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void join();
});
nameInput.value = localStorage.getItem(NAME_KEY) ?? '';
roomInput.value = roomOfAddress() || newRoom();
showForm();
(nameInput.value === '' ? nameInput : joinButton).focus();
