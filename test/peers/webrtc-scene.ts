/** What every peer of WebRTC is put through: connect, media both ways, data both ways, the end. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CertificateKind, certificateOf } from '../integration/webrtc/dtls-kit.ts';
import { OurSide, type OurSideOptions } from './webrtc-our-side.ts';
import type { OfferOptions, WebRtcPeer, WebRtcPeerReport } from './webrtc-peer.ts';

/** How long anything of a scene may take, milliseconds: long, as a browser on a busy machine is slow. */
const SCENE_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const SMALL_MESSAGE_BYTES = 900;
/** Bytes sent by a channel and not come back: less than any peer's buffer. */
const DEFAULT_WINDOW_BYTES = 500_000;

/** Every way of ours to be connected. We offer where we are the server of DTLS, and have RSA where we have a full agent. */
export const WEBRTC_SCENES = (['lite', 'full'] as const).flatMap((agent) =>
  (['udp', 'tcp'] as const).flatMap((transport) =>
    (['client', 'server'] as const).map((role) => ({
      agent,
      transport,
      role,
      offerer: role === 'client' ? ('them' as const) : ('us' as const),
      certificateKind: agent === 'lite' ? ('ecdsa-p256' as const) : ('rsa' as const),
    })),
  ),
);

/** Our side and a peer, connected. */
export interface Connected {
  readonly ours: OurSide;
  readonly peer: WebRtcPeer;
}

export type SceneOptions = Omit<OurSideOptions, 'certificate'> &
  OfferOptions & { readonly certificateKind?: CertificateKind };

/** Exchanges descriptions and waits until both sides say they are connected, with both data channels. */
export async function connectPeer(peer: WebRtcPeer, options: SceneOptions): Promise<OurSide> {
  const { certificateKind = 'ecdsa-p256' } = options;
  const ours = await OurSide.open({ ...options, certificate: certificateOf(certificateKind, 'interop') });
  try {
    if (options.offerer === 'them') {
      await peer.accept(ours.answer(await peer.offer(options)));
    } else {
      ours.accept(await peer.answer(ours.offer(options.dataOnly === true)));
    }
    await untilSo({ ours, peer }, () => ours.dtlsStates.includes('connected'));
    await untilSo({ ours, peer }, () => ours.channelEvents.some(({ type }) => type === 'connected'));
    if (options.offerer === 'us') {
      ours.openChannel('ordered', { ordered: true });
      ours.openChannel('unordered', { ordered: false });
    }
    await untilSo({ ours, peer }, () => ours.channels.size === 2);
    await untilSo({ ours, peer }, async () => (await peer.report()).channels === 2);
    return ours;
  } catch (error) {
    await ours.close();
    throw error;
  }
}

/** Waits until so much media of both kinds went to us and came back whole. */
export async function exchangeMedia({ ours, peer }: Connected, video: number, audio: number): Promise<void> {
  const isEnough = (report: WebRtcPeerReport): boolean => report.video >= video && report.audio >= audio;
  await untilSo({ ours, peer }, async () => isEnough(await peer.report()));
}

/** Sends so many messages of one packet by each channel, one at a time, and waits until they have come back. */
export async function exchangeSmallMessages({ ours, peer }: Connected, count: number): Promise<void> {
  for (const [channelId] of ours.channels) {
    for (let number = 0; number < count; number++) {
      const message = new Uint8Array(randomBytes(SMALL_MESSAGE_BYTES));
      let returned: Uint8Array | undefined;
      ours.onChannelMessage = (_, bytes) => {
        returned = bytes;
      };
      ours.session.withDataChannels((channels, nowMs) => channels.send(channelId, 'binary', message, nowMs));
      await untilSo({ ours, peer }, () => returned !== undefined);
      assert.deepEqual(Buffer.from(returned ?? []), Buffer.from(message));
    }
  }
}

/**
 * Sends so many bytes by each channel, which the peer sends back, and compares: messages of 1 to 60,000 bytes, in order
 * on the ordered channel.
 */
export async function exchangeData(
  { ours, peer }: Connected,
  sizeBytes: number,
  windowBytes: number = DEFAULT_WINDOW_BYTES,
): Promise<void> {
  const channels = [...ours.channels].map(
    ([channelId, { ordered }]) => new Exchange({ ours, channelId, isOrdered: ordered, sizeBytes, windowBytes }),
  );
  ours.onChannelMessage = (channelId, bytes) => {
    channels.find((exchange) => exchange.channelId === channelId)!.take(bytes);
  };
  for (const exchange of channels) exchange.send();
  await until(
    () => channels.every(({ isOver }) => isOver),
    async () => `${channels.map((exchange) => exchange.toString()).join(', ')} ${await describe(ours, peer)}`,
  );
  for (const exchange of channels) exchange.check();
}

