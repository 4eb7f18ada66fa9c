import type { ListenAddress } from '../../io/listen-address.ts';
import type { LatencyProfile } from '../../media/stream-settings.ts';
import type { JitterAlgorithm } from '../../media/timeline.ts';

/** A checked configuration, defaults filled in. The names are those of the file; where SRS has the setting, SRS's. */
export interface Configuration {
  /** Sets merge intervals, queue length and TCP_NODELAY together; each may also be set alone. Default `normal`. */
  readonly latency: LatencyProfile;
  /** Names with streams of their own. Every other host name or `?vhost=` means the default virtual host. Default none. */
  readonly vhosts: readonly string[];
  readonly log: {
    /** Default `info`. */
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
    /** `auto` (default) is `pretty` on a terminal and `json` elsewhere. */
    readonly format: 'auto' | 'json' | 'pretty';
  };
  readonly rtmp: RtmpConfiguration;
  /** RTMPS is served when this is given. */
  readonly rtmps?: RtmpsConfiguration | undefined;
  readonly http: HttpConfiguration;
  readonly rtsp: RtspConfiguration;
  /** RTSPS is served when this is given. */
  readonly rtsps?: RtspsConfiguration | undefined;
  readonly play: PlayConfiguration;
  readonly publish: PublishConfiguration;
  /** Streams of other servers that are pulled. Default none. */
  readonly sources: readonly SourceConfiguration[];
  /** Names that are had from other servers; the first that fits counts. */
  readonly proxies: readonly ProxyConfiguration[];
  /** Streams that are published to other servers as well. Default none. */
  readonly pushes: readonly PushConfiguration[];
}

export interface SourceConfiguration {
  /** What it is published as, `app/stream`. */
  readonly name: string;
  /** `rtsp://` or `rtsps://`, with user name and password where they are needed. */
  readonly url: string;
  /** Pulled only as long as somebody watches. Default false. */
  readonly on_demand: boolean;
  /** Seconds a source on demand is pulled on without viewers, default 10. */
  readonly linger: number;
  /** How packets come; `auto` (default) takes UDP, and TCP where UDP does not come through. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** Take any certificate, default false. */
  readonly insecure: boolean;
  /** The stream, `app/stream`, whose sound goes to the camera (ONVIF back channel). Default none. */
  readonly back_channel?: string | undefined;
}

/** Streams that are published to another server, by RTSP, as long as they have a publisher here. */
export interface PushConfiguration {
  /** Which streams, `app/stream`; one `*` (one part of the name) or `**` (any number) may be in it. */
  readonly stream: string;
  /** Where to. A `*` behind the host becomes what stands for that of `stream`. */
  readonly url: string;
  /** How packets go; `auto` (default) takes UDP, and TCP where UDP does not come through. */
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** Take any certificate, default false. */
  readonly insecure: boolean;
  /** Send it as SRTP; only to `rtsps://`. Default false. */
  readonly srtp: boolean;
}

/** Streams of another server that are pulled when somebody asks for them. */
export interface ProxyConfiguration {
  /** Which names, `app/stream`; one `*` (one part of the name) or `**` (any number) may be in it. */
  readonly match: string;
  /** Where they are there. A `*` behind the host becomes what stands for that of `match`. */
  readonly url: string;
  /** Most streams pulled at a time, default 100. */
  readonly max_streams: number;
  /** As of `SourceConfiguration`, like those below. Default 10. */
  readonly linger: number;
  readonly transport: 'auto' | 'udp' | 'tcp';
  readonly insecure: boolean;
}

export interface RtmpConfiguration {
  /** Default true. */
  readonly enabled: boolean;
  /** Default 1935 on every address. */
  readonly listen: readonly ListenAddress[];
  /** Size of the chunks we send, 128–65536 bytes, default 60000. */
  readonly chunk_size: number;
  /** Window for acknowledging input, bytes; 0 (default) takes the peer's. */
  readonly in_ack_size: number;
  /** Window we ask the peer to acknowledge, bytes, default 2500000. */
  readonly out_ack_size: number;
  /** More connections at a time are closed at once, default 20000. */
  readonly max_connections: number;
  /** Seconds for the handshake, for connect, and for publish or play after it, default 10. */
  readonly handshake_timeout: number;
  /** Largest message taken, bytes, at most 16000000, default 8000000. */
  readonly max_message_size: number;
  /** TCP_NODELAY for players, HTTP viewers included; by default as `latency` says. */
  readonly tcp_nodelay?: boolean | undefined;
  /** A silent client is pinged after this many seconds, default 60; 0 never pings. */
  readonly ping: number;
  /** A client that answers a ping with nothing for this many seconds is gone, default 30. */
  readonly ping_timeout: number;
  /** Whether a player may ask for a stream nobody publishes yet and wait for it, default true. */
  readonly idle_streams: boolean;
  /** Clients of these applications are sent elsewhere (302): application to RTMP URL. Default none. */
  readonly redirect: Readonly<Record<string, string>>;
}

