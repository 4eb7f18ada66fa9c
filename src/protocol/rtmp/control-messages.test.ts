import { describe, expect, it } from 'vitest';
import { type ControlMessage, parseControlMessage, writeControlMessage } from './control-messages.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

describe('control messages', () => {
  it.each<[number, string, ControlMessage]>([
    [3, '00000001', { type: 'acknowledgement', sequenceNumber: 1 }],
    [3, 'ffffffff', { type: 'acknowledgement', sequenceNumber: 0xffffffff }],
    [5, '002625a0', { type: 'window-acknowledgement-size', sizeBytes: 2_500_000 }],
    [6, '002625a0 02', { type: 'set-peer-bandwidth', sizeBytes: 2_500_000, limitType: 2 }],
    [4, '0000 00000001', { type: 'stream-begin', messageStreamId: 1 }],
    [4, '0001 00000001', { type: 'stream-eof', messageStreamId: 1 }],
    [4, '0002 00000001', { type: 'stream-dry', messageStreamId: 1 }],
    [4, '0003 00000001 000003e8', { type: 'set-buffer-length', messageStreamId: 1, bufferMs: 1000 }],
    [4, '0004 00000001', { type: 'stream-is-recorded', messageStreamId: 1 }],
    [4, '0006 12345678', { type: 'ping-request', timestamp: 0x12345678 }],
    [4, '0007 12345678', { type: 'ping-response', timestamp: 0x12345678 }],
  ])('type %i %s', (typeId, text, message) => {
    expect(parseControlMessage(typeId, hex(text))).toEqual(message);
    expect(writeControlMessage(message)).toEqual({ typeId, payload: hex(text) });
  });

  it.each<[number, string, ControlMessage]>([
    [1, '00001000', { type: 'set-chunk-size', sizeBytes: 4096 }],
    [2, '00000006', { type: 'abort', chunkStreamId: 6 }],
  ])('type %i is written for the chunk layer of the peer', (typeId, text, message) => {
    expect(writeControlMessage(message)).toEqual({ typeId, payload: hex(text) });
  });

  it("takes Flash Media Server's one-byte event and others for unknown", () => {
    expect(parseControlMessage(4, hex('001a 01'))).toEqual({ type: 'unknown-event', eventType: 0x1a });
    expect(parseControlMessage(4, hex('0020'))).toEqual({ type: 'unknown-event', eventType: 0x20 });
  });

  it('takes a peer bandwidth without limit type for dynamic', () => {
    expect(parseControlMessage(6, hex('00000001'))).toMatchObject({ limitType: 2 });
  });

  it.each([
    [3, '000000'],
    [5, ''],
    [4, '00'],
    [4, '0000 000000'],
    [4, '0003 00000001 0000'],
    [8, '00000000'],
  ])('gives nothing for type %i %s', (typeId, text) => {
    expect(parseControlMessage(typeId, hex(text))).toBeUndefined();
  });
});
