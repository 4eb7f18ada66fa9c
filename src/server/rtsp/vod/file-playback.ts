import type { Frame } from '../../../codec/frame.ts';
import type { MediaFile } from '../../../format/media-file.ts';
import type { Clock } from '../../../media/clock.ts';
import { type Random32, RtpPresentation, toRtpTimestamp } from '../../../media/renditions/rtp-presentation.ts';
import { RtpContainerWriter } from '../../../media/renditions/rtp-rendition.ts';
import { RtpSenderClock } from '../../../media/renditions/rtp-sender-clock.ts';
import type { StreamHeader } from '../../../media/stream-header.ts';
import { writeRange } from '../../../protocol/rtsp/range-header.ts';
import type { Delivery } from '../delivery.ts';
import type { Playback, PlaybackOptions, PlayOutcome, PlayRefusal, PlayRequest } from '../media-session.ts';
import { SenderReports } from '../sender-reports.ts';
import { fileRange } from './file-range.ts';
import { canPlayAt, type FrameSource, frameSourceOf, MAX_SCALE, type PositionedFrame } from './frame-source.ts';
import { TsTrickMuxer } from './ts-trick-file.ts';

/** Frames due within this long go out together, microseconds. */
const LEAD_US = 20_000;

/** While more than this waits for the client nothing is added, bytes. */
const MAX_WAITING_BYTES = 1_000_000;

/** Mean time between reports, milliseconds. */
const REPORT_INTERVAL_MS = 5_000;

/** RTP time left between what was sent last and what a new PLAY begins with, microseconds: about a frame. */
const JOINT_US = 40_000;

/** Tracks of a file lie at most about so far apart, microseconds. */
const MAX_INTERLEAVING_US = 2_000_000;

/** A file one client plays, and what of it is open. */
export interface OpenedFile {
  readonly file: MediaFile;
  /** The program inside a transport stream that is sent as it is: played instead at other scales. */
  readonly program?: MediaFile | undefined;
  close(): void;
}

export interface FilePlaybackOptions extends PlaybackOptions {
  readonly header: StreamHeader;
  readonly open: () => Promise<OpenedFile>;
  readonly clock: Clock;
  readonly random32: Random32;
  readonly cname: string;
  readonly maxPacketBytes?: number | undefined;
  /** A client that takes nothing for this long is gone, milliseconds. */
  readonly stallTimeoutMs: number;
  /** Told of errors of the file while it plays. */
  readonly onFault: (error: unknown) => void;
}

/**
 * One client's playing of a file: its own position, scale and numbering. Frames go out when they are due by their times,
 * scale and speed. RTP timestamps go on evenly over seeks and pauses (RFC 2326 appendix B); at the end the sources say
 * BYE, and another PLAY begins with new ones.
 */
