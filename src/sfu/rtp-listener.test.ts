import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamNameBytes } from '../protocol/rtp/extensions/stream-name.ts';
import { writeExtensionElements } from '../protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { StateError } from '../wire/errors.ts';
import { type ListenedParameters, MAX_LEARNED_SSRCS, RtpListener, type StreamNameIds } from './rtp-listener.ts';

const IDS: StreamNameIds = { mid: 1, rid: 2, rrid: 3 };

interface Producer {
  readonly id: string;
}

function packetOf(ssrc: number, names: { mid?: string; rid?: string; rrid?: string } = {}): RtpPacketView {
  const elements = Object.entries(names).map(([name, value]) => ({
    id: IDS[name as keyof StreamNameIds]!,
    data: streamNameBytes(value)!,
  }));
  const fields = {
    payloadType: 100,
    marker: false,
    sequenceNumber: 1,
    timestamp: 1,
    ssrc,
    payload: new Uint8Array(10),
    ...(elements.length === 0 ? {} : writeExtensionElements(elements)),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  const view = new RtpPacketView();
  expect(view.look(bytes)).toBe(true);
  return view;
}

function codeOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof StateError ? error.code : String(error);
  }
  return undefined;
}

const [A, B]: Producer[] = [{ id: 'a' }, { id: 'b' }] as const;
const SIMULCAST: ListenedParameters = { mid: '0', encodings: [{ rid: 'r0' }, { rid: 'r1' }] };

describe('RtpListener', () => {
  it('finds by SSRC, that of RTX too', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, { encodings: [{ ssrc: 1, rtx: { ssrc: 2 } }] });
    listener.add(B!, { encodings: [{ ssrc: 3 }] });
    expect([1, 2, 3, 4].map((ssrc) => listener.find(packetOf(ssrc), IDS)?.id)).toEqual(['a', 'a', 'b', undefined]);
    expect(listener.findBySsrc(2)).toBe(A);
  });

  it.each([
    ['MID', { mid: '0' }],
    ['RID', { rid: 'r1' }],
    ['RID of what is repaired', { rrid: 'r0' }],
    ['MID and RID', { mid: '0', rid: 'r0' }],
  ])('finds by %s and remembers the SSRC', (_, names) => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    expect(listener.find(packetOf(77), IDS)).toBeUndefined();
    expect(listener.find(packetOf(77, names), IDS)).toBe(A);
    expect(listener.find(packetOf(77), IDS)).toBe(A);
    expect(listener.dump()).toEqual({
      ssrcTable: [{ key: 77, value: 'a' }],
      midTable: [{ key: '0', value: 'a' }],
      ridTable: [
        { key: 'r0', value: 'a' },
        { key: 'r1', value: 'a' },
      ],
    });
  });

  it('tells producers with the same RIDs apart by their MIDs only', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    listener.add(B!, { ...SIMULCAST, mid: '1' });
    expect(listener.find(packetOf(5, { mid: '1', rid: 'r0' }), IDS)).toBe(B);
    expect(listener.find(packetOf(6, { rid: 'r0' }), IDS)).toBeUndefined();
    listener.remove(B!);
    expect(listener.find(packetOf(6, { rid: 'r0' }), IDS)).toBe(A);
  });

  it('gives a packet with a MID nobody has to nobody', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    expect(listener.find(packetOf(5, { mid: '9', rid: 'r0' }), IDS)).toBeUndefined();
  });

  it('reads no element whose id was not agreed on', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    expect(listener.find(packetOf(5, { mid: '0' }), { rid: 2 })).toBeUndefined();
    expect(listener.find(packetOf(5, { mid: '0' }), { mid: 0, rid: 2 })).toBeUndefined();
  });

  it.each<[string, ListenedParameters, string]>([
    ['an SSRC of another', { encodings: [{ ssrc: 1 }] }, 'rtp-listener/ssrc-taken'],
    ['an RTX SSRC of another', { encodings: [{ ssrc: 50, rtx: { ssrc: 2 } }] }, 'rtp-listener/ssrc-taken'],
    ['an SSRC that was learned', { encodings: [{ ssrc: 99 }] }, 'rtp-listener/ssrc-taken'],
    ['an SSRC twice', { encodings: [{ ssrc: 50, rtx: { ssrc: 50 } }] }, 'rtp-listener/ssrc-taken'],
    ['a MID of another', { mid: '0', encodings: [{ ssrc: 50 }] }, 'rtp-listener/mid-taken'],
    ['a RID of another without MID', { encodings: [{ rid: 'r0' }] }, 'rtp-listener/rid-taken'],
    ['a RID twice', { mid: '5', encodings: [{ rid: 'x' }, { rid: 'x' }] }, 'rtp-listener/rid-taken'],
    ['nothing', { encodings: [{}] }, 'rtp-listener/nothing-to-go-by'],
    ['empty names', { mid: '', encodings: [{ rid: '', ssrc: 0 }] }, 'rtp-listener/nothing-to-go-by'],
    ['no encodings and no MID', { encodings: [] }, 'rtp-listener/nothing-to-go-by'],
    ['one nameless encoding of two', { mid: '5', encodings: [{ rid: 'x' }, {}] }, 'rtp-listener/nothing-to-go-by'],
  ])('refuses a producer with %s, and enters nothing of it', (_, parameters, code) => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, { mid: '0', encodings: [{ ssrc: 1, rid: 'r0', rtx: { ssrc: 2 } }] });
    listener.find(packetOf(99, { mid: '0' }), IDS);
    const before = listener.dump();
    expect(codeOf(() => listener.add(B!, parameters))).toBe(code);
    expect(listener.dump()).toEqual(before);
  });

  it('refuses a producer that is there', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    expect(codeOf(() => listener.add(A!, { mid: '1', encodings: [{ ssrc: 9 }] }))).toBe('rtp-listener/known');
  });

  it('forgets all of a producer that is removed', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    listener.find(packetOf(5, { mid: '0' }), IDS);
    listener.remove(A!);
    listener.remove(A!);
    expect(listener.dump()).toEqual({ ssrcTable: [], midTable: [], ridTable: [] });
    expect(codeOf(() => listener.add(B!, SIMULCAST))).toBeUndefined();
  });

  it('remembers so many SSRCs of a producer and no more', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, { mid: '0', encodings: [{ ssrc: 1 }] });
    for (let ssrc = 100; ssrc < 1000; ssrc++) listener.find(packetOf(ssrc, { mid: '0' }), IDS);
    expect(listener.dump().ssrcTable.length).toBe(MAX_LEARNED_SSRCS + 1);
    expect(listener.findBySsrc(1)).toBe(A);
    expect(listener.findBySsrc(999)).toBe(A);
    expect(listener.findBySsrc(100)).toBeUndefined();
  });

  it('takes any packet', () => {
    const listener = new RtpListener<Producer>();
    listener.add(A!, SIMULCAST);
    const view = new RtpPacketView();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 80 }), (bytes) => {
        bytes[0] = 0x90;
        bytes.set([0xbe, 0xde, 0, 4], 12);
        if (view.look(bytes)) listener.find(view, IDS);
      }),
    );
  });
});
