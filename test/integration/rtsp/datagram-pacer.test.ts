import { describe, expect, it } from 'vitest';
import { DatagramPacer, PIECE_BYTES } from '../../../src/server/rtsp/datagram-pacer.ts';
import { FakeClock } from '../../media-test-kit.ts';

/** `$` frames with packets of these sizes, by channel. */
function framesOf(packets: readonly (readonly [channel: number, sizeBytes: number])[]): Uint8Array {
  return Buffer.concat(
    packets.map(([channel, sizeBytes]) =>
      Buffer.concat([Uint8Array.of(0x24, channel, sizeBytes >> 8, sizeBytes & 0xff), new Uint8Array(sizeBytes)]),
    ),
  );
}

describe('DatagramPacer', () => {
  const cut = (packets: readonly (readonly [number, number])[]): number[][] => {
    const frames = framesOf(packets);
    const pieces = new DatagramPacer(new FakeClock()).piecesOf(frames);
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(frames);
    return pieces.map(({ bytes, batches }) => [...batches.of(bytes, 0).sizes]);
  };

  it('gives everybody who has the same buffer the same pieces', () => {
    const pacer = new DatagramPacer(new FakeClock());
    const frames = framesOf([[0, 100]]);
    expect(pacer.piecesOf(frames)).toBe(pacer.piecesOf(frames));
  });

  it('cuts behind a whole frame, not inside one', () => {
    const frame = [1400, 1400, 1400, 1400, 700].map((size) => [0, size] as const);
    const frameBytes = frame.reduce((sum, [, size]) => sum + 4 + size, 0);
    const perPiece = Math.ceil(PIECE_BYTES / frameBytes);
    expect(perPiece * frameBytes).toBeGreaterThan(PIECE_BYTES);
    const pieces = cut(Array.from({ length: perPiece + 1 }, () => frame).flat());
    expect(pieces.map((sizes) => sizes.length)).toEqual([5 * perPiece, 5]);
  });

  it('cuts before a packet of another track', () => {
    const count = Math.ceil(PIECE_BYTES / 1404);
    const video = Array.from({ length: count }, () => [0, 1400] as const);
    expect(cut([...video, [2, 300], [0, 1400]]).map((sizes) => sizes.length)).toEqual([count, 1]);
  });

  it('cuts inside a frame that is longer than two pieces', () => {
    const pieces = cut(Array.from({ length: 150 }, () => [0, 1400] as const));
    const longest = Math.max(...pieces.map((sizes) => sizes.length * 1404));
    expect(longest).toBeLessThanOrEqual(2 * PIECE_BYTES + 1404);
    expect(pieces.length).toBeGreaterThan(3);
  });
});
