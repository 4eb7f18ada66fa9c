import { DEFAULT_VHOST } from '../../media/stream-name.ts';
import { LATENCY_PROFILES, type LatencyProfile, type StreamSettings } from '../../media/stream-settings.ts';
import type { Configuration } from './configuration.ts';

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
