import { HEADER_EXTENSION_URI } from '../../protocol/rtp/extensions/header-extension-uris.ts';
import { RTP_FIXED_HEADER_BYTES } from '../../protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { PacketWriter } from '../consumers/packet-writer.ts';
import type { PacketSender } from './packet-sender.ts';
import type { RtpParameters } from './rtp-parameters.ts';

/** What receivers of the API know the stream of probes by. */
export const PROBATION_SSRC = 1234;
export const PROBATION_MID = 'probator';
export const PROBATION_PAYLOAD_TYPE = 127;
/** Longest packet of a probe, bytes. */
const MAX_PROBATION_BYTES = 1100;

const OWN_URIS: readonly string[] = [
  HEADER_EXTENSION_URI.mid,
  HEADER_EXTENSION_URI.absSendTime,
  HEADER_EXTENSION_URI.transportWideSequenceNumber,
];

/** Packets of zeros that fill up probes, in a stream of their own that receivers throw away. */
export class ProbationStream {
  readonly #writer: PacketWriter;
  readonly #view = new RtpPacketView();
  readonly #header: {
    payloadType: number;
    ssrc: number;
    sequenceNumber: number;
    timestamp: number;
    marker: boolean;
  };
  readonly #payload = new Uint8Array(MAX_PROBATION_BYTES);

  /**
   * @param like a consumer of the transport, whose header extensions the receiver knows
   * @param random 0–1, where its numbers begin
   */
  constructor(like: RtpParameters, sender: PacketSender, random: number) {
    const headerExtensions = (like.headerExtensions ?? []).filter(({ uri }) => OWN_URIS.includes(uri));
    const params: RtpParameters = { mid: PROBATION_MID, codecs: [], headerExtensions };
    this.#writer = new PacketWriter('', sender, { codecs: [] }, params);
    this.#view.look(Uint8Array.of(0x80, ...new Uint8Array(RTP_FIXED_HEADER_BYTES - 1)));
    this.#header = {
      payloadType: PROBATION_PAYLOAD_TYPE,
      ssrc: PROBATION_SSRC,
      sequenceNumber: Math.floor(random * 0x10000),
      timestamp: Math.floor(random * 2 ** 32),
      marker: false,
    };
  }

  /** Sends one packet of about so many bytes. @returns bytes sent, 0 when it can't be */
  send(sizeBytes: number, clusterId: number, nowMs: number): number {
    const payloadBytes = Math.max(0, Math.min(sizeBytes, MAX_PROBATION_BYTES) - RTP_FIXED_HEADER_BYTES);
    const header = this.#header;
    header.sequenceNumber = (header.sequenceNumber + 1) & 0xffff;
    header.timestamp = (header.timestamp + 90) >>> 0;
    if (!this.#writer.write(this.#view, this.#payload.subarray(0, payloadBytes), header, -1)) return 0;
    return this.#writer.send('probation', nowMs, clusterId);
  }
}
