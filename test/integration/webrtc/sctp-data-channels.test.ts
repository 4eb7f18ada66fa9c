import { describe, expect, it } from 'vitest';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import {
  type DataChannelEvent,
  DataChannels,
  type DataChannelsOptions,
  MAX_PEER_TEXT_CHARACTERS,
  type OpenChannelOptions,
} from '../../../src/protocol/sctp/data-channels.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import { type LinkOptions, MachinePeer, SimulatedNetwork } from '../../peers/netem.ts';
import type { PairOptions } from './sctp-pair.ts';

class End {
  readonly channels: DataChannels;
  readonly peer: MachinePeer<DataChannelEvent>;
  readonly network: SimulatedNetwork;

  constructor(
    network: SimulatedNetwork,
    role: 'client' | 'server',
    association: PairOptions,
    options: Partial<DataChannelsOptions>,
  ) {
    this.network = network;
    this.channels = new DataChannels({
      association: new SctpAssociation({ crypto: nodeSctpCrypto, ...association }),
      role,
      ...options,
    });
    this.peer = new MachinePeer<DataChannelEvent>(this.channels);
  }

  open(options: OpenChannelOptions = {}): number {
    const { channelId, events } = this.channels.open(options, this.network.nowMs);
    this.peer.handle(events);
    return channelId;
  }

  send(channelId: number, content: string | Uint8Array): void {
    const isText = typeof content === 'string';
    const bytes = isText ? new TextEncoder().encode(content) : content;
    this.peer.handle(this.channels.send(channelId, isText ? 'string' : 'binary', bytes, this.network.nowMs));
  }

  /** Past the channels. */
  sendRaw(streamId: number, ppid: number, bytes: Uint8Array): void {
    const { association } = this.channels;
    for (const event of association.sendMessage(streamId, ppid, bytes, {}, this.network.nowMs)) {
      if (event.type === 'send') this.peer.handle([event]);
    }
  }

  close(channelId: number): void {
    this.peer.handle(this.channels.close(channelId, this.network.nowMs));
  }

  events<Type extends DataChannelEvent['type']>(
    type: Type,
  ): readonly Extract<DataChannelEvent, { readonly type: Type }>[] {
    return this.peer.events.filter(
      (event): event is Extract<DataChannelEvent, { readonly type: Type }> => event.type === type,
    );
  }

  /** `channel:text` or `channel:[bytes]` of each message. */
  get received(): readonly string[] {
    return this.events('channel-message').map(({ channelId, kind, bytes }) =>
      kind === 'string' ? `${channelId}:${new TextDecoder().decode(bytes)}` : `${channelId}:[${bytes.join()}]`,
    );
  }
}

function pairOf(
  link: Partial<LinkOptions> = {},
  association: PairOptions = {},
  options: Partial<DataChannelsOptions> = {},
): { readonly network: SimulatedNetwork; readonly a: End; readonly b: End } {
  const network = new SimulatedNetwork();
  const a = new End(network, 'client', association, options);
  const b = new End(network, 'server', association, options);
  network.connect(a.peer, b.peer, { seed: 1, delayMs: 10, ...link });
  for (const end of [a, b]) end.peer.handle(end.channels.start(0));
  return { network, a, b };
}

