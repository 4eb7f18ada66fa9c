import { getU32, setU32 } from '../../wire/big-endian.ts';
import { deriveSession, type SrtpKeys, type SrtpSession } from './key-derivation.ts';
import { PacketIndex, rolloverCounterOf } from './packet-index.ts';
import { type SrtpCrypto, SrtpJob } from './srtp-cipher.ts';
import { RTCP_CLEAR_BYTES, RTCP_WORD_BYTES, rtpPayloadStart, writeIv } from './srtp-packet.ts';

/**
 * SSRCs a sender keeps state of, and as many for RTCP. None is forgotten before its key: an index that was used must not
 * come again. So this bounds what a call may have in all, with everybody who comes and goes.
 */
export const MAX_SENT_SSRCS = 16_384;

/** Packets one call of the cipher is given. */
const BATCH_PACKETS = 32;
/** The length field of an interleaved frame has 16 bits, and a datagram is no longer. */
const MAX_PACKET_BYTES = 0xffff;
const ENCRYPTED_FLAG = 0x8000_0000;
/** Highest index of SRTCP (RFC 3711 §3.4). */
const MAX_RTCP_INDEX = 0x7fff_ffff;

/** Packets inside one buffer. */
export interface PacketList {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

/**
 * Protects the RTP and RTCP packets sent under one master key (RFC 3711, RFC 7714). A packet that can't be protected is
 * counted and not sent: no packet of RTP, index used before, more SSRCs than are kept, or the key is used up (2^48 packets
 * of RTP or 2^31 of RTCP an SSRC), after which only a new key helps.
 */
export class SrtpSender {
  /** Packets that were not protected since the start. */
  refusedPackets = 0;
  /** What a packet of RTP grows by, bytes. */
  readonly rtpOverheadBytes: number;
  /** What a compound packet of RTCP grows by, bytes. */
  readonly rtcpOverheadBytes: number;
  readonly #rtp: SrtpSession;
  readonly #rtcp: SrtpSession;
  readonly #indices = new Map<number, PacketIndex>();
  readonly #rtcpIndices = new Map<number, number>();
  readonly #jobs: SrtpJob[] = [new SrtpJob()];

  /** @throws StateError `srtp/bad-key` */
  constructor(keys: SrtpKeys, crypto: SrtpCrypto) {
    this.#rtp = deriveSession(crypto, keys, 'rtp');
    this.#rtcp = deriveSession(crypto, keys, 'rtcp');
    const identifierBytes = this.#rtp.masterKeyIdentifier.length;
    this.rtpOverheadBytes = identifierBytes + this.#rtp.tagBytes;
    this.rtcpOverheadBytes = RTCP_WORD_BYTES + identifierBytes + this.#rtcp.tagBytes;
  }

