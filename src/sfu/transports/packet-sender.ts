import { RateCounter } from '../streams/rate-counter.ts';
import type { PacketLink } from './packet-link.ts';

/** What a packet of RTP is to the transport that sends it. `repeat`: it goes out again as it was, not as RTX. */
export type SentKind = 'media' | 'rtx' | 'repeat' | 'probation';

/** Told of each packet that went out with a transport-wide number. */
export type NumberedPacketListener = (
  transportNumber: number,
  sizeBytes: number,
  nowMs: number,
  probeClusterId: number | undefined,
) => void;

/** What one transport sends: its link, its count of packets, and its bytes. */
export class PacketSender {
  readonly all: RateCounter = new RateCounter();
  readonly media: RateCounter = new RateCounter();
  /** Repeats too. */
  readonly rtx: RateCounter = new RateCounter();
  readonly probation: RateCounter = new RateCounter();
  /** Packets that were not sent: no room, no keys, or nowhere to go. */
  dropped = 0;
  onNumbered: NumberedPacketListener | undefined;
  #link: PacketLink | undefined;
  #transportNumber: number;

  /** @param firstTransportNumber 16 bits */
  constructor(firstTransportNumber: number) {
    this.#transportNumber = firstTransportNumber & 0xffff;
  }

  /** Whether there is somewhere to send to. */
  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** Where packets go from now on; undefined: nowhere. */
  setLink(link: PacketLink | undefined): void {
    this.#link = link;
  }

  /** The memory packets are written into, until the next `reserve`. */
  get bytes(): Uint8Array {
    return this.#link!.bytes;
  }

  /** As the link has it. */
  get joinsEqualSizes(): boolean {
    return this.#link?.joinsEqualSizes ?? false;
  }

  /** Room for a packet: an offset in `bytes`, −1 when it can't be sent; that counts as dropped. */
  reserve(sizeBytes: number): number {
    const at = this.#link?.reserve(sizeBytes) ?? -1;
    if (at < 0) this.dropped++;
    return at;
  }

  /** The transport-wide number of the packet that is written now; the next one has another when this one was sent. */
  get transportNumber(): number {
    return this.#transportNumber;
  }

  /**
   * Sends the packet written at `[start, end)`.
   * @param isNumbered it has the transport-wide number
   * @returns bytes on the wire, 0 when it was dropped
   */
  sendRtp(
    start: number,
    end: number,
    consumerId: string,
    kind: SentKind,
    isNumbered: boolean,
    nowMs: number,
    probeClusterId?: number,
  ): number {
    const sentBytes = this.#link?.sendRtp(start, end, consumerId, kind === 'repeat') ?? 0;
    if (sentBytes === 0) {
      this.dropped++;
      return 0;
    }
    this.all.add(sentBytes, nowMs);
    this[kind === 'repeat' ? 'rtx' : kind].add(end - start, nowMs);
    if (isNumbered) {
      this.onNumbered?.(this.#transportNumber, sentBytes, nowMs, probeClusterId);
      this.#transportNumber = (this.#transportNumber + 1) & 0xffff;
    }
    return sentBytes;
  }

  /** Sends a compound RTCP packet. */
  sendRtcp(compound: Uint8Array, nowMs: number): void {
    const sentBytes = this.#link?.sendRtcp(compound) ?? 0;
    if (sentBytes > 0) this.all.add(sentBytes, nowMs);
  }
}
