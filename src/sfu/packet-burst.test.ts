import { describe, expect, it } from 'vitest';
import { rtpPacketSize, writeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { MAX_BURST_PACKETS, PacketBurst } from './packet-burst.ts';
import type { PacketTaker, ProducerPacket } from './producer-packet.ts';
import { ProducerStream } from './producer-stream.ts';

const VP8 = {
  encodingIdx: 0,
  ssrc: 1000,
  payloadType: 96,
  mimeType: 'video/VP8',
  clockRate: 90_000,
  cname: 'sender',
  useNack: true,
  usePli: true,
  useFir: false,
  useInBandFec: false,
  useDtx: false,
  spatialLayers: 1,
  temporalLayers: 1,
};

/** A packet of VP8, in memory that is written over when it has been read. */
function packetOf(sequenceNumber: number, isKeyFrame: boolean): RtpPacketView {
  const payload = Uint8Array.of(0x90, 0x80, 0x80 | (sequenceNumber >>> 8), sequenceNumber, isKeyFrame ? 0 : 1, 7, 7, 7);
  const fields = { marker: false, payloadType: 96, sequenceNumber, timestamp: 0, ssrc: 1000, payload, paddingBytes: 3 };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  const view = new RtpPacketView();
  view.look(bytes, 0, bytes.length);
  return view;
}

function setUp() {
  const stream = new ProducerStream(VP8, 0);
  const burst = new PacketBurst(stream);
  const taken: string[] = [];
  const taker = (name: string): PacketTaker => ({
    takePacket: ({ view, payload, contentsAt }, { payload: contents, epoch }) => {
      const number = contents.vp8.pictureId;
      const kind = contents.isKeyFrame ? 'key' : 'delta';
      taken.push(`${name} ${view.sequenceNumber} ${number} ${kind} ${payload.join()} ${contentsAt} ${epoch}`);
    },
    streamAdded: () => undefined,
    scoreChanged: () => undefined,
    producerPaused: () => undefined,
    producerResumed: () => undefined,
  });
  const add = (sequenceNumber: number, isKeyFrame: boolean): void => {
    const view = packetOf(sequenceNumber, isKeyFrame);
    stream.payload.read(view);
    burst.add(stream.store.add(view, 0), view.payloadStart);
    view.bytes.fill(0);
  };
  return { stream, burst, taken, takers: [taker('a'), taker('b')], add };
}

describe('PacketBurst', () => {
  it('gives each taker all packets in turn, each with what was read of it, without its padding', () => {
    const { burst, taken, takers, add } = setUp();
    add(300, true);
    add(301, false);
    burst.forward(takers, 0);
    expect(taken).toEqual([
      'a 300 300 key 144,128,129,44,0,7,7,7 12 0',
      'a 301 301 delta 144,128,129,45,1,7,7,7 12 0',
      'b 300 300 key 144,128,129,44,0,7,7,7 12 0',
      'b 301 301 delta 144,128,129,45,1,7,7,7 12 0',
    ]);
    expect(burst.isEmpty).toBe(true);
  });

  it('makes objects for the longest burst only', () => {
    const { stream, burst, takers, add } = setUp();
    const seen = new Set<object>();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < MAX_BURST_PACKETS; i++) {
        seen.add(stream.payload);
        add(round * MAX_BURST_PACKETS + i, i === 0);
      }
      expect(burst.isFull).toBe(true);
      burst.forward(takers, 0);
    }
    expect(seen.size).toBe(MAX_BURST_PACKETS + 1);
  });

  it('leaves out what the store has forgotten', () => {
    const { stream, burst, taken, takers, add } = setUp();
    add(1, true);
    add(2, false);
    stream.store.clear();
    add(3, false);
    burst.forward(takers, 0);
    expect(taken.map((line) => line.split(' ', 2).join(' '))).toEqual(['a 3', 'b 3']);
    add(4, false);
    burst.forward(takers, 0);
    expect(taken).toHaveLength(4);
  });

  it('holds nothing of the store when it has been forwarded', () => {
    const { stream, burst, takers, add } = setUp();
    const seen = new Set<ProducerPacket>();
    const watcher: PacketTaker = { ...takers[0]!, takePacket: (packet) => seen.add(packet) };
    add(1, true);
    stream.store.clear();
    add(2, true);
    add(3, false);
    burst.forward([watcher], 0);
    expect([...seen].map(({ view, payload }) => view.bytes.length + payload.length)).toEqual([0, 0]);
  });

  it('forwards what is not stored where it lies', () => {
    const { stream, burst, taken, takers } = setUp();
    const view = packetOf(9, true);
    stream.payload.read(view);
    burst.forwardNow(view, view.payloadStart, takers, 0);
    expect(taken).toEqual(['a 9 9 key 144,128,128,9,0,7,7,7 12 0', 'b 9 9 key 144,128,128,9,0,7,7,7 12 0']);
  });
});
