import type { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import type { PacketAddress, PacketQueue } from '../ports/packet-port.ts';

/** Longest packet a link without a queue takes, bytes. */
export const MAX_LINK_PACKET_BYTES = 65_536;

/** How packets leave a transport: written where they are sent from, then protected there. */
export interface PacketLink {
  /** The memory packets are written into, until the next `reserve`. */
  readonly bytes: Uint8Array;
  /** Packets of one size that follow each other cost less by far: some padding is worth it. */
  readonly joinsEqualSizes: boolean;
  /** Room for one RTP packet and what protection adds: an offset in `bytes`, −1 when nothing can be sent. */
  reserve(sizeBytes: number): number;
  /**
   * Sends the RTP packet written at `[start, end)`, which begins where `reserve` said.
   * @param consumerId whose it is
   * @param isRepeat its payload was sent under this number before: not every protection can do that
   * @returns bytes on the wire, 0 when it was dropped
   */
  sendRtp(start: number, end: number, consumerId: string, isRepeat: boolean): number;
  /** Sends a compound RTCP packet, which is copied. @returns bytes on the wire, 0 when it was dropped */
  sendRtcp(compound: Uint8Array): number;
}

/** Where a link through queues sends to. */
export interface QueueTarget {
  readonly queue: PacketQueue;
  readonly to: PacketAddress;
}

/** Datagrams through the queues of sockets, RTCP to another port or to the same. */
export class QueueLink implements PacketLink {
  readonly #rtp: QueueTarget;
  readonly #rtcp: QueueTarget;
  readonly #srtp: SrtpSender | undefined;

  constructor(rtp: QueueTarget, rtcp: QueueTarget = rtp, srtp?: SrtpSender) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#srtp = srtp;
  }

  get bytes(): Uint8Array {
    return this.#rtp.queue.bytes;
  }

  get joinsEqualSizes(): boolean {
    return this.#rtp.queue.joinsEqualSizes ?? false;
  }

  reserve(sizeBytes: number): number {
    return this.#rtp.queue.reserve(sizeBytes + (this.#srtp?.rtpOverheadBytes ?? 0));
  }

  sendRtp(start: number, end: number, _consumerId: string, isRepeat: boolean): number {
    const { queue, to } = this.#rtp;
    const sentEnd = this.#srtp === undefined ? end : this.#srtp.protectRtp(queue.bytes, start, end, isRepeat);
    if (sentEnd === 0) return 0;
    queue.put(sentEnd - start, to);
    return sentEnd - start;
  }

  sendRtcp(compound: Uint8Array): number {
    const { queue, to } = this.#rtcp;
    const at = queue.reserve(compound.length + (this.#srtp?.rtcpOverheadBytes ?? 0));
    if (at < 0) return 0;
    queue.bytes.set(compound, at);
    const end = at + compound.length;
    const sentEnd = this.#srtp === undefined ? end : this.#srtp.protectRtcp(queue.bytes, at, end);
    if (sentEnd === 0) return 0;
    queue.put(sentEnd - at, to);
    return sentEnd - at;
  }
}

/** Sends bytes that are good during the call only. */
export type PacketOutlet = (bytes: Uint8Array, kind: 'rtp' | 'rtcp', consumerId: string) => void;

/** Packets one by one, to whatever is not a socket of datagrams: a connection of TCP, or control. */
export class SingleLink implements PacketLink {
  readonly bytes: Uint8Array = new Uint8Array(MAX_LINK_PACKET_BYTES);
  readonly joinsEqualSizes = false;
  readonly #outlet: PacketOutlet;
  readonly #srtp: SrtpSender | undefined;

  constructor(outlet: PacketOutlet, srtp?: SrtpSender) {
    this.#outlet = outlet;
    this.#srtp = srtp;
  }

  reserve(sizeBytes: number): number {
    return sizeBytes + (this.#srtp?.rtpOverheadBytes ?? 0) > MAX_LINK_PACKET_BYTES ? -1 : 0;
  }

  sendRtp(start: number, end: number, consumerId: string, isRepeat: boolean): number {
    const sentEnd = this.#srtp === undefined ? end : this.#srtp.protectRtp(this.bytes, start, end, isRepeat);
    if (sentEnd === 0) return 0;
    this.#outlet(this.bytes.subarray(start, sentEnd), 'rtp', consumerId);
    return sentEnd - start;
  }

  sendRtcp(compound: Uint8Array): number {
    if (compound.length + (this.#srtp?.rtcpOverheadBytes ?? 0) > MAX_LINK_PACKET_BYTES) return 0;
    this.bytes.set(compound);
    const end = compound.length;
    const sentEnd = this.#srtp === undefined ? end : this.#srtp.protectRtcp(this.bytes, 0, end);
    if (sentEnd === 0) return 0;
    this.#outlet(this.bytes.subarray(0, sentEnd), 'rtcp', '');
    return sentEnd;
  }
}
