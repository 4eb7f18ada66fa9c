import { srtpProvider } from '../../io/srtp-crypto.ts';
import type { MikeySrtp } from '../../protocol/mikey/mikey-srtp.ts';
import { isRtcp } from '../../protocol/rtp/rtcp-packet.ts';
import { type SrtpDropCounters, SrtpReceiver } from '../../protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';

/** Room that is enough for nearly every packet; it grows. */
const FIRST_ROOM_BYTES = 2048;

/**
 * One track that comes as SRTP: its packets in clear, and our reports protected. There is one key for both directions, as
 * RTSP has no place for the other one: what keeps them apart is the SSRC, so ours must not be one of the sender's.
 */
export class SrtpReception {
  readonly #receiver: SrtpReceiver;
  readonly #sender: SrtpSender;
  #room: Uint8Array = new Uint8Array(FIRST_ROOM_BYTES);

  constructor(offer: MikeySrtp) {
    this.#receiver = new SrtpReceiver(offer.keys, srtpProvider().crypto, offer);
    this.#sender = new SrtpSender(offer.keys, srtpProvider().crypto);
  }

  /** Packets that were dropped: forged, repeated, or in clear. */
  get dropped(): Readonly<SrtpDropCounters> {
    return this.#receiver.dropped;
  }

  /**
   * Checks and decrypts a packet, or RTCP that shares its port. `bytes` stay as they are.
   * @returns a view that is valid until the next packet; undefined when it was dropped
   */
  unprotect(bytes: Uint8Array): Uint8Array | undefined {
    return isRtcp(bytes) ? this.unprotectRtcp(bytes) : this.#open(bytes, false);
  }

  /** The same for a compound of RTCP. */
  unprotectRtcp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#open(bytes, true);
  }

  /** A compound RTCP packet of ours as SRTCP, in a new buffer; empty when the key is used up. */
  protectRtcp(packet: Uint8Array): Uint8Array {
    return protectedRtcp(this.#sender, packet);
  }

  #open(bytes: Uint8Array, isReport: boolean): Uint8Array | undefined {
    // Decrypting is done in place, and what was received is only lent.
    if (this.#room.length < bytes.length) this.#room = new Uint8Array(bytes.length);
    const room = this.#room;
    room.set(bytes);
    const receiver = this.#receiver;
    const end = isReport ? receiver.unprotectRtcp(room, 0, bytes.length) : receiver.unprotectRtp(room, 0, bytes.length);
    return end === 0 ? undefined : room.subarray(0, end);
  }
}

/** A compound RTCP packet as SRTCP, in a new buffer; empty when the key is used up. */
export function protectedRtcp(sender: SrtpSender, packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packet.length + sender.rtcpOverheadBytes);
  bytes.set(packet);
  return bytes.subarray(0, sender.protectRtcp(bytes, 0, packet.length));
}

/** Sum of what was dropped. */
export function droppedOf(receptions: Iterable<SrtpReception>): SrtpDropCounters {
  const sum: SrtpDropCounters = { malformed: 0, replayed: 0, unauthentic: 0, overLimit: 0 };
  for (const { dropped } of receptions) {
    sum.malformed += dropped.malformed;
    sum.replayed += dropped.replayed;
    sum.unauthentic += dropped.unauthentic;
    sum.overLimit += dropped.overLimit;
  }
  return sum;
}

/** 32 random bits that are no SSRC of these senders. */
export function ownSsrc(random32: () => number, offers: readonly (MikeySrtp | undefined)[]): number {
  for (;;) {
    const ssrc = random32() >>> 0;
    if (!offers.some((offer) => offer?.rolloverCounters.has(ssrc) === true)) return ssrc;
  }
}
