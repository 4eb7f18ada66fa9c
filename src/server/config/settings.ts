import { z } from 'zod';
import { parseListenAddress } from '../../io/listen-address.ts';
import { DEFAULT_VHOST } from '../../media/stream-name.ts';
import { LATENCY_PROFILES, type LatencyProfile, type StreamSettings } from '../../media/stream-settings.ts';

const listen = z.union([z.number(), z.string()]).transform((value, context) => {
  const address = parseListenAddress(String(value));
  if (address === undefined) {
    context.addIssue({ code: 'custom', message: 'expected a port, host:port or [ipv6]:port' });
    return z.NEVER;
  }
  return address;
});

const listens = z.union([listen.transform((address) => [address]), z.array(listen)]);
const seconds = z.number().min(0).max(86_400);
const milliseconds = z.number().min(0).max(86_400_000);
const sizeBytes = z.number().int().min(1);

/** The configuration as users write it: SRS's names where SRS has the setting (see docs/configuration.md). Unknown names are errors. */
const configurationSchema = z.strictObject({
  /** Sets merge interval, queue length and TCP_NODELAY together; each may also be set alone. */
  latency: z.enum(['normal', 'low', 'realtime']).default('normal'),
  /** Names with streams of their own. Every other host name or `?vhost=` means the default virtual host. */
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
      /** Time for handshake and connect, and for publish or play after that. */
      handshake_timeout: seconds.default(10),
      max_message_size: sizeBytes.max(16_000_000).default(8_000_000),
      tcp_nodelay: z.boolean().optional(),
      ping: seconds.default(60),
      ping_timeout: seconds.default(30),
      /** Whether a player may ask for a stream nobody publishes yet and wait for it. */
      idle_streams: z.boolean().default(true),
      /** Clients of these applications are sent elsewhere (302): application to RTMP URL. */
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
      /** Time for a request's header, also for a connection that sends nothing at all. */
      header_timeout: seconds.min(0.1).default(10),
      /** Longest `?wait=` a viewer may ask for. */
      max_wait: seconds.default(60),
    })
    .prefault({}),
  play: z
    .strictObject({
      gop_cache: z.boolean().default(true),
      gop_cache_max_frames: z.number().int().min(1).default(2500),
      queue_length: seconds.optional(),
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
      firstpkt_timeout: milliseconds.default(20_000),
      normal_timeout: milliseconds.default(5_000),
      /** Read a publisher's socket at most this often, so that one read brings many frames. */
      mr_latency: milliseconds.max(1000).optional(),
      takeover: z.enum(['refuse', 'takeover']).default('refuse'),
      grace: seconds.default(5),
      grace_after_unpublish: z.boolean().default(false),
    })
    .prefault({}),
});

/** What users may write; every name is optional. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** A checked configuration, defaults filled in. */
export type Configuration = z.output<typeof configurationSchema>;

/** @internal the zod schema behind `Configuration`, for the loader. */
export const schema: z.ZodType<Configuration, ConfigurationInput> = configurationSchema;

/** TCP_NODELAY for RTMP and HTTP viewers, by the setting or else by the latency knob. */
export function tcpNoDelay(configuration: Configuration): boolean {
  return configuration.rtmp.tcp_nodelay ?? LATENCY_PROFILES[configuration.latency satisfies LatencyProfile].tcpNoDelay;
}

/** Milliseconds between two reads of a publisher's socket, by the setting or else by the latency knob; 0 reads at once. */
export function mergeReadMs(configuration: Configuration): number {
  return configuration.publish.mr_latency ?? LATENCY_PROFILES[configuration.latency].mergeReadMs;
}

/** The settings every stream of the server gets. */
export function streamSettings(configuration: Configuration): StreamSettings {
  const { play, publish } = configuration;
  const profile = LATENCY_PROFILES[configuration.latency];
  return {
    // Absolute time is time as sent: ATC switches every correction off.
    jitter: play.atc ? 'off' : play.time_jitter,
    mixCorrect: play.mix_correct,
    reduceSequenceHeader: play.reduce_sequence_header,
    gopCache: play.gop_cache,
    gopCacheMaxFrames: play.gop_cache_max_frames,
    logMaxBytes: play.log_max_size,
    logMaxSeconds: play.log_seconds,
    mergeWriteMs: play.mw_latency ?? profile.mergeWriteMs,
    queueLengthMs: play.queue_length === undefined ? profile.queueLengthMs : play.queue_length * 1000,
    stallTimeoutMs: play.stall_timeout * 1000,
    maxSocketBufferBytes: play.max_socket_buffer,
    takeover: publish.takeover,
    graceMs: publish.grace * 1000,
    graceAfterUnpublish: publish.grace_after_unpublish,
    firstFrameTimeoutMs: publish.firstpkt_timeout,
    frameTimeoutMs: publish.normal_timeout,
  };
}

/** The virtual host a name asked for stands for. */
export function resolveVhost(configuration: Pick<Configuration, 'vhosts'>, asked: string | undefined): string {
  const name = asked?.toLowerCase();
  return name !== undefined && configuration.vhosts.includes(name) ? name : DEFAULT_VHOST;
}