export interface RtmpsConfiguration {
  /** Default 1936 on every address. */
  readonly listen: readonly ListenAddress[];
  /** Path of the certificate chain, PEM. */
  readonly cert: string;
  /** Path of its private key, PEM. */
  readonly key: string;
}

export interface HttpConfiguration {
  /** Default true. */
  readonly enabled: boolean;
  /** Default 8080 on every address. */
  readonly listen: readonly ListenAddress[];
  /** Answer every origin's cross-origin requests, default true. */
  readonly crossdomain: boolean;
  /** More connections at a time are closed at once, default 20000. */
  readonly max_connections: number;
  /** Seconds for a request's header, also for a connection that sends nothing at all, default 10. */
  readonly header_timeout: number;
  /** Longest `?wait=` a viewer may ask for, seconds, default 60. */
  readonly max_wait: number;
}

export interface RtspConfiguration {
  /** Default true. */
  readonly enabled: boolean;
  /** Default 8554 on every address. */
  readonly listen: readonly ListenAddress[];
  /** More connections at a time are closed at once, default 20000. */
  readonly max_connections: number;
  /** More RTSP sessions at a time are refused, default 20000. */
  readonly max_sessions: number;
  /** Seconds for a request's header, also for a connection that sends nothing at all, default 10. */
  readonly header_timeout: number;
  /** A session without a connection of its own that is not heard of for this many seconds is over, default 60; 0 never. */
  readonly timeout: number;
  /** Seconds a client that asks for a stream nobody publishes waits for it, default 0. */
  readonly wait: number;
  /** Largest RTP packet made, bytes, default 1440. */
  readonly packet_size: number;
  /** Whether players may have their packets by UDP, default true. */
  readonly udp: boolean;
  /** The server's UDP ports, default 6970–7969. */
  readonly udp_ports: PortRange;
  /** One pair of UDP ports for all players instead of one for each track of each, default true. */
  readonly udp_shared: boolean;
  /** Whether players may have a stream by multicast, default false. */
  readonly multicast: boolean;
  /** Groups that streams are sent to, IPv4, one for each; default 239.255.42.0–239.255.42.255. */
  readonly multicast_addresses: AddressRange;
  /** Port of the first track in the first group, even; each group has sixteen. Default 18888. */
  readonly multicast_port: number;
  /** Routers a multicast packet may pass, 1–255, default 16. */
  readonly multicast_ttl: number;
  /** An own address of the interface that multicast leaves by; the system chooses by default. */
  readonly multicast_interface?: string | undefined;
  /** Who may do what. Without users, which is the default, everybody may do everything. */
  readonly users: readonly RtspUserConfiguration[];
  /** How users may prove who they are, in the order they are offered; default digests, SHA-256 first. */
  readonly auth_methods: readonly RtspAuthenticationMethod[];
  /** Directory whose media files are played under their paths in it; default none. */
  readonly files?: string | undefined;
  /** Directory where indices of its transport streams are kept from one start to the next; by default they are only in memory. */
  readonly files_index?: string | undefined;
  readonly register: RtspRegisterConfiguration;
}

/** REGISTER: other servers offer their streams to be pulled. */
export interface RtspRegisterConfiguration {
  /** Default false. */
  readonly enabled: boolean;
  /** Application of streams registered under a name without one, default `proxy`. */
  readonly app: string;
  /**
   * Hosts of the URLs that may be registered: addresses, networks (`192.0.2.0/24`) and names. By default only the address
   * a REGISTER comes from.
   */
  readonly allow: readonly string[];
  /** More registered streams are refused, default 100. */
  readonly max_streams: number;
  /** Seconds a registered stream is pulled on without viewers, default 10. */
  readonly linger: number;
  /** Take any certificate, default false. */
  readonly insecure: boolean;
}

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** IPv4 addresses as 32-bit numbers from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

export type RtspAuthenticationMethod = 'digest-sha-256' | 'digest-md5' | 'basic';

export interface RtspUserConfiguration {
  readonly name: string;
  readonly password: string;
  /** Default `[play]`. */
  readonly rights: readonly ('play' | 'publish')[];
}

export interface RtspsConfiguration {
  /** Default 8322 on every address. */
  readonly listen: readonly ListenAddress[];
  /** Path of the certificate chain, PEM. */
  readonly cert: string;
  /** Path of its private key, PEM. */
  readonly key: string;
}

