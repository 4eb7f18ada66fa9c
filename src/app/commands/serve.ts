import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseConfiguration } from '../../server/config/load-configuration.ts';
import { EXIT } from '../exit-code.ts';
import { Millrace } from '../millrace.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { readConfigurationFile } from './configuration-file.ts';

const HELP = `millrace [config.yml] [--demo]

Starts the server. Without a configuration it listens on 1935 (RTMP), 8080 (HTTP) and 8554 (RTSP).

  --demo   publish a built-in clip as live/demo
  --help   this text
`;

/** How long sessions may take to end after a signal before the process leaves, milliseconds. */
const SHUTDOWN_LIMIT_MS = 5_000;

/** Starts the server and runs until SIGINT or SIGTERM. */
export async function serve(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    help: { type: 'boolean', short: 'h' },
    demo: { type: 'boolean' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [path, ...extra] = positionals;
  if (extra.length > 0) throw new UsageError(`unexpected "${extra[0]}"; "millrace --help" lists the commands`);
  // A word that is no file is more likely a mistyped command than a lost configuration.
  if (path !== undefined && /^[a-z]+$/.test(path) && !existsSync(path)) {
    throw new UsageError(`there is no command and no file "${path}"; "millrace --help" lists the commands`);
  }
  const configuration = path === undefined ? parseConfiguration('') : await readConfigurationFile(path);
  const demo = values.demo === true;
  const server = await Millrace.startChecked(configuration, { demo });
  process.stdout.write(greeting(server, demo));
  const signal = await terminationSignal();
  process.stdout.write(`${signal}: closing\n`);
  const limit = setTimeout(() => process.exit(EXIT.failed), SHUTDOWN_LIMIT_MS);
  await server.close();
  clearTimeout(limit);
  return EXIT.ok;
}

function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/** The addresses to open, publish to and play, for this machine and for others in its network. */
function greeting(server: Millrace, demo: boolean): string {
  const lines = ['Millrace is running.', ''];
  const { rtmp, rtmps, http, rtsp, rtsps } = server.ports;
  for (const host of ['localhost', ...lanAddresses()]) {
    const [rtmpPort, rtmpsPort, httpPort] = [rtmp[0], rtmps[0], http[0]];
    if (httpPort !== undefined) lines.push(`  open     http://${host}:${httpPort}/`);
    if (rtmpPort !== undefined) lines.push(`  publish  ${rtmpUrl('rtmp', host, rtmpPort, 1935)}/live/<name>`);
    if (rtmpsPort !== undefined) lines.push(`  publish  ${rtmpUrl('rtmps', host, rtmpsPort, 443)}/live/<name>`);
    const name = demo ? 'demo' : '<name>';
    if (rtmpPort !== undefined) lines.push(`  play     ${rtmpUrl('rtmp', host, rtmpPort, 1935)}/live/${name}`);
    if (httpPort !== undefined) {
      lines.push(`           http://${host}:${httpPort}/live/${name}.flv   (.ts, and ws:// for both)`);
    }
    const [rtspPort, rtspsPort] = [rtsp[0], rtsps[0]];
    if (rtspPort !== undefined) lines.push(`           rtsp://${host}:${rtspPort}/live/${name}`);
    if (rtspsPort !== undefined) lines.push(`           rtsps://${host}:${rtspsPort}/live/${name}`);
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

function rtmpUrl(schema: string, host: string, port: number, defaultPort: number): string {
  return port === defaultPort ? `${schema}://${host}` : `${schema}://${host}:${port}`;
}

/** IPv4 addresses other machines may know this one by. */
function lanAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => address.family === 'IPv4' && !address.internal)
    .map((address) => address.address);
}