describe('data channels', () => {
  it.each<[string, OpenChannelOptions]>([
    ['reliable', { label: 'chat', protocol: 'text' }],
    ['unordered', { ordered: false }],
    ['with few retransmissions', { maxRetransmits: 3, priority: 1024 }],
    ['with a lifetime, unordered', { ordered: false, maxLifetimeMs: 500, label: 'ü €' }],
  ])('are opened %s', (_, options) => {
    const { network, a, b } = pairOf();
    const id = a.open(options);
    a.send(id, 'first');
    network.runFor(1000);
    const channel = { label: '', protocol: '', ordered: true, priority: 256, isNegotiated: false, id: 0, ...options };
    expect(b.events('channel-open')).toEqual([{ type: 'channel-open', channel, isRemote: true }]);
    expect(a.events('channel-open')).toEqual([{ type: 'channel-open', channel, isRemote: false }]);
    b.send(id, Uint8Array.of(1, 2));
    a.send(id, '');
    a.send(id, new Uint8Array(0));
    network.runFor(1000);
    expect([...b.received].sort()).toEqual(['0:', '0:[]', '0:first']);
    expect(a.received).toEqual(['0:[1,2]']);
  });

  it('opened by both at once have even and odd ids', () => {
    const { network, a, b } = pairOf({ lossRate: 0.2 });
    expect([a.open(), a.open(), b.open(), b.open()]).toEqual([0, 2, 1, 3]);
    network.runFor(20_000);
    for (const end of [a, b]) {
      expect(end.events('channel-open')).toHaveLength(4);
      expect([0, 1, 2, 3].map((id) => end.channels.stateOf(id))).toEqual(['open', 'open', 'open', 'open']);
    }
  });

  it('agreed on elsewhere are open when the association is', () => {
    const { network, a, b } = pairOf();
    for (const end of [a, b]) end.open({ negotiatedId: 7, label: 'known' });
    network.runFor(1000);
    for (const end of [a, b]) expect(end.events('channel-open')).toHaveLength(1);
    expect(a.events('channel-open')).toMatchObject([{ channel: { id: 7, isNegotiated: true }, isRemote: false }]);
    a.send(7, 'hello');
    network.runFor(100);
    expect(b.received).toEqual(['7:hello']);
  });

  it.each([
    [0, 1],
    [0.2, 1],
    [0.2, 2],
    [0.2, 3],
    [0.3, 4],
  ])('are closed after what was sent, and their ids used again (loss %d, seed %d)', (lossRate, seed) => {
    const { network, a, b } = pairOf({ lossRate, seed });
    for (let round = 0; round < 20; round++) {
      expect(a.open({ label: `${round}` })).toBe(0);
      a.send(0, new Uint8Array(5000).fill(round));
      a.close(0);
      expect(a.channels.stateOf(0)).toBe('closing');
      expect(() => a.send(0, 'late')).toThrow(expect.objectContaining({ code: 'sctp/no-such-channel' }));
      expect(network.runUntil(() => a.channels.stateOf(0) === 'closed', 120_000)).toBe(true);
    }
    network.runFor(20_000);
    expect(b.received.map((text) => text.slice(3).split(',')[0])).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    expect(b.events('channel-open').map(({ channel }) => channel.label)).toEqual(
      Array.from({ length: 20 }, (_, i) => `${i}`),
    );
    expect(b.events('channel-closed')).toHaveLength(20);
    expect(b.channels.stateOf(0)).toBe('closed');
  });

  it('closed by both at once are closed once', () => {
    const { network, a, b } = pairOf();
    a.open();
    network.runFor(500);
    a.close(0);
    b.close(0);
    network.runFor(5000);
    for (const end of [a, b]) expect(end.events('channel-closed')).toEqual([{ type: 'channel-closed', channelId: 0 }]);
  });

  it('that are opened twice are closed', () => {
    const { network, a, b } = pairOf();
    b.open({ negotiatedId: 0 });
    a.open();
    network.runFor(5000);
    for (const end of [a, b]) expect(end.channels.stateOf(0)).toBe('closed');
  });

  it('are closed when the association ends, before it tells so', () => {
    const { network, a, b } = pairOf();
    a.open();
    b.open();
    network.runFor(500);
    a.peer.handle(a.channels.abort());
    network.runFor(500);
    expect(b.peer.events.slice(-3).map(({ type }) => type)).toEqual(['channel-closed', 'channel-closed', 'failed']);
  });

  it('are no more than allowed', () => {
    const { network, a, b } = pairOf({}, {}, { maxChannels: 3 });
    const limited = pairOf({}, {}, { maxChannels: 3 });
    for (let i = 0; i < 3; i++) limited.a.open();
    expect(() => limited.a.open()).toThrow(expect.objectContaining({ code: 'sctp/no-free-channel' }));
    // The peer counts its own as well.
    b.open();
    for (let i = 0; i < 3; i++) a.open();
    network.runFor(5000);
    expect([0, 2, 4].filter((id) => b.channels.stateOf(id) === 'open')).toHaveLength(2);
    expect([0, 2, 4].filter((id) => a.channels.stateOf(id) === 'open')).toHaveLength(2);
  });

  it('join messages in pieces of older implementations, up to the largest', () => {
    const { network, a, b } = pairOf({}, {}, { maxReceiveMessageBytes: 10 });
    b.open({ negotiatedId: 4 });
    network.runFor(100);
    const piece = (ppid: number, text: string): void => {
      const bytes = new TextEncoder().encode(text);
      a.sendRaw(4, ppid, bytes);
    };
    piece(54, 'one ');
    piece(54, 'two ');
    piece(51, '3');
    piece(52, 'ab');
    piece(53, 'c');
    piece(99, 'unknown');
    network.runFor(500);
    expect(b.received).toEqual(['4:one two 3', '4:[97,98,99]']);
    expect(b.channels.dropped).toEqual({ strays: 0, unknown: 1 });
    for (let i = 0; i < 3; i++) piece(54, 'more ');
    network.runFor(5000);
    expect(b.channels.stateOf(4)).not.toBe('open');
  });

  it('keep so much of unfinished messages, of all channels together, and give it back', () => {
    const { network, a, b } = pairOf({}, {}, { maxReceiveMessageBytes: 100 });
    for (const id of [2, 4, 6, 8, 10]) b.open({ negotiatedId: id });
    network.runFor(100);
    const piece = (id: number): void => a.sendRaw(id, 54, new Uint8Array(90));
    for (const id of [2, 4, 6, 8, 10]) piece(id);
    network.runFor(5000);
    const open = (): readonly number[] => [2, 4, 6, 8, 10].filter((id) => b.channels.stateOf(id) === 'open');
    expect(open()).toEqual([2, 4, 6, 8]);
    // Finished, it makes room for another.
    a.sendRaw(2, 51, new Uint8Array(10).fill(0x61));
    piece(2);
    network.runFor(5000);
    expect(open()).toEqual([2, 4, 6, 8]);
    b.close(4);
    network.runFor(5000);
    piece(2);
    b.open({ negotiatedId: 12 });
    piece(12);
    network.runFor(5000);
    expect(b.channels.stateOf(12)).toBe('open');
  });

  it('have texts of so many characters together', () => {
    const { network, a, b } = pairOf();
    const label = 'x'.repeat(65_000);
    for (let i = 0; i < 12; i++) a.open({ label });
    network.runFor(20_000);
    const ids = Array.from({ length: 12 }, (_, i) => 2 * i);
    const open = ids.filter((id) => b.channels.stateOf(id) === 'open');
    expect(open).toHaveLength(Math.floor(MAX_PEER_TEXT_CHARACTERS / 65_000));
    a.close(open[0]!);
    network.runFor(5000);
    const next = a.open({ label });
    network.runFor(5000);
    expect(b.channels.stateOf(next)).toBe('open');
  });

  it('do not take data that belongs to none, nor openings that are malformed', () => {
    const { network, a, b } = pairOf();
    network.runFor(100);
    const raw = (ppid: number, ...bytes: number[]): void => a.sendRaw(6, ppid, Uint8Array.from(bytes));
    raw(51, 65);
    raw(50, 2);
    raw(50, 3, 0, 0);
    raw(50, 3, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    raw(50, 77);
    network.runFor(1000);
    expect(b.channels.dropped).toEqual({ strays: 2, unknown: 3 });
    expect(b.events('channel-open')).toEqual([]);
    expect(b.channels.association.state).toBe('established');
  });

  it('tell when what waits has gone', () => {
    const { network, a } = pairOf({ bandwidthBps: 5_000_000 });
    a.open();
    network.runFor(500);
    a.send(0, new Uint8Array(200_000));
    expect(a.channels.bufferedBytesOf(0)).toBeGreaterThan(100_000);
    network.runFor(5000);
    expect(a.channels.bufferedBytesOf(0)).toBe(0);
    expect(a.events('channel-buffered-amount-low').at(-1)).toEqual({
      type: 'channel-buffered-amount-low',
      channelId: 0,
    });
  });

  it('refuse parameters that contradict each other', () => {
    const { a } = pairOf();
    expect(() => a.open({ maxRetransmits: 1, maxLifetimeMs: 1 })).toThrow('limits');
    expect(() => a.open({ label: 'x'.repeat(65_536) })).toThrow('65,535');
    a.open({ negotiatedId: 3 });
    expect(() => a.open({ negotiatedId: 3 })).toThrow('in use');
    expect(() => a.open({ negotiatedId: 65_535 })).toThrow('does not exist');
  });
});
