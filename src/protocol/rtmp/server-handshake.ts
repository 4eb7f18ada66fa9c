import type { ProtocolError } from '../../wire/errors.ts';
import {
  type DigestSchema,
  findDigest,
  HANDSHAKE_SIZE,
  type HandshakeCrypto,
  makeSignedEcho,
  writeDigest,
} from './handshake-digest.ts';
import { type RtmpErrorCode, rtmpError } from './rtmp-error.ts';

/** Longest RTMP proxy header taken. Known senders use 4 bytes (an IPv4 address). */
export const RTMP_MAX_PROXY_HEADER_BYTES = 512;

/** First byte of the proxy header some load balancers put in front of C0: `F3 length(2) data[length]`. */
const PROXY_HEADER = 0xf3;
const RTMP_VERSION = 3;
/** Versions of the encrypted variants (RTMPE and its XTEA and Blowfish kin). */
const ENCRYPTED_VERSIONS: ReadonlySet<number> = new Set([6, 8, 9]);
const C0C1_SIZE = 1 + HANDSHAKE_SIZE;
/** What servers of this kind say in S1; below 3 in its first byte, so that FFmpeg does not ask for SWF verification. */
const SERVER_VERSION = [0x01, 0x00, 0x05, 0x04] as const;

/** Which handshake a peer does. */
export type HandshakeKind = 'simple' | 'complex-schema-0' | 'complex-schema-1';

/** What a handshake has to say; `done` and `failed` are final. */
export type HandshakeEvent =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** A load balancer told the client's real IPv4 address. Only to be believed from balancers one knows. */
  | { readonly type: 'proxied'; readonly address: string }
  /** `rest` is what followed the handshake: a view into the input, valid until the next call. */
  | { readonly type: 'done'; readonly kind: HandshakeKind; readonly rest: Uint8Array }
  | { readonly type: 'failed'; readonly error: ProtocolError };

/** The kind's name for a digest schema. */
export function kindOfSchema(schema: DigestSchema): HandshakeKind {
  return schema === 0 ? 'complex-schema-0' : 'complex-schema-1';
}

/**
 * The server's side of the handshake (RTMP 1.0 §5.2): takes C0, C1 and C2, gives S0, S1 and S2 in one piece. A C1 with
 * a valid digest under either schema gets the signed answer, any other C1 the plain echo. The content of C2 is not
 * looked at: no client is known to need that, several get it wrong.
 */
export class ServerHandshake {
  readonly #crypto: HandshakeCrypto;
  #stage: 'version' | 'proxy-header' | 'c1' | 'c2' | 'over' = 'version';
  #pending: Uint8Array = new Uint8Array(0);
  #kind: HandshakeKind = 'simple';

  constructor(crypto: HandshakeCrypto) {
    this.#crypto = crypto;
  }

  /** Takes input, cut anywhere. After `done` or `failed` it gives nothing any more. */
  receive(bytes: Uint8Array, nowMs: number): HandshakeEvent[] {
    const events: HandshakeEvent[] = [];
    let input = this.#take(bytes);
    while (this.#stage !== 'over') {
      const used = this.#step(input, nowMs, events);
      if (used === 0) break;
      input = input.subarray(used);
    }
    // At most one header or packet waits here; views of the caller's buffer are not kept.
    this.#pending = this.#stage === 'over' ? new Uint8Array(0) : new Uint8Array(input);
    return events;
  }

