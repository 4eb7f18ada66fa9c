import { parseDtlsCertificatePem } from '../io/dtls-certificate-pem.ts';
import { readSettingsFile } from '../io/worker-host.ts';
import type { DtlsCertificate } from '../protocol/dtls/dtls-certificate.ts';
import { parseWorkerSettings, type WorkerSettings } from './worker-settings.ts';

/**
 * Reads a worker's command line, and the files it names.
 * @throws TypeError for unknown options and wrong values
 * @throws ConfigError for files that cannot be read or hold something else
 */
export function checkedWorkerSettings(args: readonly string[]): WorkerSettings {
  const settings = parseWorkerSettings(args);
  readCertificate(settings);
  return settings;
}

/** The certificate the settings name; undefined when they name none. @throws ConfigError */
export function readCertificate(settings: WorkerSettings): DtlsCertificate | undefined {
  const { dtlsCertificateFile: certificatePath, dtlsPrivateKeyFile: privateKeyPath } = settings;
  if (certificatePath === undefined || privateKeyPath === undefined) return undefined;
  const [certificate, privateKey] = [readSettingsFile(certificatePath), readSettingsFile(privateKeyPath)];
  return parseDtlsCertificatePem({ certificate, privateKey, certificatePath, privateKeyPath });
}
