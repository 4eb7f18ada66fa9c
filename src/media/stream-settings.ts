import type { JitterAlgorithm } from './timeline.ts';

/** What a stream does with its publisher and viewers. Every duration says its unit; see `docs/configuration.md` for the names users write. */
export interface StreamSettings {
  readonly jitter: JitterAlgorithm;
  /** Order audio and video through a small queue before the log. */
  readonly mixCorrect: boolean;
  /** Drop sequence headers that repeat the one in force. */
  readonly reduceSequenceHeader: boolean;
  /** Viewers start at the newest key frame in the log; otherwise at the next one to come. */
  readonly gopCache: boolean;
  readonly gopCacheMaxFrames: number;
  readonly logMaxBytes: number;
  readonly logMaxSeconds: number;
  /** Viewers are written to this often; 0 writes every frame at once. */
  readonly mergeWriteMs: number;
  readonly queueLengthMs: number;
  readonly stallTimeoutMs: number;
  readonly maxSocketBufferBytes: number;
  /** What happens to a second publisher of the same name. */
  readonly takeover: 'refuse' | 'takeover';
  /** How long viewers wait for a lost publisher to come back. */
  readonly graceMs: number;
  /** Whether the grace window also opens when the publisher ended the stream itself. */
  readonly graceAfterUnpublish: boolean;
  /** A publisher that sends no frame for this long after it began is gone. */
  readonly firstFrameTimeoutMs: number;
  /** A publisher that stops sending frames for this long is gone. */
  readonly frameTimeoutMs: number;
}

/** The three positions of the latency knob and what each sets. */
export const LATENCY_PROFILES = {
  normal: { mergeReadMs: 100, mergeWriteMs: 350, queueLengthMs: 10_000, tcpNoDelay: false },
  low: { mergeReadMs: 0, mergeWriteMs: 50, queueLengthMs: 4_000, tcpNoDelay: true },
  realtime: { mergeReadMs: 0, mergeWriteMs: 0, queueLengthMs: 2_000, tcpNoDelay: true },
} as const;

export type LatencyProfile = keyof typeof LATENCY_PROFILES;

export const DEFAULT_STREAM_SETTINGS: StreamSettings = {
  jitter: 'full',
  mixCorrect: false,
  reduceSequenceHeader: false,
  gopCache: true,
  gopCacheMaxFrames: 2500,
  logMaxBytes: 32 * 1024 * 1024,
  logMaxSeconds: 10,
  mergeWriteMs: LATENCY_PROFILES.normal.mergeWriteMs,
  queueLengthMs: LATENCY_PROFILES.normal.queueLengthMs,
  stallTimeoutMs: 15_000,
  maxSocketBufferBytes: 8_000_000,
  takeover: 'refuse',
  graceMs: 5_000,
  graceAfterUnpublish: false,
  firstFrameTimeoutMs: 20_000,
  frameTimeoutMs: 5_000,
};
