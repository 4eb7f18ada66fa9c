/** What packets say of themselves is passed on, and silence only where it is wanted. */
import { expect, it } from 'vitest';
import { HEADER_EXTENSION_URI } from '../../../src/protocol/rtp/extensions/header-extension-uris.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import type { RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { connectedPair, type RtpPeer } from './sfu-kit.ts';

const { playoutDelay, absCaptureTime } = HEADER_EXTENSION_URI;
const CAPTURED = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const DELAYS = Uint8Array.of(0, 16, 5);

function opus(ignoreDtx: boolean): { sender: RtpPeer; viewer: RtpPeer } {
  const { sender, from, viewer, to } = connectedPair();
  const parameters = (ids: readonly number[], ssrc: number): RtpParameters => ({
    codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 }],
    headerExtensions: [absCaptureTime, playoutDelay].map((uri, i) => ({ uri, id: ids[i]! })),
    encodings: [{ ssrc }],
  });
  const rtpMapping = {
    codecs: [{ payloadType: 100, mappedPayloadType: 100 }],
    encodings: [{ ssrc: 1000, mappedSsrc: 5000 }],
  };
  from.produce({ id: 'p', kind: 'audio', rtpParameters: parameters([2, 3], 1000), rtpMapping });
  to.consume('p', {
    id: 'c',
    kind: 'audio',
    type: 'simple',
    rtpParameters: parameters([10, 11], 7000),
    consumableRtpEncodings: [{ ssrc: 5000 }],
    ignoreDtx,
  });
  return { sender, viewer };
}

function packetOf(sequenceNumber: number, payloadBytes: number): Uint8Array {
  const fields = {
    marker: false,
    payloadType: 100,
    sequenceNumber,
    timestamp: sequenceNumber * 960,
    ssrc: 1000,
    payload: new Uint8Array(payloadBytes).fill(0xfc),
    ...writeExtensionElements([
      { id: 2, data: CAPTURED },
      { id: 3, data: DELAYS },
    ]),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}

it.each([
  [true, [80, 80, 80]],
  [false, [80, 1, 2, 80, 80]],
])('silence of Opus, where it is to be ignored: %s', (ignoreDtx, sizes) => {
  const { sender, viewer } = opus(ignoreDtx);
  for (const [i, size] of [80, 1, 2, 80, 80].entries()) sender.send(packetOf((65_534 + i) & 0xffff, size));
  expect(viewer.rtp.map(({ payloadBytes }) => payloadBytes)).toEqual(sizes);
  const first = viewer.rtp[0]!.sequenceNumber;
  expect(viewer.rtp.map((view) => (view.sequenceNumber - first) & 0xffff)).toEqual(sizes.map((_, i) => i));
});

it('when it was captured and how long it may wait, under the numbers of the viewer', () => {
  const { sender, viewer } = opus(false);
  sender.send(packetOf(1, 80));
  const [view] = viewer.rtp;
  for (const [id, data] of [
    [10, CAPTURED],
    [11, DELAYS],
  ] as const) {
    const at = view!.findElement(id);
    expect(view!.bytes.slice(at, at + view!.elementBytes)).toEqual(data);
  }
  expect([view!.findElement(2), view!.findElement(3)]).toEqual([-1, -1]);
});
