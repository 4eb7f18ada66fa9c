import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import type { SctpCrypto } from './sctp-crypto.ts';

/** What the peer said at setup, and what both agree on. */
export interface Agreement {
  readonly peerTag: number;
  readonly peerInitialTsn: number;
  readonly peerWindowBytes: number;
  /** Streams we may send on and those the peer may. */
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly hasForwardTsn: boolean;
  readonly isInterleaved: boolean;
  readonly hasReConfig: boolean;
  /** The peer takes packets without checksum. */
  readonly isZeroChecksumTaken: boolean;
}

/** What a state cookie holds (RFC 9260 §5.1.3). */
export interface CookieState {
  readonly createdAtMs: number;
  readonly lifetimeMs: number;
  readonly localTag: number;
  readonly localInitialTsn: number;
  /** Tags of an association that existed when the cookie was made; 0 for none (RFC 9260 §5.2). */
  readonly tieLocalTag: number;
  readonly tiePeerTag: number;
  readonly agreement: Agreement;
}

const KEY_BYTES = 32;
const MAC_BYTES = 32;
const STATE_BYTES = 8 + 4 + 4 * 4 + 3 * 4 + 2 * 2 + 1;
const FLAG = { forwardTsn: 1, interleaved: 2, reConfig: 4, zeroChecksum: 8 } as const;

/** Makes and reads the cookies of one endpoint, with a key only it has. */
export class StateCookies {
  readonly #crypto: SctpCrypto;
  readonly #key: Uint8Array;

  constructor(crypto: SctpCrypto) {
    this.#crypto = crypto;
    this.#key = crypto.randomBytes(KEY_BYTES);
  }

  seal(state: CookieState): Uint8Array {
    const { agreement } = state;
    const writer = new ByteWriter(STATE_BYTES + MAC_BYTES);
    writer.f64(state.createdAtMs).u32(state.lifetimeMs);
    writer.u32(state.localTag).u32(state.localInitialTsn).u32(state.tieLocalTag).u32(state.tiePeerTag);
    writer.u32(agreement.peerTag).u32(agreement.peerInitialTsn).u32(agreement.peerWindowBytes);
    writer.u16(agreement.outboundStreams).u16(agreement.inboundStreams);
    writer.u8(
      (agreement.hasForwardTsn ? FLAG.forwardTsn : 0) |
        (agreement.isInterleaved ? FLAG.interleaved : 0) |
        (agreement.hasReConfig ? FLAG.reConfig : 0) |
        (agreement.isZeroChecksumTaken ? FLAG.zeroChecksum : 0),
    );
    const body = writer.finish();
    return new ByteWriter(STATE_BYTES + MAC_BYTES).raw(body).raw(this.#crypto.hmacSha256(this.#key, body)).finish();
  }

  /** What a cookie says; undefined when it is not one of ours. Its age is for the caller to judge. */
  open(cookie: Uint8Array): CookieState | undefined {
    if (cookie.length !== STATE_BYTES + MAC_BYTES) return undefined;
    const body = cookie.subarray(0, STATE_BYTES);
    if (!this.#crypto.isEqual(this.#crypto.hmacSha256(this.#key, body), cookie.subarray(STATE_BYTES))) return undefined;
    const reader = new ByteReader(body);
    const createdAtMs = reader.f64();
    const lifetimeMs = reader.u32();
    const localTag = reader.u32();
    const localInitialTsn = reader.u32();
    const tieLocalTag = reader.u32();
    const tiePeerTag = reader.u32();
    const peerTag = reader.u32();
    const peerInitialTsn = reader.u32();
    const peerWindowBytes = reader.u32();
    const outboundStreams = reader.u16();
    const inboundStreams = reader.u16();
    const flags = reader.u8();
    const agreement = {
      peerTag,
      peerInitialTsn,
      peerWindowBytes,
      outboundStreams,
      inboundStreams,
      hasForwardTsn: (flags & FLAG.forwardTsn) !== 0,
      isInterleaved: (flags & FLAG.interleaved) !== 0,
      hasReConfig: (flags & FLAG.reConfig) !== 0,
      isZeroChecksumTaken: (flags & FLAG.zeroChecksum) !== 0,
    };
    return { createdAtMs, lifetimeMs, localTag, localInitialTsn, tieLocalTag, tiePeerTag, agreement };
  }
}
