import { FilePush } from '../../server/client/file-push.ts';
import { parseRtmpAddress } from '../../server/client/media-address.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseCount } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { interruption } from './interruption.ts';
import { ProgressLine } from './progress-line.ts';

const HELP = `millrace publish <file.flv> <rtmp[s]://host/app/stream>

Publishes a file as a live stream: once, in the time the file takes, unless told otherwise. Follows redirects and
requests to reconnect. Ctrl-C unpublishes.

  --loop           begin again at the end
  --fast           as fast as the server takes it
  --retry <n>      when the connection is lost or refused, try again up to n times in a row; 0 by default
${CLIENT_OPTIONS_HELP}
`;

/** `millrace publish`. */
export async function publish(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    loop: { type: 'boolean' },
    fast: { type: 'boolean' },
    retry: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [path, target, ...extra] = positionals;
  if (path === undefined || target === undefined || extra.length > 0) {
    throw new UsageError('publish takes a file and a URL: millrace publish <file.flv> <rtmp://host/app/stream>');
  }
  const url = parseRtmpAddress(target);
  if (typeof url === 'string') throw new UsageError(url);
  const settings = clientSettings(values);
  const retries = parseCount('--retry', values.retry) ?? 0;
  const { signal, dispose } = interruption();
  const push = new FilePush({
    ...settings,
    path,
    url,
    loop: values.loop === true,
    fast: values.fast === true,
    retries,
    signal,
  });
  const line = new ProgressLine(() => {
    const { state, timeMs, sentBytes, frames, videoFrames, bufferedBytes } = push.progress;
    const counts = { timeMs, bytes: sentBytes, frames, pictures: videoFrames || frames, bufferedBytes };
    return state === 'publishing' ? counts : { ...counts, note: `${state} …` };
  });
  try {
    await push.run();
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}
