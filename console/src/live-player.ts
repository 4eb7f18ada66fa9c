import type Mpegts from 'mpegts.js';
import { toMediaEvent } from './media-error.ts';
import { findJumpTarget, latencyToLiveEdge, toBufferedRanges } from './playback-position.ts';
import type { MediaEvent, PlayRequest } from './playback-session.ts';
import { mediaUrl } from './stream-address.ts';

type Engine = typeof Mpegts;
type EnginePlayer = ReturnType<Engine['createPlayer']>;

/** Standing still this long beside newer data means a hole in the timestamps. */
const STALL_BEFORE_JUMP_MS = 1500;
/** Longest wait for what is left in the buffer after the server ended the stream. */
const MAX_DRAIN_MS = 5000;

/** How far from the live edge to play, in seconds. Above `max` it plays faster, beyond `jump` it skips. */
const LATENCY = { target: 0.9, max: 1.6, jump: 6, afterJump: 1 } as const;

/** What the player measures. `null` while unknown. */
export interface PlaybackNumbers {
  readonly latencySeconds: number | null;
  readonly decodedFrames: number | null;
  readonly droppedFrames: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

let loadedEngine: Promise<Engine> | undefined;

/** Fetches mpegts.js on the first play. A failed attempt is not kept, so that the next can succeed. */
function loadEngine(): Promise<Engine> {
  loadedEngine ??= import('mpegts.js').then(
    (module) => {
      module.default.LoggingControl.applyConfig({ enableDebug: false, enableVerbose: false, enableInfo: false });
      return module.default;
    },
    (cause: unknown) => {
      loadedEngine = undefined;
      throw cause;
    },
  );
  return loadedEngine;
}

/** Whether this browser's Media Source Extensions, Apple's managed kind included, take a type. */
export function isTypeSupported(mimeType: string): boolean {
  const sources = globalThis as { MediaSource?: typeof MediaSource; ManagedMediaSource?: typeof MediaSource };
  return (sources.MediaSource ?? sources.ManagedMediaSource)?.isTypeSupported(mimeType) ?? false;
}

/** Whether this browser can play anything here. */
export function hasMediaSource(): boolean {
  return 'MediaSource' in globalThis || 'ManagedMediaSource' in globalThis;
}

/** One media element and at most one mpegts.js player feeding it. Owns the player; the element stays the page's. */
export class LivePlayer {
  readonly #video: HTMLVideoElement;
  readonly #report: (event: MediaEvent) => void;
  readonly #listeners = new AbortController();
  #player: EnginePlayer | undefined;
  /** Counts opens and closes, so that answers to an earlier open are told from those to the newest. */
  #generation = 0;
  #drainTimer: number | undefined;
  #stall: { readonly atTime: number; readonly sinceMs: number } | undefined;

