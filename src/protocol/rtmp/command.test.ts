import { describe, expect, it } from 'vitest';
import { AmfEcmaArray, toAmfObject } from '../amf/amf-value.ts';
import { writeAmf0Values } from '../amf/amf0-writer.ts';
import { writeAmf3Values } from '../amf/amf3-writer.ts';
import { bagProperty, numberProperty, parseCommand, textProperty, writeCommand } from './command.ts';

const prefixed = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0, ...bytes);

describe('commands', () => {
  const command = { name: 'play', transactionId: 4, object: null, args: ['s', -2000] };

  it('are written and read', () => {
    expect(parseCommand(20, writeCommand(command))).toEqual(command);
  });

  it.each<[string, Uint8Array]>([
    ['a zero byte and AMF0', prefixed(writeCommand(command))],
    ['AMF0 without the zero byte', writeCommand(command)],
    ['AMF3 throughout', writeAmf3Values(['play', 4, null, 's', -2000])],
  ])('of type 17 are read as %s', (_name, payload) => {
    expect(parseCommand(17, payload)).toEqual(command);
  });

  it('may lack everything behind the name', () => {
    expect(parseCommand(20, writeAmf0Values(['onBWDone']))).toEqual({
      name: 'onBWDone',
      transactionId: 0,
      object: undefined,
      args: [],
    });
  });

  it('keep what is in front of damaged arguments', () => {
    const bytes = writeAmf0Values(['publish', 5, null, 's', 'live']);
    expect(parseCommand(20, bytes.subarray(0, bytes.length - 2))).toEqual({
      name: 'publish',
      transactionId: 5,
      object: null,
      args: ['s'],
    });
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a number for a name', writeAmf0Values([1, 1, null])],
    ['a string for a transaction id', writeAmf0Values(['play', 'x', null])],
    ['garbage', Uint8Array.of(0xff, 0xff)],
  ])('are none with %s', (_name, payload) => {
    expect(parseCommand(20, payload)).toBeUndefined();
    expect(parseCommand(17, payload)).toBeUndefined();
  });
});

describe('properties', () => {
  const bag = new AmfEcmaArray([
    ['text', 'a'],
    ['number', 1],
    ['infinite', Number.POSITIVE_INFINITY],
    ['bag', toAmfObject({ b: 2 })],
  ]);

  it('are given only with the type asked for', () => {
    expect(textProperty(bag, 'text')).toBe('a');
    expect(textProperty(bag, 'number')).toBeUndefined();
    expect(numberProperty(bag, 'number')).toBe(1);
    expect(numberProperty(bag, 'infinite')).toBeUndefined();
    expect(numberProperty(bag, 'text')).toBeUndefined();
    expect(bagProperty(bag, 'bag')?.get('b')).toBe(2);
    expect(bagProperty(bag, 'text')).toBeUndefined();
  });

  it('are absent from what is no object', () => {
    for (const value of [null, undefined, 'x', 1]) {
      expect(textProperty(value, 'length')).toBeUndefined();
      expect(numberProperty(value, 'length')).toBeUndefined();
      expect(bagProperty(value, 'constructor')).toBeUndefined();
    }
  });
});
