import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ChannelRoom, DataChannel } from './data-channel.ts';
import { DATA_CHANNEL_PPID } from './data-channel-message.ts';

const { binary, binaryPartial } = DATA_CHANNEL_PPID;
const ROOM_BYTES = 1_000_000;

function newChannel(room: ChannelRoom, maxMessageBytes = 262_144): DataChannel {
  const init = { id: 0, label: '', protocol: '', priority: 256, isNegotiated: true, ordered: true };
  return new DataChannel(init, maxMessageBytes, room);
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('messages in pieces', () => {
  it('are joined', () => {
    const room = new ChannelRoom(ROOM_BYTES);
    const channel = newChannel(room);
    const expected = Uint8Array.from({ length: 5000 }, (_, i) => i);
    for (let at = 0; at < 4900; at += 70) {
      expect(channel.take(binaryPartial, expected.subarray(at, at + 70))).toBeUndefined();
    }
    expect(channel.take(binary, expected.subarray(4900))).toEqual({ kind: 'binary', bytes: expected });
    expect(channel.take(binary, Uint8Array.of(1))).toEqual({ kind: 'binary', bytes: Uint8Array.of(1) });
    expect(room.free).toBe(ROOM_BYTES);
  });

  it('take as much memory as they are long, however short each piece', () => {
    const room = new ChannelRoom(ROOM_BYTES);
    const channel = newChannel(room);
    const before = usedBytes();
    for (let i = 0; i < 200_000; i++) channel.take(binaryPartial, new Uint8Array(1));
    expect(usedBytes() - before).toBeLessThan(600_000);
    expect(room.free).toBe(ROOM_BYTES - 262_144);
    channel.forget();
    expect(room.free).toBe(ROOM_BYTES);
  });

  it('too long are forgotten at once, and nothing is taken behind them', () => {
    const room = new ChannelRoom(ROOM_BYTES);
    const channel = newChannel(room, 10_000);
    expect(channel.take(binaryPartial, new Uint8Array(10_000))).toBeUndefined();
    expect(channel.take(binaryPartial, new Uint8Array(1))).toBe('too-large');
    expect(room.free).toBe(ROOM_BYTES);
    for (const ppid of [binary, binaryPartial]) expect(channel.take(ppid, new Uint8Array(1))).toBe('too-large');
    expect(room.free).toBe(ROOM_BYTES);
  });

  it('are refused without room', () => {
    const room = new ChannelRoom(15_000);
    const [first, second] = [newChannel(room, 10_000), newChannel(room, 10_000)];
    expect(first.take(binaryPartial, new Uint8Array(10_000))).toBeUndefined();
    expect(second.take(binaryPartial, new Uint8Array(6000))).toBe('too-large');
    expect(room.free).toBe(5000);
  });
});
