/** A stream of video and its packets, for tests of what sends and what receives one. */
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { writeRtx } from '../../../src/protocol/rtp/rtx.ts';
import type { StreamParameters } from '../../../src/sfu/streams/stream-parameters.ts';

/** Without RTX. */
export const PLAIN_STREAM: StreamParameters = {
  encodingIdx: 0,
  ssrc: 1111,
  payloadType: 101,
  mimeType: 'video/VP8',
  clockRate: 90_000,
  cname: 'c',
  useNack: true,
  usePli: true,
  useFir: false,
  useInBandFec: false,
  useDtx: false,
  spatialLayers: 1,
  temporalLayers: 1,
};

/** With RTX. */
export const RTX_STREAM: StreamParameters & { readonly rtxSsrc: number; readonly rtxPayloadType: number } = {
  ...PLAIN_STREAM,
  rtxSsrc: 2222,
  rtxPayloadType: 102,
};

/** A packet of the stream; its payload is zeros, to be written into. */
export function packetOf(sequenceNumber: number, timestamp = 0, payloadBytes = 20): RtpPacketView {
  const bytes = new Uint8Array(12 + payloadBytes);
  bytes[0] = 0x80;
  const view = new RtpPacketView();
  view.look(bytes);
  view.payloadType = PLAIN_STREAM.payloadType;
  view.sequenceNumber = sequenceNumber;
  view.timestamp = timestamp;
  view.ssrc = PLAIN_STREAM.ssrc;
  return view;
}

/** What repeats a packet over RTX. */
export function rtxOf(
  packet: RtpPacketView,
  sequenceNumber: number,
  payloadType: number = RTX_STREAM.rtxPayloadType,
): RtpPacketView {
  const out = new Uint8Array(packet.end - packet.start + 2);
  const end = writeRtx(packet, { payloadType, ssrc: RTX_STREAM.rtxSsrc, sequenceNumber }, out, 0);
  const view = new RtpPacketView();
  view.look(out, 0, end);
  return view;
}
