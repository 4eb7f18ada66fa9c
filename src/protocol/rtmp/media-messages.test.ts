import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmfDictionary, type AmfValue, toAmfObject } from '../amf/amf-value.ts';
import { parseAmf0 } from '../amf/amf0-reader.ts';
import { writeAmf0Values } from '../amf/amf0-writer.ts';
import { writeAmf3Values } from '../amf/amf3-writer.ts';
import { RTMP_MAX_AGGREGATE_MESSAGES, splitAggregate } from './aggregate-message.ts';
import { toAmf0Data } from './data-message.ts';

const joinBytes = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function tag(typeId: number, time: number, payload: readonly number[]): Uint8Array {
  const size = payload.length;
  return Uint8Array.of(
    typeId,
    size >> 16,
    size >> 8,
    size,
    time >>> 16,
    time >>> 8,
    time,
    time >>> 24,
    0,
    0,
    0,
    ...payload,
    0,
    0,
    0,
    size + 11,
  );
}

const aggregate = (timestamp: number, payload: Uint8Array) =>
  splitAggregate({ typeId: 22, messageStreamId: 1, timestamp, payload });

describe('aggregate message', () => {
  it('gives its parts times counted from its own', () => {
    const parts = aggregate(1000, joinBytes([tag(8, 500, [1]), tag(9, 510, [2, 3]), tag(18, 490, [4])]));
    expect(parts).toEqual([
      { typeId: 8, messageStreamId: 1, timestamp: 1000, payload: Uint8Array.of(1) },
      { typeId: 9, messageStreamId: 1, timestamp: 1010, payload: Uint8Array.of(2, 3) },
      { typeId: 18, messageStreamId: 1, timestamp: 990, payload: Uint8Array.of(4) },
    ]);
  });

  it('wraps with times of 32 bits', () => {
    const parts = aggregate(0xfffffff0, joinBytes([tag(8, 0xfffffff0, []), tag(8, 0x10, [])]));
    expect(parts.map((part) => part.timestamp)).toEqual([0xfffffff0, 0x10]);
  });

  it('counts time from its first part also when that is of a type left out', () => {
    expect(aggregate(100, joinBytes([tag(4, 10, []), tag(8, 30, [])])).map((part) => part.timestamp)).toEqual([120]);
  });

  it('may lack the last back pointer', () => {
    const whole = joinBytes([tag(8, 0, [1]), tag(8, 1, [2])]);
    expect(aggregate(0, whole.subarray(0, whole.length - 4))).toHaveLength(2);
  });

  it('stops at a part that is cut short', () => {
    const whole = joinBytes([tag(8, 0, [1]), tag(8, 1, [2, 3])]);
    expect(aggregate(0, whole.subarray(0, whole.length - 5))).toHaveLength(1);
    expect(aggregate(0, new Uint8Array(0))).toEqual([]);
  });

  it('has no more parts than the limit', () => {
    expect(aggregate(0, joinBytes(Array.from({ length: 9000 }, () => tag(8, 0, []))))).toHaveLength(
      RTMP_MAX_AGGREGATE_MESSAGES,
    );
  });

  it('survives any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void aggregate(0, bytes)));
  });
});

describe('data message', () => {
  const values: AmfValue[] = ['onMetaData', toAmfObject({ width: 640 })];

  it.each<[string, number, Uint8Array]>([
    ['AMF0 of type 18', 18, writeAmf0Values(values)],
    ['AMF0 behind a zero byte of type 15', 15, Uint8Array.of(0, ...writeAmf0Values(values))],
    ['AMF0 of type 15', 15, writeAmf0Values(values)],
    ['AMF3 of type 15', 15, writeAmf3Values(values)],
    [
      'AMF3 inside AMF0 of type 15',
      15,
      joinBytes([Uint8Array.of(0), writeAmf0Values(['onMetaData']), Uint8Array.of(0x11), writeAmf3Values([values[1]])]),
    ],
  ])('%s becomes AMF0', (_name, typeId, payload) => {
    expect(parseAmf0(toAmf0Data(typeId, payload)!)).toEqual({ values, error: undefined });
  });

  it('passes type 18 on as it is, readable or not', () => {
    const payload = Uint8Array.of(0xff, 1, 2);
    expect(toAmf0Data(18, payload)).toBe(payload);
  });

  it.each<[string, number, Uint8Array]>([
    ['nothing', 18, new Uint8Array(0)],
    ["FFmpeg's timecode of type 18", 18, Uint8Array.of(0, 1, 2, 3)],
    ["FFmpeg's timecode of type 15", 15, Uint8Array.of(0, 1, 2, 3)],
    ['damaged AMF3', 15, Uint8Array.of(6, 0xff)],
    ['AMF3 without a name', 15, writeAmf3Values([1])],
  ])('%s is none', (_name, typeId, payload) => {
    expect(toAmf0Data(typeId, payload)).toBeUndefined();
  });

  it('does not blow up AMF3 that shares its parts', () => {
    // A dictionary of 200 KB, named 200 times in a few bytes: 40 MB in AMF0.
    const big = new AmfDictionary(Array.from({ length: 400 }, (_, i) => [`${i}`.padStart(512, 'x'), i]));
    const bomb = writeAmf3Values(['onMetaData', Array.from({ length: 200 }, () => big)]);
    expect(bomb.length).toBeLessThan(300_000);
    expect(toAmf0Data(15, bomb)).toBeUndefined();
  });
});
