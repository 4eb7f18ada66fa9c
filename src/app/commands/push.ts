import { parseMediaAddress } from '../../server/client/media-address.ts';
import { type PushSource, SourcePush } from '../../server/rtsp-client/source-push.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseCount } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { interruption } from './interruption.ts';
import { ProgressLine } from './progress-line.ts';
import { isRtsp, parseRtspTarget, parseTransport, TRANSPORT_HELP, TRANSPORT_OPTION } from './rtsp-options.ts';

const HELP = `millrace push <file.flv|url> <rtsp[s]://[user:password@]host/path>

Publishes to an RTSP server by ANNOUNCE and RECORD: a file, once and in the time it takes unless told otherwise, or what
another server has: rtmp[s]://…, rtsp[s]://…, http[s]://….flv or ws[s]://….flv. Ends with its source, or on Ctrl-C.

  --loop           begin a file again at its end
  --fast           a file as fast as the server takes it; by TCP unless --transport says otherwise
  --retry <n>      when the connection is lost or refused, try again up to n times in a row; 0 by default
${TRANSPORT_HELP}
${CLIENT_OPTIONS_HELP}
`;

/** `millrace push`. */
export async function push(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    ...TRANSPORT_OPTION,
    loop: { type: 'boolean' },
    fast: { type: 'boolean' },
    retry: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [from, target, ...extra] = positionals;
  if (from === undefined || target === undefined || extra.length > 0) {
    throw new UsageError('push takes a file or URL, and a URL: millrace push <file.flv|url> <rtsp://host/path>');
  }
  const fast = values.fast === true;
  const source = parseSource(from, values.loop === true, fast);
  const url = parseRtspTarget(target);
  const settings = clientSettings(values);
  const retries = parseCount('--retry', values.retry) ?? 0;
  const transport = parseTransport(values.transport ?? (fast ? 'tcp' : undefined));
  const { signal, dispose } = interruption();
  const pushing = new SourcePush({ ...settings, source, url, transport, retries, signal });
  const line = new ProgressLine(() => {
    const { state, timeMs, sentBytes, frames, videoFrames, bufferedBytes } = pushing.progress;
    const counts = { timeMs, bytes: sentBytes, frames, pictures: videoFrames || frames, bufferedBytes };
    return state === 'pushing' ? counts : { ...counts, note: `${state} …` };
  });
  try {
    await pushing.run();
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}

function parseSource(text: string, loop: boolean, fast: boolean): PushSource {
  if (isRtsp(text)) return only({ type: 'rtsp', url: parseRtspTarget(text) }, loop, fast);
  const address = parseMediaAddress(text);
  if (typeof address === 'string') throw new UsageError(address);
  if (address.type !== 'file') return only({ type: 'flv', address }, loop, fast);
  return { type: 'file', path: address.text, loop, fast };
}

function only(source: PushSource, loop: boolean, fast: boolean): PushSource {
  if (loop || fast) throw new UsageError(`${loop ? '--loop' : '--fast'} is for files`);
  return source;
}
