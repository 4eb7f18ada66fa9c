import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { srtpProvider } from '../../io/srtp-crypto.ts';
import { mikeyMessageOf } from '../../protocol/mikey/mikey-srtp.ts';
import { writeMikeyMessage } from '../../protocol/mikey/mikey-writer.ts';
import type { SrtpKeys } from '../../protocol/srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
import { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import { protectedRtcp } from './srtp-reception.ts';

/** What GStreamer, live555 and everybody else has. */
const PROFILE: SrtpProfileName = 'AES_CM_128_HMAC_SHA1_80';

/** Random bytes in a MIKEY message (RFC 3830 §6.11). */
const RANDOM_BYTES = 16;

/**
 * The key of one media session: all who may play it are told the same, so that packets are encrypted once. It is told in
 * clear, inside of connections that nobody else can read.
 */
export class SrtpProtection {
  readonly sender: SrtpSender;
  readonly #keys: SrtpKeys;

  constructor() {
    const { keyBytes, saltBytes } = SRTP_PROFILES[PROFILE];
    this.#keys = {
      profile: PROFILE,
      masterKey: nodeHandshakeCrypto.randomBytes(keyBytes),
      masterSalt: nodeHandshakeCrypto.randomBytes(saltBytes),
    };
    this.sender = new SrtpSender(this.#keys, srtpProvider().crypto);
  }

  /** What a client has to know of a source: a MIKEY message (RFC 4567). */
  keyMessageOf(ssrc: number): Uint8Array {
    return keyMessage(this.#keys, new Map([[ssrc, this.sender.rolloverCounter(ssrc) ?? 0]]));
  }

  /** A compound RTCP packet as SRTCP, in a new buffer; empty when the key is used up. */
  protectRtcp(packet: Uint8Array): Uint8Array {
    return protectedRtcp(this.sender, packet);
  }
}

/**
 * A MIKEY message with these keys in clear.
 * @param rolloverCounters of each SSRC that is sent with them
 */
export function keyMessage(keys: SrtpKeys, rolloverCounters: ReadonlyMap<number, number>): Uint8Array {
  const random = nodeHandshakeCrypto.randomBytes(RANDOM_BYTES + 4);
  return writeMikeyMessage(
    mikeyMessageOf({
      keys,
      rolloverCounters,
      cryptoSessionBundleId: new DataView(random.buffer, random.byteOffset).getUint32(RANDOM_BYTES),
      random: random.subarray(0, RANDOM_BYTES),
      unixTimeMs: Date.now(),
    }),
  );
}
