import { describe, expect, it } from 'vitest';
import { AmfDate, AmfEcmaArray, AmfObject, AmfTypedObject, type AmfValue, isAmfPropertyBag } from './amf-value.ts';

describe('property bags', () => {
  it('are objects, ECMA arrays and typed objects, and nothing else', () => {
    for (const bag of [new AmfObject(), new AmfEcmaArray(), new AmfTypedObject('C')]) {
      expect(isAmfPropertyBag(bag)).toBe(true);
    }
    for (const value of [null, undefined, 1, 'a', [], new AmfDate(0), new Uint8Array(1)] as AmfValue[]) {
      expect(isAmfPropertyBag(value)).toBe(false);
    }
  });
});
