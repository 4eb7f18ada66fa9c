import { getU32 } from '../../wire/big-endian.ts';
import { deriveSession, type SrtpKeys, type SrtpSession } from './key-derivation.ts';
import { PacketIndex, rolloverCounterOf } from './packet-index.ts';
import { type SrtpCrypto, SrtpJob } from './srtp-cipher.ts';
import { RTCP_CLEAR_BYTES, RTCP_WORD_BYTES, rtpPayloadStart, writeIv } from './srtp-packet.ts';

/**
 * SSRCs a receiver keeps state of, about 250 bytes each, and as many for RTCP; packets of others are dropped. A call has
 * new ones with every track that begins anew, and no old one may be played again.
 */
export const MAX_RECEIVED_SSRCS = 16_384;

/** Failed packets after which the next rollover counter is tried only now and then. */
const EAGER_TRIES = 16;
const ENCRYPTED_FLAG = 0x8000_0000;
const INDEX_MASK = 0x7fff_ffff;

/** Why packets were dropped, each counted since the start. */
export interface SrtpDropCounters {
  /** No whole packet, or another master key identifier. */
  malformed: number;
  /** Seen before, or too old to know. */
  replayed: number;
  /** Wrong tag: forged, altered, or another key. */
  unauthentic: number;
  /** Of an SSRC more than are kept. */
  overLimit: number;
}

export interface SrtpReceiverOptions {
  /** Rollover counter an SSRC starts with, where signalling told it (MIKEY); 0 for others. */
  readonly rolloverCounters?: ReadonlyMap<number, number>;
}

class ReceivedStream {
  readonly index = new PacketIndex();
  /** Packets in a row whose tag was wrong. */
  failures = 0;
}

/**
 * Checks and decrypts the RTP and RTCP packets received under one master key (RFC 3711, RFC 7714). State is kept only of
 * SSRCs that sent a genuine packet. Where more than half of the sequence numbers were lost, or the first packet came after
 * a wrap, the estimate of RFC 3711 §3.3.1 is one rollover short and would stay so: then the next counter is tried too.
 */
export class SrtpReceiver {
  readonly dropped: SrtpDropCounters = { malformed: 0, replayed: 0, unauthentic: 0, overLimit: 0 };
  readonly #rtp: SrtpSession;
  readonly #rtcp: SrtpSession;
  readonly #rolloverCounters: ReadonlyMap<number, number>;
  readonly #streams = new Map<number, ReceivedStream>();
  readonly #rtcpIndices = new Map<number, PacketIndex>();
  readonly #job = new SrtpJob();
  /** Stands for every SSRC that is not known yet. */
  readonly #unknown = new PacketIndex();

  /** @throws StateError `srtp/bad-key` */
  constructor(keys: SrtpKeys, crypto: SrtpCrypto, options: SrtpReceiverOptions = {}) {
    this.#rtp = deriveSession(crypto, keys, 'rtp');
    this.#rtcp = deriveSession(crypto, keys, 'rtcp');
    this.#rolloverCounters = options.rolloverCounters ?? new Map();
  }

