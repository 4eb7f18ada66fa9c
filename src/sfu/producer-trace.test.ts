import { describe, expect, it } from 'vitest';
import { writeExtensionElements } from '../protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { ProducerPayload } from './producer-payload.ts';
import { ProducerTrace } from './producer-trace.ts';
import type { RouterEnvironment } from './router-environment.ts';

const headerExtensions = [
  { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 2 },
  { uri: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id', id: 3 },
  { uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', id: 5 },
];

/** What is told of a packet with these elements, by a trace of these extensions. */
function traced(
  elements: readonly (readonly [number, string | readonly number[]])[],
  known = headerExtensions,
): unknown {
  const told: unknown[] = [];
  const environment = {
    clock: { nowMs: () => 1234.5, timer: () => ({ start: () => undefined, close: () => undefined }) },
    notify: (targetId: string, event: string, data: unknown) => told.push({ targetId, event, data }),
  } as unknown as RouterEnvironment;
  const trace = new ProducerTrace('p', environment, { mid: 'm', codecs: [], headerExtensions: known });
  trace.enable(['rtp']);
  const bytesOf = (data: string | readonly number[]): Uint8Array =>
    typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data);
  const extension = writeExtensionElements(elements.map(([id, value]) => ({ id, data: bytesOf(value) })));
  const fields = {
    marker: true,
    payloadType: 96,
    sequenceNumber: 7,
    timestamp: 8,
    ssrc: 9,
    payload: new Uint8Array(3),
  };
  const packet = { ...fields, ...(elements.length === 0 ? {} : extension) };
  const bytes = new Uint8Array(rtpPacketSize(packet));
  writeRtpPacket(packet, bytes);
  const view = new RtpPacketView();
  expect(view.look(bytes)).toBe(true);
  trace.packet('in', view, new ProducerPayload('other', 0), true);
  return told[0];
}

describe('a trace of a packet', () => {
  it('names its streams and its number on the transport', () => {
    expect(
      traced([
        [2, 'hi'],
        [3, 'lo'],
        [5, [0x12, 0x34]],
      ]),
    ).toMatchObject({
      targetId: 'p',
      event: 'trace',
      data: {
        type: 'rtp',
        timestamp: 1234,
        direction: 'in',
        info: { rtpPacket: { mid: 'm', rid: 'hi', rrid: 'lo', wideSequenceNumber: 0x1234 }, isRtx: true },
      },
    });
  });

  it.each([
    ['has no such elements', [], headerExtensions],
    ['has elements that were not agreed on', [[2, 'hi'] as const, [5, [0x12, 0x34]] as const], []],
  ])('leaves out what it does not know when it %s', (_, elements, known) => {
    const { data } = traced(elements, known) as { data: { info: { rtpPacket: object } } };
    expect(Object.keys(data.info.rtpPacket)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(rid|rrid|wideSequenceNumber)$/)]),
    );
  });
});
