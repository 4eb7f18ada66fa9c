import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import { MAX_FRAMED_BYTES, TcpFrameReader, writeTcpFrame } from './tcp-framing.ts';

describe('RFC 4571 framing', () => {
  it('gives back the packets that were written, wherever the stream is cut', () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (written, sizes) => {
        const stream = joinBytes([new Uint8Array(), ...written.map(writeTcpFrame)]);
        const reader = new TcpFrameReader();
        const read: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          for (const frame of reader.read(stream.subarray(at, at + size))) read.push(frame.slice());
          at += size;
        }
        expect(read).toEqual(written);
        expect(reader.error).toBeUndefined();
      }),
    );
  });

  it('leaves out empty packets', () => {
    expect(new TcpFrameReader().read(Uint8Array.of(0, 0, 0, 1, 7, 0, 0, 0, 1, 8))).toEqual([
      Uint8Array.of(7),
      Uint8Array.of(8),
    ]);
  });

  it('ends at a packet longer than allowed, which may become more', () => {
    const reader = new TcpFrameReader(4);
    expect(reader.read(Uint8Array.of(0, 4, 1, 2, 3, 4, 0, 5, 1))).toEqual([Uint8Array.of(1, 2, 3, 4)]);
    expect(reader.error).toMatchObject({ code: 'ice/frame-too-large' });
    expect(reader.read(Uint8Array.of(0, 1, 1))).toEqual([]);
    const raised = new TcpFrameReader(4);
    raised.maxFrameBytes = 5;
    expect(raised.read(Uint8Array.of(0, 5, 1, 2, 3, 4, 5))).toHaveLength(1);
  });

  it('carries the longest packet and no longer one', () => {
    const longest = new Uint8Array(MAX_FRAMED_BYTES).fill(5);
    expect(new TcpFrameReader().read(writeTcpFrame(longest))).toEqual([longest]);
    expect(() => writeTcpFrame(new Uint8Array(MAX_FRAMED_BYTES + 1))).toThrow(
      expect.objectContaining({ code: 'ice/frame-too-large' }),
    );
  });
});
