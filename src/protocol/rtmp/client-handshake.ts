import {
  type DigestSchema,
  findDigest,
  HANDSHAKE_SIZE,
  type HandshakeCrypto,
  makeSignedEcho,
  writeDigest,
} from './handshake-digest.ts';
import { rtmpError } from './rtmp-error.ts';
import { type HandshakeEvent, type HandshakeKind, kindOfSchema, writeTime } from './server-handshake.ts';

const RTMP_VERSION = 3;
const S0S1_SIZE = 1 + HANDSHAKE_SIZE;
/** What Flash players of the time put in C1, and other clients after them. */
const CLIENT_VERSION = [0x80, 0x00, 0x07, 0x02] as const;

/**
 * The client's side of the handshake (RTMP 1.0 §5.2): complex with schema 1 unless told otherwise; a server that does
 * not sign S1 gets the plain echo. C2 leaves as soon as S1 is there; S2 is awaited but not checked.
 */
export class ClientHandshake {
  readonly #crypto: HandshakeCrypto;
  readonly #wanted: HandshakeKind;
  #pending: Uint8Array = new Uint8Array(0);
  #stage: 's1' | 's2' | 'over' = 's1';
  #kind: HandshakeKind = 'simple';

  constructor(crypto: HandshakeCrypto, kind: HandshakeKind = 'complex-schema-1') {
    this.#crypto = crypto;
    this.#wanted = kind;
  }

  /** C0 and C1. */
  start(nowMs: number): Uint8Array {
    const out = new Uint8Array(1 + HANDSHAKE_SIZE);
    out[0] = RTMP_VERSION;
    const c1 = out.subarray(1);
    c1.set(this.#crypto.randomBytes(HANDSHAKE_SIZE));
    writeTime(c1, nowMs);
    if (this.#wanted === 'simple') {
      c1.fill(0, 4, 8);
      return out;
    }
    const schema: DigestSchema = this.#wanted === 'complex-schema-0' ? 0 : 1;
    c1.set(CLIENT_VERSION, 4);
    writeDigest(this.#crypto, { side: 'client', schema, packet: c1 });
    return out;
  }

  /** Takes input, cut anywhere. After `done` or `failed` it gives nothing any more. */
  receive(bytes: Uint8Array): HandshakeEvent[] {
    const events: HandshakeEvent[] = [];
    if (this.#stage === 'over') return events;
    let input = bytes;
    if (this.#pending.length > 0) {
      input = new Uint8Array(this.#pending.length + bytes.length);
      input.set(this.#pending);
      input.set(bytes, this.#pending.length);
    }
    if (this.#stage === 's1' && input.length > 0 && input[0] !== RTMP_VERSION) {
      this.#stage = 'over';
      return [
        { type: 'failed', error: rtmpError('rtmp/unsupported-version', `the server speaks RTMP version ${input[0]}`) },
      ];
    }
    if (this.#stage === 's1' && input.length >= S0S1_SIZE) {
      events.push({ type: 'send', bytes: this.#answer(input.subarray(1, S0S1_SIZE)) });
      input = input.subarray(S0S1_SIZE);
      this.#stage = 's2';
    }
    if (this.#stage === 's2' && input.length >= HANDSHAKE_SIZE) {
      this.#stage = 'over';
      events.push({ type: 'done', kind: this.#kind, rest: input.subarray(HANDSHAKE_SIZE) });
      input = new Uint8Array(0);
    }
    // A copy; slice() of a Buffer would be a view.
    this.#pending = new Uint8Array(input);
    return events;
  }

  #answer(s1: Uint8Array): Uint8Array {
    const found = this.#wanted === 'simple' ? undefined : findDigest(this.#crypto, 'server', s1);
    if (found === undefined) return new Uint8Array(s1);
    this.#kind = kindOfSchema(found.schema);
    return makeSignedEcho(this.#crypto, 'client', found.digest);
  }
}
