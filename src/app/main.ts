import { ConfigError, MillraceError, ResourceError } from '../wire/errors.ts';
import { check } from './commands/check.ts';
import { UsageError } from './commands/command-line.ts';
import { play } from './commands/play.ts';
import { probe } from './commands/probe.ts';
import { publish } from './commands/publish.ts';
import { pull } from './commands/pull.ts';
import { push } from './commands/push.ts';
import { register } from './commands/register.ts';
import { serve } from './commands/serve.ts';
import { EXIT } from './exit-code.ts';
import { VERSION } from './version.ts';

const HELP = `Millrace ${VERSION}: a real-time media server

  millrace [config.yml] [--demo]         start the server
  millrace demo [config.yml]             the same with a built-in clip published as live/demo
  millrace check <config.yml>            say whether a configuration is right
  millrace publish <file.flv> <rtmp://host/app/stream>
  millrace play <url> [--out file.flv]   url: rtmp://…, http://….flv
  millrace probe <url|file.flv> [--json] what a stream is made of
  millrace push <file.flv|url> <rtsp://host/path>       publish to an RTSP server
  millrace pull <rtsp://host/path> <out.flv|rtmp://…|-> record or pass on what an RTSP server has
  millrace register <server> <url> [suffix]   have a server pull an RTSP stream
  millrace --help | --version

"millrace <command> --help" tells a command's options.
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong configuration.
`;

type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  serve,
  demo: (args) => serve(['--demo', ...args]),
  check,
  publish,
  play,
  probe,
  push,
  pull,
  register,
};

/** Runs the program with its arguments (without node and script) and resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  if (first === '--version' || first === '-v') {
    process.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  const named = first !== undefined && Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  try {
    return await (named === undefined ? serve(args) : named(rest));
  } catch (error) {
    return reportFailure(error);
  }
}

/** One line for the person at the terminal. What is not one of our errors is a bug and keeps its stack. */
function reportFailure(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return EXIT.configuration;
  }
  if (error instanceof ResourceError || error instanceof MillraceError) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return EXIT.failed;
  }
  throw error;
}
