import { describe, expect, it } from 'vitest';
import { AmfEcmaArray, AmfObject, toAmfObject } from '../amf/amf-value.ts';
import { parseConnectRequest } from './connect-request.ts';
import {
  CAPS_EX,
  MAX_FOURCC_ENTRIES,
  OWN_CAPABILITIES,
  parseEnhancedCapabilities,
  toCapabilityProperties,
} from './enhanced-rtmp.ts';

const connect = (object: AmfObject, ...args: AmfObject[]) =>
  parseConnectRequest({ name: 'connect', transactionId: 1, object, args });

describe('connect', () => {
  it('is read with what clients say of themselves', () => {
    const args = toAmfObject({ srs_id: 'abc' });
    const object = toAmfObject({
      app: 'live',
      flashVer: 'FMLE/3.0',
      swfUrl: 's',
      tcUrl: 'rtmp://h/live',
      pageUrl: 'p',
      objectEncoding: 3,
    });
    expect(connect(object, args)).toEqual({
      transactionId: 1,
      app: 'live',
      flashVer: 'FMLE/3.0',
      swfUrl: 's',
      tcUrl: 'rtmp://h/live',
      pageUrl: 'p',
      objectEncoding: 3,
      capabilities: undefined,
      properties: object,
      args,
    });
  });

  it('may be an ECMA array, with a non-object behind it', () => {
    const object = new AmfEcmaArray([['tcUrl', 'rtmp://h/live']]);
    expect(parseConnectRequest({ name: 'connect', transactionId: 1, object, args: ['x', null] })).toMatchObject({
      tcUrl: 'rtmp://h/live',
      app: '',
      objectEncoding: 0,
      args: undefined,
    });
  });

  it.each([
    ['no tcUrl', toAmfObject({ app: 'live' })],
    ['an empty tcUrl', toAmfObject({ tcUrl: '' })],
    ['a tcUrl that is no string', toAmfObject({ tcUrl: 1 })],
    ['a tcUrl without end', toAmfObject({ tcUrl: 'r'.repeat(5000) })],
  ])('is refused with %s', (_name, object) => {
    expect(connect(object)).toBeTypeOf('string');
  });

  it('is refused without a command object', () => {
    expect(parseConnectRequest({ name: 'connect', transactionId: 1, object: null, args: [] })).toBeTypeOf('string');
  });
});

describe('Enhanced RTMP capabilities', () => {
  it('are written and read', () => {
    expect(parseEnhancedCapabilities(new AmfObject(toCapabilityProperties(OWN_CAPABILITIES)))).toEqual(
      OWN_CAPABILITIES,
    );
  });

  it('are reconnect, multitrack, ModEx and nanosecond offsets for us', () => {
    expect(OWN_CAPABILITIES.capsEx).toBe(15);
    expect(CAPS_EX).toEqual({ reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 });
  });

  it('are read from v1 with only a list, also as an ECMA array', () => {
    expect(parseEnhancedCapabilities(toAmfObject({ fourCcList: ['hvc1', 1, '*'] }))).toMatchObject({
      fourCcList: ['hvc1', '*'],
      capsEx: 0,
    });
    expect(parseEnhancedCapabilities(toAmfObject({ fourCcList: new AmfEcmaArray([['0', 'av01']]) }))).toMatchObject({
      fourCcList: ['av01'],
    });
  });

  it('are none for a plain client', () => {
    expect(parseEnhancedCapabilities(toAmfObject({ app: 'live', fourCcList: null }))).toBeUndefined();
    expect(parseEnhancedCapabilities(null)).toBeUndefined();
  });

  it('tolerate wrong types, and take no endless lists', () => {
    const many = Array.from({ length: 1000 }, (_, i) => String(i));
    const read = parseEnhancedCapabilities(
      toAmfObject({
        fourCcList: many,
        videoFourCcInfoMap: new AmfObject(many.map((name) => [name, 1])),
        audioFourCcInfoMap: 'x',
        capsEx: 'x',
      }),
    );
    expect(read?.fourCcList.length).toBe(MAX_FOURCC_ENTRIES);
    expect(read?.videoFourCcInfoMap.size).toBe(MAX_FOURCC_ENTRIES);
    expect(read?.audioFourCcInfoMap.size).toBe(0);
    expect(read?.capsEx).toBe(0);
  });
});
