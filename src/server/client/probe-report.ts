/**
 * What `millrace probe --json` prints. The shape is stable: names are not taken away or given another meaning within one
 * `version`; new ones may be added. What is not known is null. Times are milliseconds, rates bits a second.
 */
export interface ProbeReport {
  readonly version: 1;
  /** The URL or path as given, without the parameters of a URL. */
  readonly source: string;
  readonly container: 'rtmp' | 'flv' | 'mpegts';
  /** From the first frame to the newest, by their timestamps, over all tracks. */
  readonly durationMs: number;
  /** Payload of all frames, without containers. */
  readonly bitrateBps: number | null;
  readonly tracks: readonly (VideoTrackReport | AudioTrackReport | DataTrackReport)[];
  readonly audioVideo: AudioVideoReport | null;
  /** onMetaData, newest value of each name. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** What was dropped, by reason and number: of no use, or making no sense. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly malformed: Readonly<Record<string, number>>;
}

/** What all tracks tell. */
export interface TrackReport {
  /** 0 for the default track of its kind. */
  readonly id: number;
  readonly codec: string;
  readonly frames: number;
  /** Of the payload, over the time from the first frame to the last and one frame more. */
  readonly bitrateBps: number | null;
  readonly firstPtsMs: number | null;
  readonly firstDtsMs: number | null;
  readonly lastDtsMs: number | null;
  /** Standard deviation of the steps from one decode time to the next. */
  readonly jitterMs: number | null;
  /** The largest such step. */
  readonly largestGapMs: number | null;
  /** Steps back in time. */
  readonly backwardSteps: number;
}

export interface VideoTrackReport extends TrackReport {
  readonly kind: 'video';
  /** RFC 6381, for example `avc1.42c01e`. */
  readonly codecString: string | null;
  readonly profile: string | null;
  readonly level: string | null;
  readonly width: number | null;
  readonly height: number | null;
  /** Measured. */
  readonly fps: number | null;
  /** As the stream itself says. */
  readonly declaredFps: number | null;
  readonly keyFrames: number;
  /** From key frame to key frame; null with fewer than two. */
  readonly gop: {
    readonly averageMs: number;
    readonly shortestMs: number;
    readonly longestMs: number;
    readonly averageFrames: number;
  } | null;
  /** Whether frames are shown in another order than they are coded. */
  readonly bFrames: boolean;
}

export interface AudioTrackReport extends TrackReport {
  readonly kind: 'audio';
  readonly codecString: string | null;
  readonly profile: string | null;
  readonly sampleRate: number | null;
  readonly channels: number | null;
}

export interface DataTrackReport extends TrackReport {
  readonly kind: 'data';
}

/** How the default audio track lies beside the default video track. */
export interface AudioVideoReport {
  /** First audio presentation time minus first video presentation time. */
  readonly offsetMs: number;
  /**
   * By how much the distance between audio and video that arrive together grew over the time measured, by linear
   * regression; null for less than a second.
   */
  readonly driftMs: number | null;
}