/** Closes a connection from one side, and waits until the data channels of the other are closed. */
export async function endConnection({ ours, peer }: Connected, by: 'us' | 'them'): Promise<void> {
  if (by === 'them') {
    await peer.hangUp();
    await untilSo({ ours, peer }, () => ours.channels.size === 0);
  } else {
    await ours.close();
    await untilSo({ ours, peer }, async () => (await peer.report()).channels === 0);
  }
}

/** Restarts ICE by an offer of the peer, and waits until our side follows and data flows. */
export async function restartIce({ ours, peer }: Connected): Promise<void> {
  await peer.accept(ours.answerRestart(await peer.restart()));
  await untilSo({ ours, peer }, () => (ours.checks.get(ours.usernameFragment) ?? 0) > 1);
  await exchangeData({ ours, peer }, 200_000);
}

interface ExchangeOptions {
  readonly ours: OurSide;
  readonly channelId: number;
  readonly isOrdered: boolean;
  readonly sizeBytes: number;
  readonly windowBytes: number;
}

/** One channel's messages on their way there and back. */
class Exchange {
  readonly channelId: number;
  readonly #options: ExchangeOptions;
  readonly #sent: string[] = [];
  readonly #returned: string[] = [];
  #sentBytes = 0;
  #returnedBytes = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.channelId = options.channelId;
  }

  get isOver(): boolean {
    return this.#sentBytes >= this.#options.sizeBytes && this.#returnedBytes >= this.#sentBytes;
  }

  send(): void {
    const { ours, sizeBytes, windowBytes } = this.#options;
    while (this.#sentBytes < sizeBytes && this.#sentBytes - this.#returnedBytes < windowBytes) {
      const number = this.#sent.length;
      const message = new Uint8Array(randomBytes(number % 7 === 0 ? 1 + number : 16_000 + ((number * 1009) % 44_000)));
      this.#sent.push(digest(message));
      this.#sentBytes += message.length;
      ours.session.withDataChannels((channels, nowMs) => channels.send(this.channelId, 'binary', message, nowMs));
    }
  }

  take(message: Uint8Array): void {
    this.#returned.push(digest(message));
    this.#returnedBytes += message.length;
    this.send();
  }

  check(): void {
    const [sent, returned] = this.#options.isOrdered
      ? [this.#sent, this.#returned]
      : [this.#sent.toSorted(), this.#returned.toSorted()];
    assert.deepEqual(returned, sent);
  }

  toString(): string {
    return `channel ${this.channelId}: ${this.#returnedBytes} of ${this.#sentBytes} came back`;
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** Waits until it is so. @throws AssertionError with what `why` says after `SCENE_TIMEOUT_MS` */
export async function until(isSo: () => boolean | Promise<boolean>, why: () => unknown): Promise<void> {
  const deadlineMs = performance.now() + SCENE_TIMEOUT_MS;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) assert.fail(String(await why()));
    await sleep(POLL_MS);
  }
}

/** As `until`, and gives up as soon as the connection is lost. */
async function untilSo({ ours, peer }: Connected, isSo: () => boolean | Promise<boolean>): Promise<void> {
  await until(
    async () => {
      if (await isSo()) return true;
      if (ours.iceStates.at(-1) === 'disconnected') assert.fail(`lost: ${await describe(ours, peer)}`);
      return false;
    },
    () => describe(ours, peer),
  );
}

async function describe(ours: OurSide, peer: WebRtcPeer): Promise<string> {
  const { dropped, secure } = ours.session;
  const { iceStates, dtlsStates, rtpPackets, rtcpPackets } = ours;
  const channelEvents = ours.channelEvents.map(({ type }) => type).filter((type) => !type.endsWith('low'));
  const { statistics: sctp, bufferedBytes } = secure.dataChannels?.association ?? {};
  const said = {
    path: ours.selected,
    checks: [...ours.checks],
    sctp,
    bufferedBytes,
    iceStates,
    dtlsStates,
    rtpPackets,
    rtcpPackets,
    channelEvents,
    dropped,
    dtls: secure.state,
  };
  return JSON.stringify({ peer: await peer.report(), ours: said });
}