export interface PlayConfiguration {
  /** Viewers start at the newest key frame there is (default), or else at the next one to come. */
  readonly gop_cache: boolean;
  /** A GOP with more frames than this can no longer be joined, default 2500. */
  readonly gop_cache_max_frames: number;
  /** A viewer that lags more seconds than this jumps to the newest key frame; by default as `latency` says. */
  readonly queue_length?: number | undefined;
  /** Milliseconds between two writes to viewers, 0 for every frame at once; by default as `latency` says. */
  readonly mw_latency?: number | undefined;
  /** How publisher timestamps are corrected, default `full`. */
  readonly time_jitter: JitterAlgorithm;
  /** Absolute time: timestamps go out as they came, default false. */
  readonly atc: boolean;
  /** Order audio and video that come badly interleaved, default false. */
  readonly mix_correct: boolean;
  /** Do not pass on sequence headers that repeat the one in force, default false. */
  readonly reduce_sequence_header: boolean;
  /** A viewer whose socket takes nothing for this many seconds is gone, default 15. */
  readonly stall_timeout: number;
  /** Most bytes that may wait in one viewer's socket, default 8000000. */
  readonly max_socket_buffer: number;
  /** Seconds of every stream kept for those who come later or look back, default 10. */
  readonly log_seconds: number;
  /** Most bytes of every stream kept, default 33554432. */
  readonly log_max_size: number;
}

export interface PublishConfiguration {
  /** A publisher that sends no frame for this many milliseconds after it began is gone, default 20000. */
  readonly firstpkt_timeout: number;
  /** A publisher that stops sending for this many milliseconds is gone, default 5000. */
  readonly normal_timeout: number;
  /** Longest time between two reads from a publisher, milliseconds, 0–1000 (three times that while nobody watches); by default as `latency` says. */
  readonly mr_latency?: number | undefined;
  /** What happens to a second publisher of the same name, default `refuse`. */
  readonly takeover: 'refuse' | 'takeover';
  /** Seconds viewers wait for a lost publisher to come back, default 5. */
  readonly grace: number;
  /** Whether they also wait when the publisher ended the stream itself, default false. */
  readonly grace_after_unpublish: boolean;
}

/** A port, `host:port` or `[ipv6]:port`. */
type ListenText = number | string;

/** A section as users write it: every name optional, ports as text or number, one or a list. */
type SectionInput<T> = {
  readonly [K in keyof T]?: K extends 'listen' ? ListenText | readonly ListenText[] | undefined : T[K] | undefined;
};

/** Ranges are written as text, `6970-7969`, and users need no rights named. */
type RtspInput = Omit<SectionInput<RtspConfiguration>, 'udp_ports' | 'multicast_addresses' | 'users' | 'register'> & {
  readonly register?: SectionInput<RtspRegisterConfiguration> | undefined;
  readonly udp_ports?: string | undefined;
  readonly multicast_addresses?: string | undefined;
  readonly users?: readonly RtspUserInput[] | undefined;
};

type RtspUserInput = Omit<RtspUserConfiguration, 'rights'> & {
  readonly rights?: RtspUserConfiguration['rights'] | undefined;
};

type ProxyInput = Pick<ProxyConfiguration, 'match' | 'url'> & SectionInput<ProxyConfiguration>;

type PushInput = Pick<PushConfiguration, 'stream' | 'url'> & SectionInput<PushConfiguration>;

type SourceInput = Pick<SourceConfiguration, 'name' | 'url'> & SectionInput<SourceConfiguration>;

/** What users may write; every name is optional but `cert` and `key` of `rtmps` and `rtsps`, and what a user is made of. */
export interface ConfigurationInput {
  readonly latency?: LatencyProfile | undefined;
  readonly vhosts?: readonly string[] | undefined;
  readonly log?: SectionInput<Configuration['log']> | undefined;
  readonly rtmp?: SectionInput<RtmpConfiguration> | undefined;
  readonly rtmps?: (SectionInput<Pick<RtmpsConfiguration, 'listen'>> & Omit<RtmpsConfiguration, 'listen'>) | undefined;
  readonly http?: SectionInput<HttpConfiguration> | undefined;
  readonly rtsp?: RtspInput | undefined;
  readonly rtsps?: (SectionInput<Pick<RtspsConfiguration, 'listen'>> & Omit<RtspsConfiguration, 'listen'>) | undefined;
  readonly play?: SectionInput<PlayConfiguration> | undefined;
  readonly publish?: SectionInput<PublishConfiguration> | undefined;
  readonly sources?: readonly SourceInput[] | undefined;
  readonly proxies?: readonly ProxyInput[] | undefined;
  readonly pushes?: readonly PushInput[] | undefined;
}
