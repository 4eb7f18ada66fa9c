/** A small room application on Millrace's SFU: `npm run example:conference`. */
import { readFileSync } from 'node:fs';
import { HELP, type Options, OptionsError, parseOptions } from './options.ts';
import { ConferenceServer } from './server/conference-server.ts';
import { MediaWorkers } from './server/media-workers.ts';
import { buildPage } from './server/page-files.ts';
import { Rooms } from './server/rooms.ts';

function log(line: string): void {
  process.stdout.write(`conference: ${line}\n`);
}

async function run(options: Options): Promise<void> {
  const { host, cert, key } = options;
  const tls =
    cert === undefined || key === undefined
      ? undefined
      : { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  const [page, workers] = await Promise.all([
    buildPage(),
    MediaWorkers.start({ count: options.workers, ips: options.mediaIps, firstPort: options.mediaPort, log }),
  ]);
  const rooms = new Rooms(workers, log);
  const server = await ConferenceServer.start({ ...options, tls, page, rooms, log }).catch((error: unknown) => {
    workers.close();
    throw error;
  });

  const isLocal = host === '127.0.0.1' || host === '::1' || host === 'localhost';
  const name = isLocal || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  log(`media on ${options.mediaIps.map(({ ip, announcedAddress }) => announcedAddress ?? ip).join(', ')}`);
  if (!isLocal && tls === undefined) {
    log('browsers give their cameras to https and to localhost only: use --cert and --key, or a proxy with TLS');
  }
  log(`open ${tls === undefined ? 'http' : 'https'}://${name}:${server.port}/`);

  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await server.close();
    await rooms.close();
    workers.close();
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
}

try {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.help) process.stdout.write(HELP);
  else await run(options);
} catch (error) {
  process.stderr.write(`conference: ${error instanceof OptionsError ? error.message : String(error)}\n`);
  process.exitCode = error instanceof OptionsError ? 2 : 1;
}
