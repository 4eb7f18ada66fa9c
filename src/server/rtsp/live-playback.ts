import type { StreamViewer } from '../../media/audience.ts';
import type { Clock } from '../../media/clock.ts';
import { type FirstPacket, findFirstPacket } from '../../media/renditions/rtp-framing.ts';
import type { Framing, ViewerCloseReason, ViewerSink } from '../../media/viewer.ts';
import type { Delivery } from './delivery.ts';
import type {
  MediaEndReason,
  Playback,
  PlaybackOptions,
  PlayOutcome,
  PlayRefusal,
  PlayRequest,
  TrackBegin,
} from './media-session.ts';
import { parsePlayRange } from './play-range.ts';

/** Mean time between two rounds of reports to a client (RFC 3550 §6.2), milliseconds. */
export const REPORT_INTERVAL_MS = 5_000;

const END_REASONS: Readonly<Record<ViewerCloseReason, MediaEndReason>> = {
  'stream-ended': 'ended',
  stalled: 'stalled',
  'socket-buffer': 'stalled',
  duration: 'ended',
  failed: 'failed',
  closed: 'closed',
};

/** Where a viewer begins: the moment, and what each track's packets tell of it. */
export interface LiveBegin {
  readonly streamUs: number;
  readonly tracks: readonly TrackBegin[];
}

/** The packets of a live stream, made once for all who watch it. */
export interface LivePackets {
  readonly trackCount: number;
  /** Adds a viewer of them. */
  view(framing: Framing, sink: ViewerSink): StreamViewer;
  /**
   * The moment a viewer begins at, or undefined when it has no packets yet.
   * @param firstPackets by track; undefined where there is none yet
   */
  beginsOf(firstPackets: readonly (FirstPacket | undefined)[]): LiveBegin | undefined;
  /** SR and SDES of a track for now, or for the moment the packets that follow are of. */
  report(track: number, streamUs: number | undefined): Uint8Array;
  /** What tells that nothing more comes of a track. */
  bye(track: number): Uint8Array;
}

/** One client that watches a live stream: a viewer of the RTP made once for all of them. */
export class LivePlayback implements Playback {
  readonly #packets: LivePackets;
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  readonly #onEnded: (reason: MediaEndReason) => void;
  readonly #sink: ViewerSink;
  #viewer: StreamViewer | undefined;
  /** The viewer it has, or had last. */
  #counted: StreamViewer | undefined;
  #tracks: ReadonlySet<number> = new Set();
  #isPaused = false;
  /** What comes first waits until the client has its answer. */
  #isHolding = false;
  #held: Uint8Array | undefined;
  /** It has begun, and the stream has no packets yet: until then there is no moment that reports could tell. */
  #isAwaitingFirst = false;
  #endedWhileHolding: ViewerCloseReason | undefined;
  #nextReportMs = 0;
  #closed = false;

