import { joinBytes } from '../../wire/join-bytes.ts';
import type { CipherSuite } from './cipher-suites.tables.ts';
import type { DtlsCrypto, PrfHash } from './dtls-crypto.ts';

const MASTER_SECRET_BYTES = 48;
/** Length of what a Finished message says (RFC 5246 §7.4.9). */
export const VERIFY_DATA_BYTES = 12;

/** Labels the handshake itself uses: an exporter under one of them would give away its secrets (RFC 5705 §4). */
const RESERVED_LABELS: readonly string[] = [
  'client finished',
  'server finished',
  'master secret',
  'extended master secret',
  'key expansion',
];

const textEncoder = new TextEncoder();

/** What a function of random bytes is made from. */
export interface PrfInput {
  readonly hash: PrfHash;
  readonly secret: Uint8Array;
  /** ASCII. */
  readonly label: string;
  readonly seed: Uint8Array;
}

/** The pseudorandom function of TLS 1.2: `sizeBytes` bytes in a new buffer (RFC 5246 §5). */
export function prf(crypto: DtlsCrypto, { hash, secret, label, seed }: PrfInput, sizeBytes: number): Uint8Array {
  const hmac = crypto.hmac(hash, secret);
  const labelAndSeed = joinBytes([textEncoder.encode(label), seed]);
  const output = new Uint8Array(sizeBytes);
  let a = labelAndSeed;
  for (let at = 0; at < sizeBytes; ) {
    a = hmac(a);
    const block = hmac(joinBytes([a, labelAndSeed]));
    output.set(block.subarray(0, sizeBytes - at), at);
    at += block.length;
  }
  return output;
}

/** Keys of both directions (RFC 5246 §6.3). */
export interface TrafficKeys {
  readonly client: { readonly key: Uint8Array; readonly fixedIv: Uint8Array };
  readonly server: { readonly key: Uint8Array; readonly fixedIv: Uint8Array };
}

/** What the secrets of a session are derived from. The arrays are kept. */
export interface SecretsInput {
  readonly crypto: DtlsCrypto;
  readonly suite: CipherSuite;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  /** Outcome of the key exchange. */
  readonly premasterSecret: Uint8Array;
  /** Hash of the handshake up to ClientKeyExchange for the extended master secret (RFC 7627 §4); undefined for the plain one. */
  readonly sessionHash: Uint8Array | undefined;
}

/** Holds the master secret of a session and derives from it. */
export class SessionSecrets {
  readonly #crypto: DtlsCrypto;
  readonly #suite: CipherSuite;
  readonly #clientRandom: Uint8Array;
  readonly #serverRandom: Uint8Array;
  readonly #masterSecret: Uint8Array;

  constructor(input: SecretsInput) {
    const { crypto, suite, clientRandom, serverRandom, premasterSecret: secret, sessionHash } = input;
    this.#crypto = crypto;
    this.#suite = suite;
    this.#clientRandom = clientRandom;
    this.#serverRandom = serverRandom;
    const derivation =
      sessionHash === undefined
        ? { label: 'master secret', seed: joinBytes([clientRandom, serverRandom]) }
        : { label: 'extended master secret', seed: sessionHash };
    this.#masterSecret = prf(crypto, { hash: suite.hash, secret, ...derivation }, MASTER_SECRET_BYTES);
  }

  trafficKeys(): TrafficKeys {
    const { keyBytes, fixedIvBytes } = this.#suite;
    const seed = joinBytes([this.#serverRandom, this.#clientRandom]);
    const block = this.#derive('key expansion', seed, 2 * (keyBytes + fixedIvBytes));
    let at = 0;
    const next = (sizeBytes: number): Uint8Array => {
      at += sizeBytes;
      return block.subarray(at - sizeBytes, at);
    };
    const [clientKey, serverKey] = [next(keyBytes), next(keyBytes)];
    return {
      client: { key: clientKey, fixedIv: next(fixedIvBytes) },
      server: { key: serverKey, fixedIv: next(fixedIvBytes) },
    };
  }

  /** What the Finished message of that side says. @param transcriptHash of all messages before it */
  verifyData(side: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
    return this.#derive(`${side} finished`, transcriptHash, VERIFY_DATA_BYTES);
  }

  /**
   * Keying material for other protocols (RFC 5705 §4), in a new buffer; undefined for a label the handshake uses itself.
   * @param context at most 65,535 bytes. An empty one is not the same as none
   */
  export(label: string, context: Uint8Array | undefined, sizeBytes: number): Uint8Array | undefined {
    if (RESERVED_LABELS.includes(label)) return undefined;
    const seed = [this.#clientRandom, this.#serverRandom];
    if (context !== undefined) seed.push(Uint8Array.of(context.length >>> 8, context.length), context);
    return this.#derive(label, joinBytes(seed), sizeBytes);
  }

  #derive(label: string, seed: Uint8Array, sizeBytes: number): Uint8Array {
    return prf(this.#crypto, { hash: this.#suite.hash, secret: this.#masterSecret, label, seed }, sizeBytes);
  }
}
