import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import type { DtlsEvent, DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { type DataChannelEvent, DataChannels } from '../../../src/protocol/sctp/data-channels.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import { fromHexadecimal, toHexadecimal } from '../../../src/wire/hexadecimal.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { certificateOf, makeSession } from './dtls-kit.ts';
import type { PairOptions } from './sctp-pair.ts';

const START_TIMEOUT_MS = 30_000;
const TRANSFER_BYTES = 10_000_000;

let browser: ChromiumPage;

beforeAll(async () => {
  browser = await ChromiumPage.open();
}, START_TIMEOUT_MS);

afterAll(() => browser.close(), START_TIMEOUT_MS);

type Role = 'client' | 'server';

/** Our side of a connection: a port with an agent that answers checks, DTLS behind it, data channels over that. */
class OurPeer {
  readonly channels: DataChannels;
  readonly events: DataChannelEvent[] = [];
  onEvent: ((event: DataChannelEvent) => void) | undefined;
  readonly parameters = makeIceParameters((sizeBytes) => nodeDtlsCrypto.randomBytes(sizeBytes));
  readonly #session: DtlsSession;
  readonly #agent = new IceLiteAgent<IceTuple>({ parameters: this.parameters, crypto: nodeStunCrypto });
  readonly #socket: Socket = createSocket('udp4');
  #remote: IceTuple | undefined;
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(role: Role, options: PairOptions) {
    const association = new SctpAssociation({ crypto: nodeSctpCrypto, ...options });
    this.channels = new DataChannels({ association, role });
    const certificate = certificateOf('ecdsa-p256', 'chromium');
    this.#session = makeSession(role, { certificate, initialRetransmissionMs: 100 });
    this.#socket.on('message', (bytes, { address, port }) => {
      const { port: localPort } = this.#socket.address();
      const local = { protocol: 'udp', localAddress: '127.0.0.1', localPort } as const;
      if (bytes[0]! < 4) this.#check(bytes, { ...local, remoteAddress: address, remotePort: port });
      else this.#handleDtls(this.#session.receive(bytes, performance.now()));
    });
  }

  async start(fingerprint: Uint8Array): Promise<number> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    this.#handleDtls(this.#session.setRemoteFingerprints([{ algorithm: 'sha-256', value: fingerprint }]));
    this.#handleDtls(this.#session.start(performance.now()));
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  /** Does what the channels say. */
  handle(events: readonly DataChannelEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.#handleDtls(this.#session.send(event.bytes));
      else {
        this.events.push(event);
        this.onEvent?.(event);
      }
    }
    this.#arm();
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

  #handleDtls(events: readonly DtlsEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.#waiting.push(event.bytes);
      else if (event.type === 'connected') this.handle(this.channels.start(performance.now()));
      else if (event.type === 'data') this.handle(this.channels.receive(event.bytes, performance.now()));
    }
    this.#flush();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const atMs = Math.min(this.#session.nextTimeoutMs() ?? Infinity, this.channels.nextTimeoutMs() ?? Infinity);
    if (this.#isClosed || atMs === Infinity) return;
    const run = (): void => {
      const nowMs = performance.now();
      this.#handleDtls(this.#session.handleTimeout(nowMs));
      if (this.channels.association.state !== 'new') this.handle(this.channels.handleTimeout(nowMs));
    };
    this.#timer = setTimeout(run, Math.max(0, atMs - performance.now()));
  }

  #check(bytes: Uint8Array, tuple: IceTuple): void {
    for (const event of this.#agent.receive(bytes, tuple, performance.now())) {
      if (event.type === 'send') this.#socket.send(event.bytes, tuple.remotePort, tuple.remoteAddress);
    }
    this.#remote = this.#agent.selectedTuple;
    this.#flush();
  }

  #flush(): void {
    if (this.#remote === undefined || this.#isClosed) return;
    for (const bytes of this.#waiting.splice(0))
      this.#socket.send(bytes, this.#remote.remotePort, this.#remote.remoteAddress);
  }
}

function answerTo(offer: string, peer: OurPeer, port: number, role: Role): string {
  const { usernameFragment, password } = peer.parameters;
  const { value } = certificateOf('ecdsa-p256', 'chromium').fingerprint('sha-256');
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 127.0.0.1',
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${toHexadecimal(value)
      .toUpperCase()
      .replaceAll(/..(?!$)/g, '$&:')}`,
    `a=setup:${role === 'client' ? 'active' : 'passive'}`,
    `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`,
    'a=end-of-candidates',
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
  const value = fromHexadecimal(/a=fingerprint:sha-256 (\S+)/.exec(offer)![1]!.replaceAll(':', ''))!;
  const port = await peer.start(value);
  const answer = answerTo(offer, peer, port, role);
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
