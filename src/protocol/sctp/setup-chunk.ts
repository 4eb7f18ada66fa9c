import { getU16, getU32 } from '../../wire/big-endian.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { CHUNK_TYPE, unknownTypeRule } from './chunk-type.ts';
import { CHUNK_HEADER_BYTES, paddedSize } from './packet-builder.ts';
import { MAX_COOKIE_BYTES, MAX_ECHOED_BYTES, MAX_REPORTED_UNKNOWN } from './sctp-limits.ts';

/** Parameter types of INIT and INIT ACK (RFC 9260 §3.3.2, RFC 5061, RFC 3758, RFC 9653). */
const PARAMETER = {
  ipv4Address: 5,
  ipv6Address: 6,
  stateCookie: 7,
  unrecognized: 8,
  cookiePreservative: 9,
  hostName: 11,
  supportedAddressTypes: 12,
  ecnCapable: 0x8000,
  zeroChecksumAcceptable: 0x8001,
  random: 0x8002,
  chunkList: 0x8003,
  hmacAlgorithms: 0x8004,
  padding: 0x8005,
  supportedExtensions: 0x8008,
  forwardTsnSupported: 0xc000,
  adaptationIndication: 0xc006,
} as const;

const ignoredParameters: ReadonlySet<number> = new Set([
  PARAMETER.ipv4Address,
  PARAMETER.ipv6Address,
  PARAMETER.unrecognized,
  PARAMETER.hostName,
  PARAMETER.supportedAddressTypes,
  PARAMETER.ecnCapable,
  PARAMETER.random,
  PARAMETER.chunkList,
  PARAMETER.hmacAlgorithms,
  PARAMETER.padding,
  PARAMETER.adaptationIndication,
]);

/** Error detection method of RFC 9653 §5.1: SCTP over DTLS (RFC 8261). */
export const EDMID_DTLS = 1;

const INIT_HEADER_BYTES = CHUNK_HEADER_BYTES + 16;

/** What INIT and INIT ACK say. */
export interface SetupChunk {
  /** Never 0. */
  readonly initiateTag: number;
  readonly receiveWindowBytes: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  readonly initialTsn: number;
  /** State cookie; in INIT ACK only. A copy. */
  readonly cookie?: Uint8Array;
  /** Longer life asked for the cookie, milliseconds; in INIT only. */
  readonly cookiePreservativeMs?: number;
  readonly hasForwardTsn: boolean;
  /** Chunk types of the Supported Extensions parameter (RFC 5061 §4.2.7). */
  readonly extensions: readonly number[];
  /** Error detection method with which the sender takes packets without checksum (RFC 9653), or undefined for none. */
  readonly zeroChecksumMethod?: number;
  /** Unknown parameters to report back, whole and as they came; copies, few and short. */
  readonly unrecognized: readonly Uint8Array[];
}

/**
 * Reads the INIT or INIT ACK chunk from `at` up to `end`, its length without padding. Undefined when it is malformed or
 * names values that do not exist: no tag, no streams, a cookie over `MAX_COOKIE_BYTES`.
 *
 * ```
 * |   Type = 1|2  |  Chunk Flags  |      Chunk Length             |
 * |                         Initiate Tag                          |
 * |           Advertised Receiver Window Credit (a_rwnd)          |
 * |  Number of Outbound Streams   |  Number of Inbound Streams    |
 * |                          Initial TSN                          |
 * |              Optional/Variable-Length Parameters              |
 * ```
 */
