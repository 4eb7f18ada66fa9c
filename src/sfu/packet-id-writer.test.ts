import { describe, expect, it } from 'vitest';
import { writeExtensionElements } from '../protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { PacketIdWriter } from './packet-id-writer.ts';
import type { RtpParameters } from './transports/rtp-parameters.ts';

const URI = 'urn:mediasoup:params:rtp-hdrext:packet-id';

function parametersWith(...headerExtensions: NonNullable<RtpParameters['headerExtensions']>): RtpParameters {
  return { codecs: [], headerExtensions };
}

/** A packet with padding and these elements. */
function packetWith(elements: readonly (readonly [id: number, ...data: number[]])[], payloadBytes = 5): RtpPacketView {
  const fields = {
    marker: true,
    payloadType: 96,
    sequenceNumber: 7,
    timestamp: 8,
    ssrc: 9,
    csrcs: [1, 2],
    payload: new Uint8Array(payloadBytes).fill(3),
    paddingBytes: 4,
    ...(elements.length === 0
      ? {}
      : writeExtensionElements(elements.map(([id, ...data]) => ({ id, data: Uint8Array.from(data) })))),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  const view = new RtpPacketView();
  expect(view.look(bytes)).toBe(true);
  return view;
}

function elementOf(view: RtpPacketView, id: number): readonly number[] | undefined {
  const at = view.findElement(id);
  return at < 0 ? undefined : [...view.bytes.subarray(at, at + view.elementBytes)];
}

/** Ids as a worker gives them. */
function counter(first: number): () => number {
  let next = first;
  return () => next++;
}

const LONG = Array.from({ length: 20 }, (_, i) => i);
const SHORT_IDS = Array.from({ length: 14 }, (_, i) => ({ uri: `u${i}`, id: i + 1 }));

describe('a packet that gets an id', () => {
  it.each<[string, RtpParameters, readonly (readonly [number, ...number[]])[], number]>([
    ['has no elements', { codecs: [] }, [], 1],
    [
      'has some',
      parametersWith({ uri: 'a', id: 1 }, { uri: 'b', id: 2 }),
      [
        [1, 5],
        [2, 6, 7],
      ],
      3,
    ],
    ['has a long one', parametersWith({ uri: 'a', id: 2 }), [[2, ...LONG]], 1],
    [
      'has an id of another worker',
      parametersWith({ uri: 'a', id: 2 }, { uri: URI, id: 5 }),
      [
        [2, 6],
        [5, 9, 9, 9, 9],
      ],
      5,
    ],
    ['has no short ids left', parametersWith(...SHORT_IDS), [[14, 6]], 15],
  ])('and %s keeps all it had but padding', (_, parameters, elements, id) => {
    const writer = new PacketIdWriter(parameters, counter(0xfe01_0203));
    const view = packetWith(elements);
    writer.write(view);
    expect(writer.rtpParameters.headerExtensions).toContainEqual({ uri: URI, id });
    expect(writer.rtpParameters.headerExtensions?.filter(({ uri }) => uri === URI)).toHaveLength(1);
    expect(elementOf(view, id)).toEqual([0xfe, 1, 2, 3]);
    for (const [known, ...data] of elements) if (known !== id) expect(elementOf(view, known)).toEqual(data);
    const { marker, payloadType, sequenceNumber, timestamp, ssrc } = view;
    expect({ marker, payloadType, sequenceNumber, timestamp, ssrc }).toEqual({
      marker: true,
      payloadType: 96,
      sequenceNumber: 7,
      timestamp: 8,
      ssrc: 9,
    });
    expect([...view.bytes.subarray(view.payloadStart, view.end)]).toEqual([3, 3, 3, 3, 3]);
    const next = packetWith(elements);
    writer.write(next);
    expect(elementOf(next, id)).toEqual([0xfe, 1, 2, 4]);
  });

  it('and is too long for it stays as it is', () => {
    const view = packetWith([], 0xffff);
    const { bytes, end } = view;
    new PacketIdWriter({ codecs: [] }, counter(0)).write(view);
    expect([view.bytes === bytes, view.end, view.findElement(1)]).toEqual([true, end, -1]);
  });
});
