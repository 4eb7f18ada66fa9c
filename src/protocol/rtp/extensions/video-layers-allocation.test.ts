import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_ALLOCATED_SPATIAL_LAYERS,
  MAX_ALLOCATED_STREAMS,
  readVideoLayersAllocation,
} from './video-layers-allocation.ts';

function read(hex: string): ReturnType<typeof readVideoLayersAllocation> {
  return readVideoLayersAllocation(new Uint8Array(Buffer.from(hex, 'hex')), 0, hex.length / 2);
}

describe('readVideoLayersAllocation', () => {
  it('reads what Chromium sends of three spatial layers', () => {
    const allocation = read('07a84d648e01e201a602a203b706b008f40b013f00b315027f01671504ff02cf15')!;
    expect(allocation).toMatchObject({ stream: 0, streamCount: 1 });
    expect(allocation.layers).toEqual([
      { stream: 0, spatialId: 0, targetBitratesKbps: [77, 100, 142], width: 320, height: 180, maxFrameRate: 21 },
      { stream: 0, spatialId: 1, targetBitratesKbps: [226, 294, 418], width: 640, height: 360, maxFrameRate: 21 },
      { stream: 0, spatialId: 2, targetBitratesKbps: [823, 1072, 1524], width: 1280, height: 720, maxFrameRate: 21 },
    ]);
  });

  it('reads it without sizes', () => {
    expect(read('03508e02a203d707f40b')!.layers).toEqual([
      { stream: 0, spatialId: 0, targetBitratesKbps: [270, 418], width: 0, height: 0, maxFrameRate: 0 },
      { stream: 0, spatialId: 1, targetBitratesKbps: [983, 1524], width: 0, height: 0, maxFrameRate: 0 },
    ]);
  });

  it('reads streams with different layers', () => {
    // The second of three; masks 1, 0, 3 and half a byte of padding; one temporal layer each.
    const allocation = read('60103000010203')!;
    expect(allocation).toMatchObject({ stream: 1, streamCount: 3 });
    expect(allocation.layers.map(({ stream, spatialId }) => [stream, spatialId])).toEqual([
      [0, 0],
      [2, 0],
      [2, 1],
    ]);
    expect(allocation.layers.map(({ targetBitratesKbps }) => targetBitratesKbps)).toEqual([[1], [2], [3]]);
  });

  it('knows a sender that sends nothing', () => {
    expect(read('00')).toEqual({ stream: 0, streamCount: 1, layers: [] });
  });

  it('refuses one cut off anywhere in its rates', () => {
    for (let length = 1; length < 8; length++)
      expect(read('03508e02a203d707f40b'.slice(0, length * 2))).toBeUndefined();
    expect(read('')).toBeUndefined();
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const allocation = readVideoLayersAllocation(bytes, 0, bytes.length);
        expect(allocation?.layers.length ?? 0).toBeLessThanOrEqual(
          MAX_ALLOCATED_STREAMS * MAX_ALLOCATED_SPATIAL_LAYERS,
        );
      }),
    );
  });
});
