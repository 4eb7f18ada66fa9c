import { parseMediaAddress } from '../../server/client/media-address.ts';
import { probeSource } from '../../server/client/probe-source.ts';
import type { StreamProbe } from '../../server/client/stream-probe.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseSeconds } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { interruption } from './interruption.ts';
import { formatProbeReport } from './probe-text.ts';
import { ProgressLine } from './progress-line.ts';

const HELP = `millrace probe <url|file.flv|file.ts>

Tells what a stream or a file is made of, and how regular it is. Takes rtmp[s]://, and FLV or MPEG-TS over http[s]://
and ws[s]:// or from a file.

  --json           as JSON (version 1): times in milliseconds, rates in bits a second, null for what is not known
  --seconds <s>    how much to measure; 5 by default, a file to its end
${CLIENT_OPTIONS_HELP}
`;

const DEFAULT_DURATION_MS = 5_000;

/** `millrace probe`. */
export async function probe(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    json: { type: 'boolean' },
    seconds: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [target, ...extra] = positionals;
  if (target === undefined || extra.length > 0) {
    throw new UsageError('probe takes one URL or file: millrace probe <url|file.flv|file.ts>');
  }
  const address = parseMediaAddress(target);
  if (typeof address === 'string') throw new UsageError(address);
  const settings = clientSettings(values);
  const durationMs =
    parseSeconds('--seconds', values.seconds) ?? (address.type === 'file' ? undefined : DEFAULT_DURATION_MS);
  const { signal, dispose } = interruption();
  let running: StreamProbe | undefined;
  const line = new ProgressLine(() => ({
    timeMs: (running?.durationUs ?? 0) / 1000,
    bytes: running?.bytes ?? 0,
    frames: running?.frames ?? 0,
    pictures: running?.frames ?? 0,
    ...(running === undefined || running.frames === 0 ? { note: 'waiting for media …' } : {}),
  }));
  try {
    const report = await probeSource(address, {
      ...settings,
      durationMs,
      signal,
      onProgress: (measured) => {
        running = measured;
      },
    });
    line.close();
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatProbeReport(report));
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}
