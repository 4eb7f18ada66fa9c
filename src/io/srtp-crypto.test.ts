import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { SrtpCrypto } from '../protocol/srtp/srtp-cipher.ts';
import { nodeSrtpCrypto } from './srtp-cipher.ts';
import { firstDifference, srtpProvider } from './srtp-crypto.ts';

/** Node 26.1 and later have node:ffi. */
const hasFfi =
  Number(process.versions.node.split('.')[0]) >= 26 &&
  process.platform === 'linux' &&
  process.env['MILLRACE_FFI'] !== 'off';

/** As `crypto`, but one byte of each packet it seals is wrong. */
function altered(crypto: SrtpCrypto, where: 'start' | 'textStart' | 'tagAt'): SrtpCrypto {
  return {
    encryptBlocks: (key, blocks) => crypto.encryptBlocks(key, blocks),
    createCipher(options) {
      const cipher = crypto.createCipher(options);
      return {
        seal(jobs, count) {
          cipher.seal(jobs, count);
          for (const job of jobs.slice(0, count)) job.bytes[job[where]]! ^= 1;
        },
        open: (job) => cipher.open(job),
      };
    },
  };
}

describe('provider of SRTP', () => {
  it('is the OpenSSL inside Node wherever it can be called', () => {
    expect(srtpProvider()).toMatchObject(hasFfi ? { name: 'openssl', reason: undefined } : { name: 'portable' });
  });

  it('is the portable one when the environment says so', () => {
    const script = "console.log(JSON.stringify((await import('./src/io/srtp-crypto.ts')).srtpProvider()))";
    const out = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      env: { ...process.env, MILLRACE_FFI: 'off' },
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toMatchObject({ name: 'portable', reason: 'MILLRACE_FFI=off' });
  });
});

describe('self-test of a provider', () => {
  it('finds nothing where both do the same', () => {
    expect(firstDifference(srtpProvider().crypto, nodeSrtpCrypto)).toBeUndefined();
  });

  it.each([
    ['a wrong tag', 'tagAt'],
    ['a wrong text', 'textStart'],
    ['a changed header', 'start'],
  ] as const)('finds %s', (_, where) => {
    expect(firstDifference(altered(nodeSrtpCrypto, where), nodeSrtpCrypto)).toMatch(
      /^AEAD_AES_256_GCM differs for RTP/,
    );
  });

  it('finds one that opens what was forged', () => {
    const trusting: SrtpCrypto = {
      encryptBlocks: (key, blocks) => nodeSrtpCrypto.encryptBlocks(key, blocks),
      createCipher: (options) => {
        const cipher = nodeSrtpCrypto.createCipher(options);
        return { seal: (jobs, count) => cipher.seal(jobs, count), open: () => true };
      },
    };
    expect(firstDifference(trusting, nodeSrtpCrypto)).toBeDefined();
  });
});