  constructor(video: HTMLVideoElement, report: (event: MediaEvent) => void) {
    this.#video = video;
    this.#report = report;
    const listen = (type: string, listener: () => void): void =>
      video.addEventListener(type, () => this.#player !== undefined && listener(), { signal: this.#listeners.signal });
    listen('playing', () => report({ type: 'playing' }));
    listen('waiting', () => report({ type: 'waiting' }));
    listen('ended', () => video.ended && report({ type: 'complete' }));
    // At the end of the stream the element pauses itself, and an event may come late, from before the newest `open`:
    // neither is somebody pausing it.
    listen('pause', () => {
      if (video.paused && !video.ended && this.#drainTimer === undefined) {
        report({ type: 'paused' });
      }
    });
    listen('error', () => {
      if (video.error !== null) {
        report({ type: 'decoder-failed', reason: describeElementError(video.error) });
      }
    });
  }

  /** Connects and plays; what happens is reported. An earlier connection is closed first. */
  open(request: PlayRequest): void {
    this.close();
    const generation = this.#generation;
    loadEngine().then(
      (engine) => generation === this.#generation && this.#start(engine, request, generation),
      () => generation === this.#generation && this.#report({ type: 'lost', reason: 'The player could not be loaded' }),
    );
  }

  /** Ends the connection, if there is one. */
  close(): void {
    this.#generation += 1;
    window.clearTimeout(this.#drainTimer);
    this.#drainTimer = undefined;
    this.#stall = undefined;
    const player = this.#player;
    this.#player = undefined;
    player?.destroy();
  }

  /** Plays on after a pause. Call it from a click: some browsers insist. */
  resume(): void {
    if (this.#player !== undefined) {
      this.#play(this.#generation);
    }
  }

  /** Closes for good and lets the element go. */
  dispose(): void {
    this.#listeners.abort();
    this.close();
  }

  /** Takes the numbers to show, and helps playback over holes in the timestamps. Call it a few times a second. */
  sample(nowMs: number): PlaybackNumbers {
    const video = this.#video;
    const ranges = toBufferedRanges(video.buffered);
    if (this.#player !== undefined && !video.paused) {
      this.#jumpHole(ranges, nowMs);
    }
    const quality = this.#player === undefined ? undefined : video.getVideoPlaybackQuality();
    return {
      latencySeconds: quality === undefined ? null : latencyToLiveEdge(ranges, video.currentTime),
      decodedFrames: quality?.totalVideoFrames ?? null,
      droppedFrames: quality?.droppedVideoFrames ?? null,
      width: video.videoWidth || null,
      height: video.videoHeight || null,
    };
  }

  #start(engine: Engine, request: PlayRequest, generation: number): void {
    const url = mediaUrl(location.href, request.stream.paths, request.transport);
    if (url === undefined) {
      this.#report({ type: 'unplayable', reason: 'The server gave an address that is not its own' });
      return;
    }
    if (request.withoutAudio) {
      url.searchParams.set('audio', '0');
    }
    const player = engine.createPlayer(
      {
        type: request.transport === 'ts' ? 'mpegts' : 'flv',
        isLive: true,
        url: url.href,
        hasVideo: request.hasVideo,
        hasAudio: request.hasAudio,
      },
      {
        // Collecting data before use is worth seconds of latency here, and nothing else.
        enableStashBuffer: false,
        lazyLoad: false,
        liveSync: true,
        liveSyncMaxLatency: LATENCY.max,
        liveSyncTargetLatency: LATENCY.target,
        liveSyncPlaybackRate: 1.1,
        liveBufferLatencyChasing: true,
        liveBufferLatencyChasingOnPaused: true,
        liveBufferLatencyMaxLatency: LATENCY.jump,
        liveBufferLatencyMinRemain: LATENCY.afterJump,
        autoCleanupMaxBackwardDuration: 30,
        autoCleanupMinBackwardDuration: 10,
      },
    );
    // A report leads to `close`, and mpegts.js must not be destroyed from inside its own callbacks.
    const later = (event: MediaEvent): void =>
      queueMicrotask(() => generation === this.#generation && this.#report(event));
    player.on(engine.Events.ERROR, (type: unknown, detail: unknown, info: unknown) =>
      later(toMediaEvent(String(type), String(detail), typeof info === 'object' && info !== null ? info : undefined)),
    );
    player.on(engine.Events.LOADING_COMPLETE, () => queueMicrotask(() => this.#drain(generation)));
    this.#player = player;
    player.attachMediaElement(this.#video);
    player.load();
    this.#play(generation);
  }

  #play(generation: number): void {
    this.#video.play().catch((cause: unknown) => {
      // Every other rejection comes with an event that says more, or from a connection closed meanwhile.
      if (generation === this.#generation && cause instanceof DOMException && cause.name === 'NotAllowedError') {
        this.#report({ type: 'paused' });
      }
    });
  }

  /** The server ended the stream: lets the element show what it still has. */
  #drain(generation: number): void {
    if (generation !== this.#generation || this.#drainTimer !== undefined) {
      return;
    }
    const left = latencyToLiveEdge(toBufferedRanges(this.#video.buffered), this.#video.currentTime) ?? 0;
    this.#drainTimer = window.setTimeout(
      () => this.#report({ type: 'complete' }),
      this.#video.paused ? 0 : Math.min(left * 1000 + 500, MAX_DRAIN_MS),
    );
  }

  #jumpHole(ranges: ReturnType<typeof toBufferedRanges>, nowMs: number): void {
    const { currentTime } = this.#video;
    if (this.#stall === undefined || this.#stall.atTime !== currentTime) {
      this.#stall = { atTime: currentTime, sinceMs: nowMs };
      return;
    }
    const target = findJumpTarget(ranges, currentTime);
    if (target !== undefined && nowMs - this.#stall.sinceMs >= STALL_BEFORE_JUMP_MS) {
      this.#stall = undefined;
      this.#video.currentTime = target;
    }
  }
}

function describeElementError(error: MediaError): string {
  const { message } = error;
  return `The browser could not decode the stream${message === '' ? '' : `: ${message.replace(/\.$/, '')}`}`;
}
