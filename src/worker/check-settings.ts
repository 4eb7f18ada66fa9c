import { parseDtlsCertificatePem } from '../io/dtls-certificate-pem.ts';
import { readSettingsFile } from '../io/worker-host.ts';
import { parseWorkerSettings, type WorkerSettings } from './worker-settings.ts';

/**
 * Reads a worker's command line, and the files it names.
 * @throws TypeError for unknown options and wrong values
 * @throws ConfigError for files that cannot be read or hold something else
 */
export function checkedWorkerSettings(args: readonly string[]): WorkerSettings {
  const settings = parseWorkerSettings(args);
  const { dtlsCertificateFile, dtlsPrivateKeyFile } = settings;
  if (dtlsCertificateFile !== undefined && dtlsPrivateKeyFile !== undefined) {
    parseDtlsCertificatePem({
      certificate: readSettingsFile(dtlsCertificateFile),
      privateKey: readSettingsFile(dtlsPrivateKeyFile),
      certificatePath: dtlsCertificateFile,
      privateKeyPath: dtlsPrivateKeyFile,
    });
  }
  return settings;
}
