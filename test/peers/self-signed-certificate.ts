import { join } from 'node:path';
import { PeerProcess, words } from './peer-process.ts';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for localhost and 127.0.0.1 with openssl, good for a day. */
export async function makeSelfSignedCertificate(directory: string): Promise<CertificateFiles> {
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  const openssl = PeerProcess.start({
    program: 'openssl',
    args: [
      ...words('req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'),
      ...words('-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1'),
      '-keyout',
      key,
      '-out',
      cert,
    ],
    timeoutMs: 20_000,
  });
  await openssl.succeeded();
  return { cert, key };
}