export class FilePlayback implements Playback {
  readonly #options: FilePlaybackOptions;
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  #presentation: RtpPresentation;
  #senderClock: RtpSenderClock;
  #reports: SenderReports;
  #writer: RtpContainerWriter;
  #opened: OpenedFile | undefined;
  #source: FrameSource | undefined;
  #trickMuxer: TsTrickMuxer | undefined;
  /** Read but not due yet. */
  #pending: PositionedFrame | undefined;
  #tracks: ReadonlySet<number> = new Set();
  #scale = 1;
  #speed = 1;
  #endUs: number | undefined;
  /** Tracks that have reached the end of the range. */
  readonly #endedTracks = new Set<string>();
  #tracksToEnd = 1;
  /** Where the play that runs began, and its RTP line's time there. */
  #startUs = 0;
  #startMediaUs = 0;
  /** Latest time given out on the RTP line. */
  #lastMediaUs = -JOINT_US;
  #positionUs = 0;
  #isAtEnd = false;
  /** Numbers the plays: what belongs to an older one ends by itself. */
  #generation = 0;
  #isPlaying = false;
  #nextReportMs = 0;
  #cancelWait: (() => void) | undefined;
  #lastUse: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: FilePlaybackOptions) {
    this.#options = options;
    this.#delivery = options.delivery;
    this.#clock = options.clock;
    this.#presentation = this.#newPresentation();
    this.#senderClock = this.#newSenderClock();
    this.#reports = this.#newReports();
    this.#writer = this.#newWriter();
  }

  async play(request: PlayRequest): Promise<PlayOutcome | PlayRefusal> {
    const wasPlaying = this.#stop();
    const generation = this.#generation;
    try {
      return await this.#use(() => this.#start(request, generation, wasPlaying));
    } catch (error) {
      // The file was closed while it was read: nobody is there any more.
      if (this.#closed) return { statusCode: 455 };
      throw error;
    }
  }

  async #start(request: PlayRequest, generation: number, wasPlaying: boolean): Promise<PlayOutcome | PlayRefusal> {
    const opened = await this.#open();
    if (generation !== this.#generation || this.#closed) return { statusCode: 455 };
    const scale = this.#possibleScale(opened, request.scale);
    const range = fileRange(request.range, opened.file.durationUs, scale);
    if ('statusCode' in range) {
      if (wasPlaying) this.#run(generation);
      return range;
    }
    if (this.#isAtEnd) this.#renew();
    await this.#place(opened, range.startUs, scale);
    if (generation !== this.#generation || this.#closed) return { statusCode: 455 };
    this.#isAtEnd = false;
    this.#scale = scale;
    this.#speed = clamp(request.speed, 0.1, MAX_SCALE);
    this.#endUs = range.endUs;
    this.#endedTracks.clear();
    // At other scales only one kind of track is played.
    this.#tracksToEnd = scale === 1 ? opened.file.tracks.length : 1;
    this.#tracks = request.tracks;
    this.#delivery.setTracks(request.tracks);
    this.#startUs = this.#positionUs;
    this.#startMediaUs = this.#lastMediaUs + JOINT_US;
    const tracks = this.#presentation.tracks.map((rtp, track) => ({
      track,
      sequenceNumber: rtp.sequenceNumber,
      timestamp: toRtpTimestamp(rtp, this.#startMediaUs) >>> 0,
    }));
    return {
      range: this.#rangeText(opened.file),
      scale,
      speed: this.#speed,
      tracks: tracks.filter(({ track }) => request.tracks.has(track)),
      begin: () => {
        if (generation === this.#generation && !this.#closed) this.#begin(generation);
      },
    };
  }

  pause(tracks: ReadonlySet<number>): void {
    const left = new Set([...this.#tracks].filter((track) => !tracks.has(track)));
    if (left.size > 0) {
      this.#tracks = left;
      this.#delivery.setTracks(left);
    } else {
      this.#stop();
    }
  }

  /** Reports of receivers tell that they are there, which the client session has noted. */
  receiveRtcp(): void {}

  housekeep(): void {
    if (this.#isPlaying && this.#clock.nowMs() >= this.#nextReportMs) this.#report(undefined);
  }

  close(sayBye: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    const wasPlaying = this.#stop();
    this.#delivery.onDrain = undefined;
    if (sayBye && wasPlaying) this.#sayBye();
    this.#opened?.close();
    this.#opened = undefined;
  }

  /** Calls of a file must not overlap: each use of it waits for the one before. */
  #use<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastUse.then(work);
    this.#lastUse = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #open(): Promise<OpenedFile> {
    if (this.#opened !== undefined) return this.#opened;
    const opened = await this.#options.open();
    if (this.#closed) opened.close();
    this.#opened ??= opened;
    return this.#opened;
  }

  /** What comes nearest to the scale asked for; 1 where the file can't do otherwise. */
  #possibleScale({ file, program }: OpenedFile, asked: number): number {
    const scale = asked < 0 ? clamp(asked, -MAX_SCALE, -0.1) : clamp(asked, 0.1, MAX_SCALE);
    const isTransportStream = file.tracks.some((track) => track.codec === 'mp2t');
    if (scale === 1) return 1;
    if (isTransportStream) return program !== undefined && canPlayAt(program, scale) ? scale : 1;
    return canPlayAt(file, scale) ? scale : 1;
  }

  /** Goes to where the play begins, and says so in `#positionUs`. */
  async #place(opened: OpenedFile, startUs: number | undefined, scale: number): Promise<void> {
    const goesOn = startUs === undefined && scale === this.#scale && !this.#isAtEnd && this.#source !== undefined;
    if (goesOn) return;
    const usesProgram = scale !== 1 && opened.program !== undefined;
    const file = usesProgram ? opened.program : opened.file;
    const duration = opened.file.durationUs ?? 0;
    let targetUs = startUs ?? (this.#isAtEnd ? (scale < 0 ? duration : 0) : this.#positionUs);
    // A file that can't be sought plays on where it is, or from its start.
    const canSeek = file.isSeekable || this.#source === undefined || this.#isAtEnd || usesProgram;
    if (!file.isSeekable) targetUs = 0;
    if (canSeek) {
      this.#pending = undefined;
      this.#positionUs = await file.seek(targetUs);
    }
    this.#trickMuxer = usesProgram ? new TsTrickMuxer(opened.file.tracks[0]!, opened.program!) : undefined;
    this.#source = frameSourceOf(file, this.#positionUs, scale);
  }

  #rangeText(file: MediaFile): string {
    const { durationUs = Number.POSITIVE_INFINITY } = file;
    const fileEndUs = this.#scale < 0 ? 0 : file.durationUs;
    const endUs = this.#endUs === undefined ? fileEndUs : Math.min(this.#endUs, durationUs);
    return writeRange({ type: 'npt', startUs: this.#positionUs, endUs });
  }

  #begin(generation: number): void {
    this.#isPlaying = true;
    this.#senderClock.note(this.#startMediaUs);
    this.#report(this.#startMediaUs);
    this.#run(generation);
  }

  #run(generation: number): void {
    this.#isPlaying = true;
    this.#use(() => this.#pump(generation)).catch((error: unknown) => {
      // Nobody plays on, and the file may be closed.
      if (generation !== this.#generation || this.#closed) return;
      this.#options.onFault(error);
      this.#stop();
      this.#sayBye();
      this.#options.onEnded('failed');
    });
  }

  async #pump(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const beganMs = this.#clock.nowMs();
    const firstMediaUs = this.#pending === undefined ? this.#startMediaUs : this.#mediaTimeOf(this.#pending.positionUs);
    for (;;) {
      const next = this.#pending ?? (await this.#source!.next());
      // Kept, too, for who paused meanwhile: it would be missing when the play goes on.
      this.#pending = next;
      if (generation !== this.#generation) return;
      if (next === undefined || this.#isOver(next)) {
        this.#finish();
        return;
      }
      if (this.#isBehindEnd(next.positionUs)) {
        this.#pending = undefined;
        continue;
      }
      const mediaUs = this.#mediaTimeOf(next.positionUs);
      const dueMs = beganMs + (mediaUs - firstMediaUs) / this.#speed / 1000;
      const waitMs = dueMs - this.#clock.nowMs();
      if (waitMs * 1000 > LEAD_US && !(await this.#wait(waitMs, generation))) return;
      if (this.#delivery.bufferedBytes > MAX_WAITING_BYTES && !(await this.#drained(generation))) return;
      this.#pending = undefined;
      this.#send(next, mediaUs);
    }
  }

  /** Time on the RTP line: a position's distance from the start at the scale. */
  #mediaTimeOf(positionUs: number): number {
    return this.#startMediaUs + Math.round(Math.max(0, (positionUs - this.#startUs) / this.#scale));
  }

  /** Whether the range asked for is played: tracks are stored a little apart, so each is waited for, but not for long. */
  #isOver({ frame, positionUs }: PositionedFrame): boolean {
    if (!this.#isBehindEnd(positionUs)) return false;
    this.#endedTracks.add(frame.track.kind + frame.track.trackId);
    return this.#endedTracks.size >= this.#tracksToEnd || Math.abs(positionUs - this.#endUs!) > MAX_INTERLEAVING_US;
  }

  #isBehindEnd(positionUs: number): boolean {
    if (this.#endUs === undefined) return false;
    return this.#scale < 0 ? positionUs < this.#endUs : positionUs >= this.#endUs;
  }

  #send({ frame, positionUs }: PositionedFrame, mediaUs: number): void {
    this.#positionUs = positionUs;
    const isWhole = this.#scale > 0 && positionUs === frame.dtsUs;
    const ptsUs = isWhole ? mediaUs + Math.round((frame.ptsUs - frame.dtsUs) / this.#scale) : mediaUs;
    const timed: Frame = { ...frame, dtsUs: mediaUs, ptsUs };
    this.#lastMediaUs = Math.max(this.#lastMediaUs, ptsUs, mediaUs);
    const sent = this.#trickMuxer?.mux(timed) ?? timed;
    if (sent.payload.length === 0) return;
    const packets = this.#writer.writeFrame(sent, this.#options.header);
    if (packets.length === 0) return;
    this.#delivery.write(this.#delivery.framing.join([packets], packets.length));
  }

  /** @returns false when the play is over meanwhile */
  async #wait(waitMs: number, generation: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(waitMs, resolve);
      this.#cancelWait = () => {
        cancel();
        resolve();
      };
    });
    this.#cancelWait = undefined;
    return generation === this.#generation;
  }

  async #drained(generation: number): Promise<boolean> {
    const hasDrained = await new Promise<boolean>((resolve) => {
      const cancel = this.#clock.after(this.#options.stallTimeoutMs, () => resolve(false));
      const settle = (): void => {
        cancel();
        resolve(true);
      };
      this.#delivery.onDrain = settle;
      this.#cancelWait = settle;
    });
    this.#cancelWait = undefined;
    this.#delivery.onDrain = undefined;
    if (generation !== this.#generation) return false;
    if (hasDrained) return true;
    this.#stop();
    this.#delivery.abort();
    this.#options.onEnded('stalled');
    return false;
  }

  #finish(): void {
    this.#stop();
    this.#isAtEnd = this.#pending === undefined;
    this.#sayBye();
    // A source that said BYE is gone: what is played next comes from others.
    if (!this.#isAtEnd) this.#renew();
  }

  /** Ends the play that runs. @returns whether there was one */
  #stop(): boolean {
    const wasPlaying = this.#isPlaying;
    this.#isPlaying = false;
    this.#generation++;
    this.#cancelWait?.();
    return wasPlaying;
  }

  #renew(): void {
    this.#presentation = this.#newPresentation();
    this.#senderClock = this.#newSenderClock();
    this.#reports = this.#newReports();
    this.#writer = this.#newWriter();
  }

  #report(streamUs: number | undefined): void {
    this.#nextReportMs = this.#clock.nowMs() + REPORT_INTERVAL_MS * (0.5 + Math.random());
    for (const track of this.#tracks) {
      const report = streamUs === undefined ? this.#reports.report(track) : this.#reports.reportAt(track, streamUs);
      this.#delivery.writeRtcp(track, report);
    }
  }

  #sayBye(): void {
    for (const track of this.#tracks) this.#delivery.writeBye(track, this.#reports.bye(track));
  }

  #newPresentation(): RtpPresentation {
    // The media session was made only because there is something to present.
    return RtpPresentation.of(this.#options.header, this.#options.random32)!;
  }

  #newSenderClock(): RtpSenderClock {
    return new RtpSenderClock(this.#clock, Date.now());
  }

  #newReports(): SenderReports {
    return new SenderReports(this.#presentation, this.#senderClock, this.#clock, this.#options.cname);
  }

  #newWriter(): RtpContainerWriter {
    return new RtpContainerWriter({
      presentation: this.#presentation,
      clock: this.#senderClock,
      maxPacketBytes: this.#options.maxPacketBytes,
      // A track of a file whose configuration changes has it in band, or plays on as far as the client can.
      onOutdated: () => undefined,
    });
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