  constructor(packets: LivePackets, options: PlaybackOptions, clock: Clock) {
    this.#packets = packets;
    this.#clock = clock;
    this.#onEnded = options.onEnded;
    const { delivery } = options;
    this.#delivery = delivery;
    delivery.onDrain = () => this.#viewer?.drained();
    const heldBytes = (): number => this.#held?.length ?? 0;
    this.#sink = {
      write: (frames) => {
        if (this.#isHolding) this.#held = frames;
        else if (this.#isAwaitingFirst) this.#writeFirst(frames, this.#beginOf(frames)?.streamUs);
        else delivery.write(frames);
      },
      get bufferedBytes() {
        return heldBytes() + delivery.bufferedBytes;
      },
      close: (reason) => this.#viewerClosed(reason),
    };
  }

  play(request: PlayRequest): PlayOutcome | PlayRefusal {
    const range = parsePlayRange(request.range);
    if (range !== undefined && 'statusCode' in range) return range;
    const goesOn = this.#viewer !== undefined && !this.#isPaused && isSameSet(this.#tracks, request.tracks);
    if (!goesOn) this.#start(request.tracks);
    if (this.#endedWhileHolding !== undefined) {
      // What a stream can't give one viewer more is a rendition; one that was closed is no longer there.
      return { statusCode: this.#endedWhileHolding === 'failed' ? 453 : 404 };
    }
    const begins = goesOn ? undefined : this.#heldBegin();
    return {
      // Whatever was asked: a live stream is played from now on, at its own pace.
      range: 'npt=now-',
      scale: 1,
      speed: 1,
      tracks: begins?.tracks ?? [],
      begin: () => this.#begin(begins?.streamUs),
    };
  }

  pause(tracks: ReadonlySet<number>): void {
    if (this.#viewer === undefined) return;
    const left = new Set([...this.#tracks].filter((track) => !tracks.has(track)));
    if (left.size > 0) {
      this.#start(left);
      this.#begin(this.#heldBegin()?.streamUs);
    } else {
      this.#isPaused = true;
      this.#viewer.setPaused(true);
    }
  }

  /** Reports of receivers tell that they are there, which the client session has noted. */
  receiveRtcp(): void {}

  housekeep(): void {
    if (this.#viewer === undefined || this.#isHolding || this.#isAwaitingFirst) return;
    if (this.#clock.nowMs() >= this.#nextReportMs) this.#report(undefined);
  }

  close(sayBye: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#delivery.onDrain = undefined;
    const viewer = this.#viewer;
    this.#viewer = undefined;
    viewer?.leave();
    if (sayBye && viewer !== undefined) this.#sayBye();
  }

  /** Bytes delivered, and jumps to a newer key frame, since PLAY; also when it is over. */
  get statistics(): { readonly sentBytes: number; readonly lagJumps: number } {
    return { sentBytes: this.#counted?.sentBytes ?? 0, lagJumps: this.#counted?.lagJumps ?? 0 };
  }

  /** Plays these tracks from the newest key frame on. */
  #start(tracks: ReadonlySet<number>): void {
    this.#isHolding = true;
    this.#held = undefined;
    const viewer = this.#viewer;
    if (viewer !== undefined && this.#isPaused && isSameSet(this.#tracks, tracks)) {
      this.#isPaused = false;
      viewer.setPaused(false);
      return;
    }
    viewer?.leave();
    this.#isPaused = false;
    this.#tracks = tracks;
    this.#delivery.setTracks(tracks);
    const made = this.#packets.view(this.#delivery.framing, this.#sink);
    this.#viewer = made;
    this.#counted = made;
    made.start();
  }

  /** Where what is held begins; undefined when nothing is. */
  #heldBegin(): LiveBegin | undefined {
    return this.#held === undefined ? undefined : this.#beginOf(this.#held);
  }

  #beginOf(frames: Uint8Array): LiveBegin | undefined {
    const firstPackets = Array.from({ length: this.#packets.trackCount }, (_, track) => {
      const channel = this.#tracks.has(track) ? this.#delivery.rtpChannel(track) : undefined;
      return channel === undefined ? undefined : findFirstPacket(frames, channel);
    });
    return this.#packets.beginsOf(firstPackets);
  }

  /** @param streamUs the moment it begins at; undefined when nothing is there yet */
  #begin(streamUs: number | undefined): void {
    if (this.#closed || !this.#isHolding) return;
    this.#isHolding = false;
    const held = this.#held;
    this.#held = undefined;
    if (this.#endedWhileHolding !== undefined) this.#viewerClosed(this.#endedWhileHolding);
    if (this.#closed) return;
    if (held === undefined) {
      this.#isAwaitingFirst = true;
      return;
    }
    this.#writeFirst(held, streamUs);
    this.#viewer?.drained();
  }

  #writeFirst(frames: Uint8Array, streamUs: number | undefined): void {
    this.#isAwaitingFirst = false;
    // Players tie the tracks together by it, so it comes before what they shall play.
    this.#report(streamUs);
    this.#delivery.write(frames);
  }

  #report(streamUs: number | undefined): void {
    // Receivers and senders all reporting at once is what RFC 3550 §6.3.1 spreads out.
    this.#nextReportMs = this.#clock.nowMs() + REPORT_INTERVAL_MS * (0.5 + Math.random());
    for (const track of this.#tracks) {
      this.#delivery.writeRtcp(track, this.#packets.report(track, streamUs));
    }
  }

  #sayBye(): void {
    for (const track of this.#tracks) this.#delivery.writeBye(track, this.#packets.bye(track));
  }

  #viewerClosed(reason: ViewerCloseReason): void {
    this.#viewer = undefined;
    if (this.#closed) return;
    if (this.#isHolding) {
      this.#endedWhileHolding = reason;
      return;
    }
    this.#closed = true;
    this.#delivery.onDrain = undefined;
    if (reason !== 'stalled' && reason !== 'socket-buffer') this.#sayBye();
    // The fan-out is in the middle of its round.
    this.#clock.soon(() => this.#onEnded(END_REASONS[reason]));
  }
}

function isSameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}