export function parseSetupChunk(bytes: Uint8Array, at: number, end: number): SetupChunk | undefined {
  if (end - at < INIT_HEADER_BYTES) return undefined;
  const initiateTag = getU32(bytes, at + 4);
  const outboundStreams = getU16(bytes, at + 12);
  const inboundStreams = getU16(bytes, at + 14);
  if (initiateTag === 0 || outboundStreams === 0 || inboundStreams === 0) return undefined;
  const unrecognized: Uint8Array[] = [];
  const extensions: number[] = [];
  let echoBytes = MAX_ECHOED_BYTES;
  let hasForwardTsn = false;
  let cookie: Uint8Array | undefined;
  let cookiePreservativeMs: number | undefined;
  let zeroChecksumMethod: number | undefined;
  for (let next = at + INIT_HEADER_BYTES; next + 4 <= end; ) {
    const type = getU16(bytes, next);
    const length = getU16(bytes, next + 2);
    if (length < 4 || next + length > end) return undefined;
    const value = next + 4;
    if (type === PARAMETER.stateCookie) {
      if (length - 4 > MAX_COOKIE_BYTES) return undefined;
      cookie = bytes.slice(value, next + length);
    } else if (type === PARAMETER.supportedExtensions) {
      for (let i = value; i < next + length && extensions.length < 256; i++) extensions.push(bytes[i]!);
    } else if (type === PARAMETER.forwardTsnSupported) hasForwardTsn = true;
    else if (type === PARAMETER.zeroChecksumAcceptable && length >= 8) zeroChecksumMethod = getU32(bytes, value);
    else if (type === PARAMETER.cookiePreservative && length >= 8) cookiePreservativeMs = getU32(bytes, value);
    else if (!ignoredParameters.has(type)) {
      const { isStop, isReported } = unknownTypeRule(type >>> 8);
      if (isReported && length <= echoBytes && unrecognized.length < MAX_REPORTED_UNKNOWN) {
        unrecognized.push(bytes.slice(next, next + length));
        echoBytes -= length;
      }
      if (isStop) break;
    }
    next += paddedSize(length);
  }
  return {
    initiateTag,
    receiveWindowBytes: getU32(bytes, at + 8),
    outboundStreams,
    inboundStreams,
    initialTsn: getU32(bytes, at + 16),
    hasForwardTsn,
    extensions,
    unrecognized,
    ...(cookie === undefined ? {} : { cookie }),
    ...(cookiePreservativeMs === undefined ? {} : { cookiePreservativeMs }),
    ...(zeroChecksumMethod === undefined ? {} : { zeroChecksumMethod }),
  };
}

/** The chunk of type INIT or INIT ACK that says `setup`; `unrecognized` go into it as they are, each as one to report. */
export function writeSetupChunk(type: 'init' | 'initAck', setup: SetupChunk): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(CHUNK_TYPE[type]).u8(0).u16(0);
  writer.u32(setup.initiateTag).u32(setup.receiveWindowBytes);
  writer.u16(setup.outboundStreams).u16(setup.inboundStreams).u32(setup.initialTsn);
  let end = writer.length;
  const parameter = (parameterType: number, value: Uint8Array): void => {
    while (writer.length % 4 !== 0) writer.u8(0);
    writer
      .u16(parameterType)
      .u16(4 + value.length)
      .raw(value);
    end = writer.length;
  };
  if (setup.cookie !== undefined) parameter(PARAMETER.stateCookie, setup.cookie);
  if (setup.cookiePreservativeMs !== undefined) {
    parameter(PARAMETER.cookiePreservative, new ByteWriter(4).u32(setup.cookiePreservativeMs).finish());
  }
  if (setup.hasForwardTsn) parameter(PARAMETER.forwardTsnSupported, new Uint8Array(0));
  if (setup.extensions.length > 0) parameter(PARAMETER.supportedExtensions, Uint8Array.from(setup.extensions));
  if (setup.zeroChecksumMethod !== undefined) {
    parameter(PARAMETER.zeroChecksumAcceptable, new ByteWriter(4).u32(setup.zeroChecksumMethod).finish());
  }
  for (const unknown of setup.unrecognized) parameter(PARAMETER.unrecognized, unknown);
  const chunk = writer.finish();
  chunk[2] = end >>> 8;
  chunk[3] = end;
  return chunk;
}
