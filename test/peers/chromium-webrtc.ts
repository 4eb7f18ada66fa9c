/** A peer in a page of Chromium, with its fake camera and microphone. */
import type { ChromiumPage } from './chromium.ts';
import { createBrowserPeer } from './webrtc-browser-peer.ts';
import type { OfferOptions, WebRtcPeer, WebRtcPeerReport } from './webrtc-peer.ts';

/** Set when Chromium is started for media. */
export const FAKE_MEDIA_FLAGS: readonly string[] = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** What runs in the page: there are no types of browsers here. */
const PAGE_API = `{
  newConnection: () => new RTCPeerConnection({ certificates: globalThis.certificates }),
  newStream: () => new MediaStream(),
  tracks: async () => {
    const video = { width: 320, height: 240, frameRate: 30 };
    return (await navigator.mediaDevices.getUserMedia({ audio: true, video })).getTracks();
  },
  play: (track) => {
    const element = document.createElement(track.kind);
    element.muted = track.kind === 'video';
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
  },
}`;

/** One connection of a page, of which there may be several. */
export class ChromiumPeer implements WebRtcPeer {
  static #count = 0;
  readonly #browser: ChromiumPage;
  readonly #name: string;

  private constructor(browser: ChromiumPage, name: string) {
    this.#browser = browser;
    this.#name = name;
  }

  /** The page must be of `https:` or of the loopback, or else it has no media. */
  static async open(browser: ChromiumPage): Promise<ChromiumPeer> {
    const peer = new ChromiumPeer(browser, `peer${ChromiumPeer.#count++}`);
    await browser.page.evaluate(`globalThis.${peer.#name} = (${createBrowserPeer.toString()})(${PAGE_API})`);
    return peer;
  }

  offer(options: OfferOptions): Promise<string> {
    return this.#call('offer', options);
  }

  answer(sdp: string): Promise<string> {
    return this.#call('answer', sdp);
  }

  accept(answer: string): Promise<void> {
    return this.#call('accept', answer);
  }

  restart(): Promise<string> {
    return this.#call('restart');
  }

  report(): Promise<WebRtcPeerReport> {
    return this.#call('report');
  }

  hangUp(): Promise<void> {
    return this.#call('hangUp');
  }

  close(): Promise<void> {
    return this.hangUp();
  }

  #call<T>(method: keyof WebRtcPeer, argument?: unknown): Promise<T> {
    const text = argument === undefined ? '' : JSON.stringify(argument);
    return this.#browser.page.evaluate<T>(`${this.#name}.${method}(${text})`);
  }
}
