import { z } from 'zod';
import { AddressList } from '../../io/address-list.ts';
import { parseListenAddress } from '../../io/listen-address.ts';
import { parseRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { parseProxyRule } from '../rtsp-client/proxy-rule.ts';
import type { Configuration, ConfigurationInput } from './configuration.ts';

const listen = z.union([z.number(), z.string()]).transform((value, context) => {
  const address = parseListenAddress(String(value));
  if (address === undefined) {
    context.addIssue({ code: 'custom', message: 'expected a port, host:port or [ipv6]:port' });
    return z.NEVER;
  }
  return address;
});

const portRange = z.string().transform((value, context) => {
  const match = /^\s*(\d{1,5})\s*-\s*(\d{1,5})\s*$/.exec(value);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  // The first even port and the odd one above it are a pair.
  if (!(first >= 1 && last <= 65_535 && last - first >= 1 + (first % 2))) {
    context.addIssue({ code: 'custom', message: 'expected a range of ports, for example 6970-7969' });
    return z.NEVER;
  }
  return { first, last };
});

/** First address behind those of multicast. */
const MULTICAST_END = 0xf0000000;
const MULTICAST_START = 0xe0000000;
/** Each group has ports of its own. */
const MAX_GROUPS = 256;

const groupRange = z.string().transform((value, context) => {
  const [first = Number.NaN, last = first] = value.split('-').map(parseIpv4);
  const isRange = first >= MULTICAST_START && last < MULTICAST_END && last >= first && last - first < MAX_GROUPS;
  if (isRange) return { first, last };
  context.addIssue({
    code: 'custom',
    message: 'expected up to 256 multicast addresses, for example 239.255.42.0-239.255.42.255',
  });
  return z.NEVER;
});

/** As a 32-bit number; NaN for text that is no IPv4 address. */
function parseIpv4(text: string): number {
  const parts = text.trim().split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return Number.NaN;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isPullUrl(text: string): boolean {
  const scheme = parseRtspUrl(text)?.scheme;
  return scheme === 'rtsp' || scheme === 'rtsps';
}

/** One part of a name or several. */
const NAME_PARTS = /^[^\s/?]+(?:\/[^\s/?]+)*$/;

function isHost(text: string): boolean {
  // What ends with digits was meant for an address.
  return new AddressList().add(text) || (/^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/i.test(text) && !/(?:^|\.)\d+$/.test(text));
}

const listens = z.union([listen.transform((address) => [address]), z.array(listen)]);
const seconds = z.number().min(0).max(86_400);
const milliseconds = z.number().min(0).max(86_400_000);
const sizeBytes = z.number().int().min(1);
const streamPath = z.string().regex(/^[^\s/?]+(?:\/[^\s/?]+)+$/, 'expected app/stream');

/** Bounds and defaults of every setting; `Configuration` says what each means. Unknown names are errors. */
export const configurationSchema: z.ZodType<Configuration, ConfigurationInput> = z.strictObject({
  latency: z.enum(['normal', 'low', 'realtime']).default('normal'),
  vhosts: z.array(z.string().min(1).toLowerCase()).default([]),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
      format: z.enum(['auto', 'json', 'pretty']).default('auto'),
    })
    .prefault({}),
  rtmp: z
    .strictObject({
      enabled: z.boolean().default(true),
      listen: listens.default([{ host: undefined, port: 1935 }]),
      chunk_size: z.number().int().min(128).max(65_536).default(60_000),
      in_ack_size: z.number().int().min(0).max(0xffff_ffff).default(0),
      out_ack_size: z.number().int().min(1).max(0xffff_ffff).default(2_500_000),
      max_connections: z.number().int().min(1).default(20_000),
      handshake_timeout: seconds.min(0.1).default(10),
      max_message_size: sizeBytes.max(16_000_000).default(8_000_000),
      tcp_nodelay: z.boolean().optional(),
      ping: seconds.default(60),
      ping_timeout: seconds.min(0.1).default(30),
      idle_streams: z.boolean().default(true),
      redirect: z
        .record(z.string(), z.string().regex(/^rtmps?:\/\//, 'expected an rtmp:// or rtmps:// URL'))
        .default({}),
    })
    .prefault({}),
  rtmps: z
    .strictObject({
      listen: listens.default([{ host: undefined, port: 1936 }]),
      cert: z.string().min(1),
      key: z.string().min(1),
    })
    .optional(),
  http: z
    .strictObject({
      enabled: z.boolean().default(true),
      listen: listens.default([{ host: undefined, port: 8080 }]),
      crossdomain: z.boolean().default(true),
      max_connections: z.number().int().min(1).default(20_000),
      header_timeout: seconds.min(0.1).default(10),
      max_wait: seconds.default(60),
    })
    .prefault({}),
  rtsp: z
    .strictObject({
      enabled: z.boolean().default(true),
      listen: listens.default([{ host: undefined, port: 8554 }]),
      max_connections: z.number().int().min(1).default(20_000),
      max_sessions: z.number().int().min(1).default(20_000),
      header_timeout: seconds.min(0.1).default(10),
      timeout: seconds.default(60),
      wait: seconds.default(0),
      packet_size: z.number().int().min(256).max(65_000).default(1440),
      udp: z.boolean().default(true),
      udp_ports: portRange.default({ first: 6970, last: 7969 }),
      udp_shared: z.boolean().default(true),
      multicast: z.boolean().default(false),
      multicast_addresses: groupRange.default({ first: 0xefff2a00, last: 0xefff2aff }),
      multicast_port: z
        .number()
        .int()
        .min(1024)
        .max(60_000)
        .refine((port) => port % 2 === 0, 'expected an even port')
        .default(18_888),
      multicast_ttl: z.number().int().min(1).max(255).default(16),
      multicast_interface: z.ipv4().optional(),
      users: z
        .array(
          z.strictObject({
            name: z.string().min(1),
            password: z.string(),
            rights: z.array(z.enum(['play', 'publish'])).default(['play']),
          }),
        )
        .default([]),
      auth_methods: z
        .array(z.enum(['digest-sha-256', 'digest-md5', 'basic']))
        .min(1)
        .default(['digest-sha-256', 'digest-md5']),
      files: z.string().min(1).optional(),
      files_index: z.string().min(1).optional(),
      register: z
        .strictObject({
          enabled: z.boolean().default(false),
          app: z.string().regex(NAME_PARTS, 'expected the name of an application').default('proxy'),
          allow: z
            .array(z.string().refine(isHost, 'expected an address, a network like 192.0.2.0/24, or the name of a host'))
            .default([]),
          max_streams: z.number().int().min(1).max(10_000).default(100),
          linger: seconds.default(10),
          insecure: z.boolean().default(false),
        })
        .prefault({}),
    })
    .prefault({}),
  rtsps: z
    .strictObject({
      listen: listens.default([{ host: undefined, port: 8322 }]),
      cert: z.string().min(1),
      key: z.string().min(1),
    })
    .optional(),
  play: z
    .strictObject({
      gop_cache: z.boolean().default(true),
      gop_cache_max_frames: z.number().int().min(1).default(2500),
      queue_length: seconds.min(0.1).optional(),
      mw_latency: milliseconds.optional(),
      time_jitter: z.enum(['full', 'zero', 'off']).default('full'),
      atc: z.boolean().default(false),
      mix_correct: z.boolean().default(false),
      reduce_sequence_header: z.boolean().default(false),
      stall_timeout: seconds.min(0.1).default(15),
      max_socket_buffer: sizeBytes.default(8_000_000),
      log_seconds: seconds.default(10),
      log_max_size: sizeBytes.default(32 * 1024 * 1024),
    })
    .prefault({}),
  publish: z
    .strictObject({
      firstpkt_timeout: milliseconds.min(100).default(20_000),
      normal_timeout: milliseconds.min(100).default(5_000),
      mr_latency: milliseconds.max(1000).optional(),
      takeover: z.enum(['refuse', 'takeover']).default('refuse'),
      grace: seconds.default(5),
      grace_after_unpublish: z.boolean().default(false),
    })
    .prefault({}),
  sources: z
    .array(
      z.strictObject({
        name: streamPath,
        url: z.string().refine(isPullUrl, 'expected an rtsp:// or rtsps:// URL'),
        on_demand: z.boolean().default(false),
        linger: seconds.default(10),
        transport: z.enum(['auto', 'udp', 'tcp']).default('auto'),
        insecure: z.boolean().default(false),
        back_channel: streamPath.optional(),
      }),
    )
    .refine((sources) => new Set(sources.map(({ name }) => name)).size === sources.length, 'two sources of one name')
    .default([]),
  proxies: z
    .array(
      z
        .strictObject({
          match: z.string(),
          url: z.string(),
          max_streams: z.number().int().min(1).max(10_000).default(100),
          linger: seconds.default(10),
          transport: z.enum(['auto', 'udp', 'tcp']).default('auto'),
          insecure: z.boolean().default(false),
        })
        .superRefine(({ match, url }, context) => {
          const rule = parseProxyRule(match, url);
          if (typeof rule !== 'string') return;
          context.addIssue({ code: 'custom', message: rule, path: [rule.includes('URL') ? 'url' : 'match'] });
        }),
    )
    .default([]),
  pushes: z
    .array(
      z
        .strictObject({
          stream: z.string(),
          url: z.string(),
          transport: z.enum(['auto', 'udp', 'tcp']).default('auto'),
          insecure: z.boolean().default(false),
          srtp: z.boolean().default(false),
        })
        .superRefine(({ stream, url, srtp }, context) => {
          if (srtp && !/^rtsps:/i.test(url)) {
            context.addIssue({ code: 'custom', message: 'SRTP goes to rtsps:// only', path: ['srtp'] });
          }
          const rule = parseProxyRule(stream, url);
          if (typeof rule !== 'string') return;
          context.addIssue({ code: 'custom', message: rule, path: [rule.includes('URL') ? 'url' : 'stream'] });
        }),
    )
    .default([]),
});