  /**
   * Checks the SRTP packet that stands at `[start, end)` of `bytes` and decrypts it in place.
   * @returns the end of the RTP packet, or 0 when it was dropped, and then the bytes are as they were
   */
  unprotectRtp(bytes: Uint8Array, start: number, end: number): number {
    const { profile, masterKeyIdentifier, tagBytes } = this.#rtp;
    const textEnd = end - tagBytes - masterKeyIdentifier.length;
    const payloadStart = rtpPayloadStart(bytes, start, textEnd);
    if (payloadStart === 0) return this.#drop('malformed');
    const isAead = profile.transform === 'aes-gcm';
    if (!hasIdentifier(bytes, isAead ? textEnd + tagBytes : textEnd, masterKeyIdentifier)) {
      return this.#drop('malformed');
    }
    const ssrc = getU32(bytes, start + 8);
    const sequenceNumber = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    const stream = this.#streams.get(ssrc);
    if (stream === undefined && this.#streams.size >= MAX_RECEIVED_SSRCS) return this.#drop('overLimit');
    const indices = stream?.index ?? this.#unknown;
    const job = this.#job;
    job.bytes = bytes;
    job.start = start;
    job.textStart = payloadStart;
    job.textEnd = textEnd;
    job.tagAt = isAead ? textEnd : end - tagBytes;
    job.hasWord = !isAead;
    let index = indices.estimate(sequenceNumber, this.#rolloverCounters.get(ssrc) ?? 0);
    const isReplay = !indices.isNew(index);
    let isGenuine = !isReplay && this.#open(ssrc, index);
    if (!isGenuine && (stream === undefined || isTimeToTry(stream))) {
      index += 0x1_0000;
      isGenuine = indices.isNew(index) && this.#open(ssrc, index);
    }
    if (!isGenuine) {
      if (stream !== undefined) stream.failures++;
      return this.#drop(isReplay ? 'replayed' : 'unauthentic');
    }
    const known = stream ?? this.#remember(ssrc);
    known.failures = 0;
    known.index.accept(index);
    return textEnd;
  }

  /**
   * Checks the SRTCP packet that stands at `[start, end)` of `bytes` and decrypts it in place, unless it was sent in clear
   * (E flag).
   * @returns the end of the compound RTCP packet, or 0 when it was dropped, and then the bytes are as they were
   */
  unprotectRtcp(bytes: Uint8Array, start: number, end: number): number {
    const { cipher, profile, salt, masterKeyIdentifier, tagBytes } = this.#rtcp;
    const textEnd = end - RTCP_WORD_BYTES - masterKeyIdentifier.length - tagBytes;
    if (textEnd - start < RTCP_CLEAR_BYTES || bytes[start]! >>> 6 !== 2) return this.#drop('malformed');
    const isAead = profile.transform === 'aes-gcm';
    const wordAt = isAead ? textEnd + tagBytes : textEnd;
    if (!hasIdentifier(bytes, wordAt + RTCP_WORD_BYTES, masterKeyIdentifier)) return this.#drop('malformed');
    const ssrc = getU32(bytes, start + 4);
    const word = getU32(bytes, wordAt);
    const index = word & INDEX_MASK;
    const known = this.#rtcpIndices.get(ssrc);
    if (known === undefined && this.#rtcpIndices.size >= MAX_RECEIVED_SSRCS) return this.#drop('overLimit');
    if (known?.isNew(index) === false) return this.#drop('replayed');
    const isEncrypted = (word & ENCRYPTED_FLAG) !== 0;
    const job = this.#job;
    job.bytes = bytes;
    job.start = start;
    job.textStart = isEncrypted ? start + RTCP_CLEAR_BYTES : textEnd;
    job.textEnd = textEnd;
    job.tagAt = isAead ? textEnd : end - tagBytes;
    job.hasWord = true;
    job.word = word;
    writeIv(job, salt, ssrc, index);
    if (!cipher.open(job)) return this.#drop('unauthentic');
    const indices = known ?? new PacketIndex();
    if (known === undefined) this.#rtcpIndices.set(ssrc, indices);
    indices.accept(index);
    return textEnd;
  }

  #open(ssrc: number, index: number): boolean {
    const job = this.#job;
    job.word = rolloverCounterOf(index);
    writeIv(job, this.#rtp.salt, ssrc, index);
    return this.#rtp.cipher.open(job);
  }

  #remember(ssrc: number): ReceivedStream {
    const stream = new ReceivedStream();
    this.#streams.set(ssrc, stream);
    return stream;
  }

  #drop(reason: keyof SrtpDropCounters): 0 {
    this.dropped[reason]++;
    return 0;
  }
}

/** Forged packets must not cost twice for long. */
function isTimeToTry(stream: ReceivedStream): boolean {
  return stream.failures < EAGER_TRIES || stream.failures % EAGER_TRIES === 0;
}

function hasIdentifier(bytes: Uint8Array, at: number, identifier: Uint8Array): boolean {
  for (let i = 0; i < identifier.length; i++) if (bytes[at + i] !== identifier[i]) return false;
  return true;
}
