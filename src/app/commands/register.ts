import { parseRtspUrl, writeRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { registerStream } from '../../server/client/register-stream.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { interruption } from './interruption.ts';

const HELP = `millrace register <server> <url> [suffix]

Asks a server, of Millrace with "rtsp.register" or live555ProxyServer -R, to pull a stream when somebody watches it there.
Both are rtsp:// or rtsps://; user:password@ in the first is for REGISTER itself, in the second for pulling. The suffix is
what the stream is called there.

  --deregister     ask it to let the stream be
  --interleaved    have it pulled by TCP
${CLIENT_OPTIONS_HELP}
`;

/** `millrace register`. */
export async function register(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    deregister: { type: 'boolean' },
    interleaved: { type: 'boolean' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [serverText, url, suffix, ...extra] = positionals;
  if (serverText === undefined || url === undefined || extra.length > 0) {
    throw new UsageError('register takes two URLs and a name: millrace register <server> <url> [suffix]');
  }
  const server = parseRtspUrl(serverText);
  const target = parseRtspUrl(url);
  if (server === undefined || target === undefined || server.scheme === 'rtspu' || target.scheme === 'rtspu') {
    throw new UsageError('register takes URLs that begin with rtsp:// or rtsps://');
  }
  if (/\s/.test(url)) throw new UsageError('the URL holds a blank: write it as %20');
  if (suffix !== undefined && !/^[^\s;,"]+$/.test(suffix)) {
    throw new UsageError('the suffix may hold neither blanks nor quotes, commas and semicolons');
  }
  const { signal, dispose } = interruption();
  const method = values.deregister === true ? 'DEREGISTER' : 'REGISTER';
  try {
    const answer = await registerStream({
      ...clientSettings(values),
      method,
      server,
      url,
      transport: { preferred: values.interleaved === true ? 'interleaved' : 'udp', suffix },
      signal,
    });
    if (answer.statusCode !== 200) {
      process.stderr.write(`millrace: ${method} was answered with ${answer.statusCode} ${answer.reason}\n`);
      return EXIT.failed;
    }
    const location = answer.headers.get('Location') ?? writeRtspUrl(server);
    process.stdout.write(method === 'REGISTER' ? `registered: ${location}\n` : 'no longer registered\n');
    return EXIT.ok;
  } finally {
    dispose();
  }
}
