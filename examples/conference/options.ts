/** The command line, and the environment for what it does not say. */
import { availableParallelism, networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const HELP = `Usage: npm run example:conference -- [options]

  --port <number>              HTTP port; 0 for any that is free (3000)                        PORT
  --host <address>             address HTTP listens on; 0.0.0.0 for everybody (127.0.0.1)      HOST
  --cert <file> --key <file>   PEM files; with them the server speaks HTTPS                    TLS_CERT, TLS_KEY
  --origin <url>               another address of the page, when a proxy is in front           ORIGIN
  --media-ip <address>         address media listens on; may be repeated                       MEDIA_IP
  --announced-address <name>   address or name browsers reach the media address by             ANNOUNCED_ADDRESS
  --media-port <number>        UDP and TCP port of the first worker, the next ones follow      MEDIA_PORT
  --workers <number>           media workers (one for each core)                               WORKERS
  --help
`;

const port = z.coerce.number().int().min(0).max(65_535);

const schema = z
  .strictObject({
    port: port.default(3000),
    host: z.string().default('127.0.0.1'),
    cert: z.string().optional(),
    key: z.string().optional(),
    origin: z.array(z.url()).default([]),
    'media-ip': z.array(z.union([z.ipv4(), z.ipv6()])).optional(),
    'announced-address': z.string().min(1).optional(),
    'media-port': port.min(1).optional(),
    workers: z.coerce.number().int().min(1).max(256).default(availableParallelism()),
    help: z.boolean().default(false),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), '--cert and --key belong together');

export interface Options {
  readonly port: number;
  readonly host: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly origins: readonly string[];
  readonly mediaIps: readonly { readonly ip: string; readonly announcedAddress?: string | undefined }[];
  readonly mediaPort?: number | undefined;
  readonly workers: number;
  readonly help: boolean;
}

/** Something in the command line or the environment makes no sense. */
export class OptionsError extends Error {}

/** @throws OptionsError */
export function parseOptions(args: string[], environment: NodeJS.ProcessEnv): Options {
  const named = Object.entries({ ...fromEnvironment(environment), ...fromCommandLine(args) });
  const result = schema.safeParse(Object.fromEntries(named.filter(([, value]) => value !== undefined)));
  if (!result.success) throw new OptionsError(z.prettifyError(result.error));
  const {
    origin,
    'media-ip': ips,
    'announced-address': announcedAddress,
    'media-port': mediaPort,
    ...rest
  } = result.data;
  const addresses = ips ?? (announcedAddress === undefined ? ownAddresses() : ['0.0.0.0']);
  return { ...rest, origins: origin, mediaIps: addresses.map((ip) => ({ ip, announcedAddress })), mediaPort };
}

function fromCommandLine(args: string[]): object {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args,
      options: {
        port: text,
        host: text,
        cert: text,
        key: text,
        origin: texts,
        'media-ip': texts,
        'announced-address': text,
        'media-port': text,
        workers: text,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function fromEnvironment(environment: NodeJS.ProcessEnv): object {
  const { PORT, HOST, TLS_CERT, TLS_KEY, ORIGIN, MEDIA_IP, ANNOUNCED_ADDRESS, MEDIA_PORT, WORKERS } = environment;
  return {
    port: PORT,
    host: HOST,
    cert: TLS_CERT,
    key: TLS_KEY,
    origin: ORIGIN?.split(','),
    'media-ip': MEDIA_IP?.split(','),
    'announced-address': ANNOUNCED_ADDRESS,
    'media-port': MEDIA_PORT,
    workers: WORKERS,
  };
}

/** The loopback, and the first address in a network: Firefox takes no media from the loopback. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer === undefined ? ['127.0.0.1'] : ['127.0.0.1', outer.address];
}
