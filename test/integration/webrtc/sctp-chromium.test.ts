import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import type { DtlsEvent } from '../../../src/protocol/dtls/dtls-session.ts';
import { type DataChannelEvent, DataChannels } from '../../../src/protocol/sctp/data-channels.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { certificateOf, makeSession } from './dtls-kit.ts';
import { fingerprintOf, IceDtlsPort, SDP_HEAD } from './ice-dtls-port.ts';
import type { PairOptions } from './sctp-pair.ts';

const START_TIMEOUT_MS = 30_000;
const TRANSFER_BYTES = 10_000_000;

let browser: ChromiumPage;

beforeAll(async () => {
  browser = await ChromiumPage.open();
}, START_TIMEOUT_MS);

afterAll(() => browser.close(), START_TIMEOUT_MS);

type Role = 'client' | 'server';

const certificate = certificateOf('ecdsa-p256', 'chromium');

/** Our side of a connection: data channels over DTLS. */
class OurPeer {
  readonly channels: DataChannels;
  readonly events: DataChannelEvent[] = [];
  onEvent: ((event: DataChannelEvent) => void) | undefined;
  readonly port: IceDtlsPort;
  #timer: NodeJS.Timeout | undefined;

  constructor(role: Role, options: PairOptions) {
    const association = new SctpAssociation({ crypto: nodeSctpCrypto, ...options });
    this.channels = new DataChannels({ association, role });
    const session = makeSession(role, { certificate, initialRetransmissionMs: 100 });
    this.port = new IceDtlsPort(session, { onEvent: (event) => this.#handleDtls(event) });
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.port.close();
  }

  /** Does what the channels say. */
  handle(events: readonly DataChannelEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.port.handle(this.port.session.send(event.bytes));
      else {
        this.events.push(event);
        this.onEvent?.(event);
      }
    }
    clearTimeout(this.#timer);
    const atMs = this.channels.nextTimeoutMs();
    if (atMs === undefined) return;
    const run = (): void => this.handle(this.channels.handleTimeout(performance.now()));
    this.#timer = setTimeout(run, Math.max(0, atMs - performance.now()));
  }

  send(channelId: number, content: string | Uint8Array): void {
    const isText = typeof content === 'string';
    const bytes = isText ? new TextEncoder().encode(content) : content;
    this.handle(this.channels.send(channelId, isText ? 'string' : 'binary', bytes, performance.now()));
  }

  /** `channel:text` or `channel:[bytes]` of each message. */
  get received(): readonly string[] {
    return this.events.flatMap((event) => {
      if (event.type !== 'channel-message') return [];
      const text = event.kind === 'string' ? new TextDecoder().decode(event.bytes) : `[${event.bytes.join()}]`;
      return [`${event.channelId}:${text}`];
    });
  }

  #handleDtls(event: DtlsEvent): void {
    if (event.type === 'connected') this.handle(this.channels.start(performance.now()));
    else if (event.type === 'data') this.handle(this.channels.receive(event.bytes, performance.now()));
    else clearTimeout(this.#timer);
  }
}

function answerTo(offer: string, { port }: OurPeer, role: Role): string {
  const lines = [
    ...SDP_HEAD,
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    ...port.describe(role === 'client' ? 'active' : 'passive', certificate.fingerprint('sha-256')),
    `a=mid:${/^a=mid:(.+)\r$/m.exec(offer)![1]!}`,
    'a=sctp-port:5000',
    'a=max-message-size:262144',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Connects the page, which has made the channels that `setup` says; the page keeps them in `channels`. */
async function connect(role: Role, setup: string, options: PairOptions = {}): Promise<OurPeer> {
  const offer = await browser.page.evaluate<string>(`(async () => {
    globalThis.connection = new RTCPeerConnection();
    globalThis.channels = [];
    globalThis.received = [];
    globalThis.keep = (channel) => {
      channel.binaryType = 'arraybuffer';
      channel.onmessage = ({ data }) =>
        received.push(channel.label + ':' + (typeof data === 'string' ? data : '[' + new Uint8Array(data) + ']'));
      channel.onclose = () => received.push(channel.label + ' closed');
      channels.push(channel);
    };
    connection.ondatachannel = ({ channel }) => keep(channel);
    ${setup}
    await connection.setLocalDescription();
    return connection.localDescription.sdp;
  })()`);
  const peer = new OurPeer(role, options);
  await peer.port.start(fingerprintOf(offer));
  const answer = answerTo(offer, peer, role);
  await browser.page.evaluate(`connection.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`);
  return peer;
}

async function end(peer: OurPeer): Promise<void> {
  await browser.page.evaluate('connection.close()');
  await peer.close();
}

const roles = ['client', 'server'] as const;

describe('Chromium', () => {
  it.each(roles)('opens channels of every kind and talks over them with our %s', async (role) => {
    const peer = await connect(
      role,
      `keep(connection.createDataChannel('chat', { protocol: 'text', priority: 'high' }));
       keep(connection.createDataChannel('few', { ordered: false, maxRetransmits: 2 }));
       keep(connection.createDataChannel('short', { maxPacketLifeTime: 300 }));
       channels[0].onopen = () => { channels[0].send('hello €'); channels[0].send(Uint8Array.of(1, 2));
         channels[0].send(''); channels[0].send(new ArrayBuffer(0)); };`,
    );
    const first = role === 'client' ? 1 : 0;
    await expect.poll(() => peer.received.length).toBe(4);
    expect(peer.received).toEqual([`${first}:hello €`, `${first}:[1,2]`, `${first}:`, `${first}:[]`]);
    const opened = peer.events.flatMap((event) => (event.type === 'channel-open' ? [event.channel] : []));
    expect(opened).toMatchObject([
      { id: first, label: 'chat', protocol: 'text', ordered: true },
      { id: first + 2, label: 'few', ordered: false, maxRetransmits: 2 },
      { id: first + 4, label: 'short', ordered: true, maxLifetimeMs: 300 },
    ]);
    for (const content of ['back', Uint8Array.of(3), '', new Uint8Array(0)]) peer.send(first, content);
    for (const { id } of opened.slice(1)) peer.send(id, 'too');
    const expected = ['chat:back', 'chat:[3]', 'chat:', 'chat:[]', 'few:too', 'short:too'].sort();
    await expect.poll(() => browser.page.evaluate('received.toSorted()')).toEqual(expected);
    await end(peer);
  });

  it.each(roles)('takes channels that our %s opens, and either side closes', async (role) => {
    const peer = await connect(role, "connection.createDataChannel('unused');");
    const open = (label: string): number => {
      const { channelId, events } = peer.channels.open({ label, ordered: false, maxRetransmits: 1 }, performance.now());
      peer.handle(events);
      return channelId;
    };
    const first = open('first');
    const second = open('second');
    for (const id of [first, second]) await expect.poll(() => peer.channels.stateOf(id)).toBe('open');
    await expect.poll(() => browser.page.evaluate('channels.map(({ label }) => label)')).toEqual(['first', 'second']);
    peer.handle(peer.channels.close(first, performance.now()));
    await expect.poll(() => peer.channels.stateOf(first)).toBe('closed');
    await expect.poll(() => browser.page.evaluate('received')).toEqual(['first closed']);
    await browser.page.evaluate('channels[1].close()');
    await expect.poll(() => peer.channels.stateOf(second)).toBe('closed');
    // Their streams serve again.
    expect(open('third')).toBe(first);
    await expect.poll(() => peer.channels.stateOf(first)).toBe('open');
    peer.send(first, 'again');
    await expect.poll(() => browser.page.evaluate('received.at(-1)')).toBe('third:again');
    await end(peer);
  });

  it.each([
    ['client', {}],
    ['server', { interleaving: false, zeroChecksum: false }],
  ] as const)(
    'sends 10 MB to our %s and takes as much back',
    async (role, options) => {
      const peer = await connect(
        role,
        `globalThis.bytes = 0;
       const channel = connection.createDataChannel('bulk');
       channel.binaryType = 'arraybuffer';
       channel.bufferedAmountLowThreshold = 500_000;
       channel.onmessage = ({ data }) => {
         const view = new Uint8Array(data);
         if (view.every((byte) => byte === (bytes / 50_000) % 251)) bytes += view.length;
       };
       let sent = 0;
       const more = () => {
         while (sent < ${TRANSFER_BYTES} && channel.bufferedAmount < 1_000_000) {
           channel.send(new Uint8Array(200_000).fill((sent / 200_000) % 251));
           sent += 200_000;
         }
       };
       channel.onopen = channel.onbufferedamountlow = more;`,
        options,
      );
      let bytes = 0;
      peer.onEvent = (event) => {
        if (event.type !== 'channel-message') return;
        if (event.bytes.every((byte) => byte === bytes / 200_000)) bytes += event.bytes.length;
      };
      await expect.poll(() => bytes, { timeout: 15_000 }).toBe(TRANSFER_BYTES);
      const channelId = role === 'client' ? 1 : 0;
      let sent = 0;
      const more = (): void => {
        while (sent < TRANSFER_BYTES && peer.channels.checkSend(channelId, 50_000) === undefined) {
          peer.send(channelId, new Uint8Array(50_000).fill((sent / 50_000) % 251));
          sent += 50_000;
        }
      };
      peer.onEvent = (event) => {
        if (event.type === 'channel-buffered-amount-low') more();
      };
      more();
      await expect.poll(() => browser.page.evaluate('bytes'), { timeout: 15_000 }).toBe(TRANSFER_BYTES);
      await end(peer);
    },
    40_000,
  );
});