  /**
   * Protects one RTP packet that stands at `[start, end)` of `bytes`, in place; `rtpOverheadBytes` must follow it.
   * @param isRepeat its payload, but for padding, was sent under this number before. AES_CM gives nothing away then: what
   *   is encrypted comes out the same, and another header has another tag. With GCM it is refused as all others are
   * @returns the new end, or 0 when the packet was refused
   */
  protectRtp(bytes: Uint8Array, start: number, end: number, isRepeat = false): number {
    const job = this.#jobs[0]!;
    if (!this.#prepareRtp(job, bytes, start, end, isRepeat)) return 0;
    this.#rtp.cipher.seal(this.#jobs, 1);
    return this.#writeIdentifier(job);
  }

  /**
   * Protects many RTP packets. The packets of `list` stay as they are.
   * @returns a new buffer of interleaved frames (RFC 2326 §10.12) of this channel with the protected packets in order
   */
  protectFrames(list: PacketList, channel: number): Uint8Array {
    const { sizes } = list;
    let sizeBytes = 0;
    for (const packetBytes of sizes) sizeBytes += 4 + packetBytes + this.rtpOverheadBytes;
    const frames = new Uint8Array(sizeBytes);
    let at = 0;
    for (let first = 0; first < sizes.length; first += BATCH_PACKETS) {
      at = this.#protectSome(list, first, Math.min(first + BATCH_PACKETS, sizes.length), channel, frames, at);
    }
    return frames.subarray(0, at);
  }

  #protectSome(
    list: PacketList,
    first: number,
    end: number,
    channel: number,
    frames: Uint8Array,
    framesAt: number,
  ): number {
    let at = framesAt;
    let count = 0;
    for (let i = first; i < end; i++) {
      const start = at + 4;
      const packetEnd = start + list.sizes[i]!;
      frames.set(list.bytes.subarray(list.offsets[i]!, list.offsets[i]! + list.sizes[i]!), start);
      this.#jobs[count] ??= new SrtpJob();
      if (!this.#prepareRtp(this.#jobs[count]!, frames, start, packetEnd, false)) continue;
      const protectedBytes = list.sizes[i]! + this.rtpOverheadBytes;
      frames[at] = 0x24;
      frames[at + 1] = channel;
      frames[at + 2] = protectedBytes >>> 8;
      frames[at + 3] = protectedBytes;
      at = start + protectedBytes;
      count++;
    }
    if (count > 0) this.#rtp.cipher.seal(this.#jobs, count);
    for (let i = 0; i < count; i++) this.#writeIdentifier(this.#jobs[i]!);
    return at;
  }

  /**
   * Protects a compound RTCP packet that stands at `[start, end)` of `bytes`, in place; `rtcpOverheadBytes` must follow it.
   * @returns the new end, or 0 when the packet was refused
   */
  protectRtcp(bytes: Uint8Array, start: number, end: number): number {
    const { cipher, profile, salt, masterKeyIdentifier, tagBytes } = this.#rtcp;
    const isRtcp = end - start >= RTCP_CLEAR_BYTES && bytes[start]! >>> 6 === 2;
    if (!isRtcp || end + this.rtcpOverheadBytes > bytes.length) return this.#refuse();
    const ssrc = getU32(bytes, start + 4);
    const last = this.#rtcpIndices.get(ssrc);
    if (last === undefined && this.#rtcpIndices.size >= MAX_SENT_SSRCS) return this.#refuse();
    // The first packet has index 1, as libsrtp and the examples have it; 0 would do as well.
    const index = (last ?? 0) + 1;
    if (index > MAX_RTCP_INDEX) return this.#refuse();
    this.#rtcpIndices.set(ssrc, index);
    const job = this.#jobs[0]!;
    const isAead = profile.transform === 'aes-gcm';
    const wordAt = isAead ? end + tagBytes : end;
    job.bytes = bytes;
    job.start = start;
    job.textStart = start + RTCP_CLEAR_BYTES;
    job.textEnd = end;
    job.tagAt = isAead ? end : end + RTCP_WORD_BYTES + masterKeyIdentifier.length;
    job.hasWord = true;
    job.word = (ENCRYPTED_FLAG | index) >>> 0;
    writeIv(job, salt, ssrc, index);
    cipher.seal(this.#jobs, 1);
    setU32(bytes, wordAt, job.word);
    bytes.set(masterKeyIdentifier, wordAt + RTCP_WORD_BYTES);
    return end + this.rtcpOverheadBytes;
  }

  /** Rollover counter of an SSRC that was sent; undefined before its first packet. */
  rolloverCounter(ssrc: number): number | undefined {
    const state = this.#indices.get(ssrc);
    return state === undefined ? undefined : rolloverCounterOf(state.highest);
  }

  #prepareRtp(job: SrtpJob, bytes: Uint8Array, start: number, end: number, isRepeat: boolean): boolean {
    const { profile, salt, masterKeyIdentifier } = this.#rtp;
    const payloadStart = rtpPayloadStart(bytes, start, end);
    const protectedEnd = end + this.rtpOverheadBytes;
    if (payloadStart === 0 || protectedEnd > bytes.length || protectedEnd - start > MAX_PACKET_BYTES) {
      return this.#refuse() > 0;
    }
    const ssrc = getU32(bytes, start + 8);
    let state = this.#indices.get(ssrc);
    if (state === undefined) {
      if (this.#indices.size >= MAX_SENT_SSRCS) return this.#refuse() > 0;
      state = new PacketIndex();
      this.#indices.set(ssrc, state);
    }
    const index = state.estimate((bytes[start + 2]! << 8) | bytes[start + 3]!, 0);
    // An index used twice would give away both payloads (RFC 3711 §9.1), and with GCM the key to forge (RFC 7714 §10.1).
    const isAead = profile.transform === 'aes-gcm';
    if (state.isNew(index)) state.accept(index);
    else if (isAead || !isRepeat || index < 0 || index > state.highest) return this.#refuse() > 0;
    job.bytes = bytes;
    job.start = start;
    job.textStart = payloadStart;
    job.textEnd = end;
    job.tagAt = isAead ? end : end + masterKeyIdentifier.length;
    job.hasWord = !isAead;
    job.word = rolloverCounterOf(index);
    writeIv(job, salt, ssrc, index);
    return true;
  }

  /** Writes the identifier of a sealed RTP packet and returns the packet's end. */
  #writeIdentifier(job: SrtpJob): number {
    const { profile, masterKeyIdentifier, tagBytes } = this.#rtp;
    const at = profile.transform === 'aes-gcm' ? job.textEnd + tagBytes : job.textEnd;
    if (masterKeyIdentifier.length > 0) job.bytes.set(masterKeyIdentifier, at);
    return job.textEnd + this.rtpOverheadBytes;
  }

  #refuse(): 0 {
    this.refusedPackets++;
    return 0;
  }
}