  #take(bytes: Uint8Array): Uint8Array {
    if (this.#pending.length === 0) return bytes;
    const joined = new Uint8Array(this.#pending.length + bytes.length);
    joined.set(this.#pending);
    joined.set(bytes, this.#pending.length);
    return joined;
  }

  /** Does the next step if its bytes are there; gives how many it used. */
  #step(input: Uint8Array, nowMs: number, events: HandshakeEvent[]): number {
    if (input.length === 0) return 0;
    if (this.#stage === 'version' || this.#stage === 'proxy-header') {
      if (this.#stage === 'version' && input[0] === PROXY_HEADER) return this.#readProxyHeader(input, events);
      const error = checkVersion(input[0]!);
      if (error !== undefined) {
        // RTMP 1.0 §5.2.2: answer an unknown version with the one we speak.
        events.push({ type: 'send', bytes: Uint8Array.of(RTMP_VERSION) }, { type: 'failed', error });
        this.#stage = 'over';
        return 0;
      }
      this.#stage = 'c1';
    }
    if (this.#stage === 'c1') {
      if (input.length < C0C1_SIZE) return 0;
      events.push({ type: 'send', bytes: this.#answer(input.subarray(1, C0C1_SIZE), nowMs) });
      this.#stage = 'c2';
      return C0C1_SIZE;
    }
    if (input.length < HANDSHAKE_SIZE) return 0;
    this.#stage = 'over';
    events.push({ type: 'done', kind: this.#kind, rest: input.subarray(HANDSHAKE_SIZE) });
    return HANDSHAKE_SIZE;
  }

  #readProxyHeader(input: Uint8Array, events: HandshakeEvent[]): number {
    if (input.length < 3) return 0;
    const size = (input[1]! << 8) | input[2]!;
    if (size > RTMP_MAX_PROXY_HEADER_BYTES) {
      events.push(failure('rtmp/proxy-header-too-long', `RTMP proxy header of ${size} bytes`));
      this.#stage = 'over';
      return 0;
    }
    if (input.length < 3 + size) return 0;
    if (size >= 4) events.push({ type: 'proxied', address: input.subarray(3, 7).join('.') });
    // Only one header: a second F3 is a wrong version.
    this.#stage = 'proxy-header';
    return 3 + size;
  }

  /** S0, S1 and S2 for `c1`. */
  #answer(c1: Uint8Array, nowMs: number): Uint8Array {
    const out = new Uint8Array(1 + 2 * HANDSHAKE_SIZE);
    out[0] = RTMP_VERSION;
    const s1 = out.subarray(1, C0C1_SIZE);
    s1.set(this.#crypto.randomBytes(HANDSHAKE_SIZE));
    writeTime(s1, nowMs);
    const found = findDigest(this.#crypto, 'client', c1);
    if (found === undefined) {
      s1.set(c1.subarray(0, 4), 4);
      out.set(c1, C0C1_SIZE);
      return out;
    }
    this.#kind = kindOfSchema(found.schema);
    s1.set(SERVER_VERSION, 4);
    writeDigest(this.#crypto, { side: 'server', schema: found.schema, packet: s1 });
    out.set(makeSignedEcho(this.#crypto, 'server', found.digest), C0C1_SIZE);
    return out;
  }
}

/** Writes the time field of C1 or S1: milliseconds, low 32 bits. */
export function writeTime(packet: Uint8Array, nowMs: number): void {
  const time = Math.trunc(nowMs) >>> 0;
  packet[0] = time >>> 24;
  packet[1] = time >>> 16;
  packet[2] = time >>> 8;
  packet[3] = time;
}

function checkVersion(version: number): ProtocolError | undefined {
  if (version === RTMP_VERSION) return undefined;
  if (ENCRYPTED_VERSIONS.has(version)) {
    return rtmpError('rtmp/encryption-unsupported', `RTMPE (version ${version}) is not supported; use RTMPS`);
  }
  if (version === 0x16) return rtmpError('rtmp/not-rtmp', 'TLS on a plain RTMP port');
  if (version >= 0x41 && version <= 0x5a) return rtmpError('rtmp/not-rtmp', 'HTTP or other text on an RTMP port');
  return rtmpError('rtmp/unsupported-version', `RTMP version ${version}`);
}

function failure(code: RtmpErrorCode, message: string): HandshakeEvent {
  return { type: 'failed', error: rtmpError(code, message) };
}
