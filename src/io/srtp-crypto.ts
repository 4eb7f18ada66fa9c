import { randomBytes } from 'node:crypto';
import { type SrtpCipher, type SrtpCipherOptions, type SrtpCrypto, SrtpJob } from '../protocol/srtp/srtp-cipher.ts';
import { SRTP_PROFILES } from '../protocol/srtp/srtp-profile.ts';
import { OpenSslSrtp } from './ffi/openssl-srtp.ts';
import { nodeSrtpCrypto } from './srtp-cipher.ts';

/** Sizes of the packets that are tried, bytes behind the header: ends of blocks of AES and SHA-1, and the longest. */
const SELF_TEST_SIZES: readonly number[] = [0, 1, 15, 16, 17, 35, 36, 43, 44, 107, 108, 1100, 65_000];

/** What protects packets here. */
export interface SrtpProvider {
  readonly crypto: SrtpCrypto;
  /** `portable`: each packet through `node:crypto`. `openssl`: the same library, called without objects. */
  readonly name: 'portable' | 'openssl';
  /** Why it is not the fast one, for logs; undefined when it is. */
  readonly reason: string | undefined;
}

let chosen: SrtpProvider | undefined;

/**
 * The fastest cryptography for SRTP that works here, looked for once. `MILLRACE_FFI=off` in the environment says not to
 * look further than `node:crypto`.
 */
export function srtpProvider(): SrtpProvider {
  chosen ??= choose();
  return chosen;
}

function choose(): SrtpProvider {
  const portable = (reason: string): SrtpProvider => ({ crypto: nodeSrtpCrypto, name: 'portable', reason });
  if (process.env['MILLRACE_FFI'] === 'off') return portable('MILLRACE_FFI=off');
  try {
    const openSsl = OpenSslSrtp.load();
    const crypto: SrtpCrypto = {
      encryptBlocks: (key, blocks) => nodeSrtpCrypto.encryptBlocks(key, blocks),
      createCipher: (options) => openSsl.createCipher(options),
    };
    const fault = firstDifference(crypto, nodeSrtpCrypto);
    return fault === undefined ? { crypto, name: 'openssl', reason: undefined } : portable(fault);
  } catch (error) {
    return portable((error as Error).message);
  }
}

/** Whether two ciphers make the same of the same packets, bit for bit, and refuse the same: undefined, or what differs. */
export function firstDifference(tested: SrtpCrypto, reference: SrtpCrypto): string | undefined {
  for (const [name, profile] of Object.entries(SRTP_PROFILES)) {
    for (const [kind, tagBytes] of [
      ['RTP', profile.rtpTagBytes],
      ['RTCP', profile.rtcpTagBytes],
    ] as const) {
      const options: SrtpCipherOptions = {
        transform: profile.transform,
        encryptionKey: randomBytes(profile.keyBytes),
        authenticationKey: randomBytes(profile.authenticationKeyBytes),
        tagBytes,
      };
      const a = tested.createCipher(options);
      const b = reference.createCipher(options);
      const hasWord = kind === 'RTCP' || profile.transform === 'aes-cm';
      for (const sizeBytes of SELF_TEST_SIZES) {
        if (!isSame(a, b, sizeBytes, tagBytes, hasWord)) return `${name} differs for ${kind} with ${sizeBytes} bytes`;
      }
    }
  }
  return undefined;
}

function isSame(a: SrtpCipher, b: SrtpCipher, sizeBytes: number, tagBytes: number, hasWord: boolean): boolean {
  const clearBytes = 12 + 4 * (sizeBytes % 5);
  const plain = randomBytes(clearBytes + sizeBytes + tagBytes + 4);
  const [first, second] = [jobOf(plain, clearBytes, sizeBytes, hasWord), jobOf(plain, clearBytes, sizeBytes, hasWord)];
  first.iv.set(randomBytes(14));
  second.iv.set(first.iv);
  const packetBytes = clearBytes + sizeBytes + tagBytes;
  const equals = (): boolean => bufferOf(first, packetBytes).equals(bufferOf(second, packetBytes));
  a.seal([first], 1);
  b.seal([second], 1);
  if (!equals()) return false;
  first.bytes[first.tagAt]! ^= 1;
  const altered = Buffer.from(first.bytes);
  if (a.open(first) || !altered.equals(first.bytes)) return false;
  first.bytes[first.tagAt]! ^= 1;
  return a.open(first) && bufferOf(first, clearBytes + sizeBytes).equals(plain.subarray(0, clearBytes + sizeBytes));
}

function jobOf(plain: Uint8Array, clearBytes: number, sizeBytes: number, hasWord: boolean): SrtpJob {
  const job = new SrtpJob();
  job.bytes = Uint8Array.from(plain);
  job.textStart = clearBytes;
  job.textEnd = clearBytes + sizeBytes;
  job.tagAt = job.textEnd;
  job.hasWord = hasWord;
  job.word = 0x8000_1234;
  return job;
}

function bufferOf(job: SrtpJob, sizeBytes: number): Buffer {
  return Buffer.from(job.bytes.buffer, job.bytes.byteOffset, sizeBytes);
}
