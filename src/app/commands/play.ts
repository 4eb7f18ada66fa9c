import { openFlvSource } from '../../server/client/flv-source.ts';
import { parseMediaAddress } from '../../server/client/media-address.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseSeconds } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { FlvPlayer } from './flv-player.ts';
import { interruption } from './interruption.ts';
import { ProgressLine } from './progress-line.ts';

const HELP = `millrace play <url> [--out <file.flv>]

Plays a stream: rtmp[s]://host/app/stream, http[s]://host/app/stream.flv or ws[s]://host/app/stream.flv. Writes what
comes to a file, every body as received; without --out it only tells what comes. Ends with the stream, or on Ctrl-C.

  --out <file>     the FLV file to write; an old one is replaced
  --duration <s>   end after this time
${CLIENT_OPTIONS_HELP}
`;

/** `millrace play`. */
export async function play(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    out: { type: 'string' },
    duration: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [target, ...extra] = positionals;
  if (target === undefined || extra.length > 0) throw new UsageError('play takes one URL: millrace play <url>');
  const address = parseMediaAddress(target);
  if (typeof address === 'string') throw new UsageError(address);
  if (address.type === 'file') throw new UsageError(`"${target}" is no URL; "millrace probe" reads files`);
  const settings = clientSettings(values);
  const durationMs = parseSeconds('--duration', values.duration);
  const { signal, dispose } = interruption();
  const player = new FlvPlayer({ out: values.out, durationMs });
  const line = new ProgressLine(() => player.progress);
  try {
    await player.run(address.text, signal, (stopSignal) => openFlvSource(address, { ...settings, signal: stopSignal }));
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}
