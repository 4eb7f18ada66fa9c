import { judgePlayability, type TypeSupport } from './playability.ts';
import type { PlayerState } from './player-state.ts';
import type { StreamEntry } from './streams-document.ts';
import type { Transport } from './transport.ts';

/** Waits before trying again, one after another; the last is for all that follow. */
const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000] as const;
/** Once it has played this long, the next failure starts at the first wait again. */
const STEADY_AFTER_MS = 10_000;
/** Decoding failures in a row after which trying again is left to the viewer. */
const MAX_DECODER_FAILURES = 3;

/** A connection to open: what to fetch and which tracks to expect in it. */
export interface PlayRequest {
  readonly stream: StreamEntry;
  readonly transport: Transport;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** The stream has sound, but it is not to be fetched. */
  readonly withoutAudio: boolean;
}

/** What the media element and mpegts.js report about the open connection. */
export type MediaEvent =
  | { readonly type: 'playing' }
  | { readonly type: 'waiting' }
  | { readonly type: 'paused' }
  /** The server ended the stream, and all of it has been shown. */
  | { readonly type: 'complete' }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'decoder-failed'; readonly reason: string }
  | { readonly type: 'unplayable'; readonly reason: string };

/** What the owner of a session has to do. */
export type SessionEvent =
  | { readonly type: 'open'; readonly request: PlayRequest }
  | { readonly type: 'close' }
  | { readonly type: 'resume' }
  | { readonly type: 'state'; readonly state: PlayerState };

interface Connection {
  readonly transport: Transport;
  readonly videoCodec: string | undefined;
  readonly audioCodec: string | undefined;
}

/**
 * Decides when to connect to one stream, when to connect again, and what to tell the viewer. It has no timers and no media
 * element: reports and the clock come in, and what is to be done comes out.
 */
export class PlaybackSession {
  readonly #isTypeSupported: TypeSupport;
  #transport: Transport;
  #stream: StreamEntry | undefined;
  #state: PlayerState = { kind: 'connecting' };
  /** What the viewer wants; a final failure clears it. */
  #wanted = true;
  #connection: Connection | undefined;
  #hasPlayed = false;
  #playingSinceMs: number | undefined;
  #failures = 0;
  #decoderFailures = 0;
  #retryAtMs: number | undefined;
  /** The newest list may be older than the end of the connection: wait for one that is not. */
  #needsNewList = true;
  #silentBecause: string | undefined;

  constructor(transport: Transport, isTypeSupported: TypeSupport) {
    this.#transport = transport;
    this.#isTypeSupported = isTypeSupported;
  }

  /** Why a stream with sound is played without; `undefined` when it is not. */
  get silentBecause(): string | undefined {
    return this.#silentBecause;
  }

  /** The stream as the newest list has it; `undefined` when the list does not have it. */
  updateStream(stream: StreamEntry | undefined, nowMs: number): SessionEvent[] {
    this.#stream = stream;
    this.#needsNewList = false;
    return this.#decide(nowMs);
  }

  /** The viewer chose another transport. */
  changeTransport(transport: Transport, nowMs: number): SessionEvent[] {
    if (transport === this.#transport) {
      return [];
    }
    this.#transport = transport;
    const events: SessionEvent[] = this.#connection === undefined ? [] : this.#disconnect();
    this.#forgetFailures();
    if (this.#state.kind === 'unplayable') {
      this.#wanted = true;
    }
    return [...events, ...this.#decide(nowMs)];
  }

  /** The viewer pressed Play. */
  play(nowMs: number): SessionEvent[] {
    if (this.#connection !== undefined) {
      return this.#state.kind === 'paused' ? [{ type: 'resume' }] : [];
    }
    this.#wanted = true;
    this.#forgetFailures();
    return [...this.#enter({ kind: 'connecting' }), ...this.#decide(nowMs)];
  }

  /** The viewer pressed Stop. */
  stop(): SessionEvent[] {
    this.#wanted = false;
    this.#retryAtMs = undefined;
    const events: SessionEvent[] = this.#connection === undefined ? [] : this.#disconnect();
    return [...events, ...this.#enter({ kind: 'stopped' })];
  }

  /** A report about the open connection; without one it is late and is ignored. */
  handleMedia(event: MediaEvent, nowMs: number): SessionEvent[] {
    if (this.#connection === undefined) {
      return [];
    }
    switch (event.type) {
      case 'playing':
        this.#hasPlayed = true;
        this.#playingSinceMs ??= nowMs;
        return this.#enter({ kind: 'playing' });
      case 'waiting':
        return this.#state.kind === 'playing' ? this.#enter({ kind: 'buffering' }) : [];
      case 'paused':
        return this.#enter({ kind: 'paused' });
      case 'complete':
        return this.#fail(nowMs, { kind: 'ended' });
      case 'lost':
        return this.#fail(nowMs, { kind: 'failed', reason: event.reason, retrying: true });
      case 'unplayable':
        this.#wanted = false;
        return this.#fail(nowMs, { kind: 'unplayable', reason: event.reason });
      case 'decoder-failed': {
        this.#settleFailures(nowMs);
        this.#decoderFailures += 1;
        const retrying = this.#decoderFailures < MAX_DECODER_FAILURES;
        this.#wanted = retrying;
        return this.#fail(nowMs, { kind: 'failed', reason: event.reason, retrying });
      }
    }
  }

  /** When `handleTimeout` is due. */
  nextTimeoutMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** Tries again when it is time to. */
  handleTimeout(nowMs: number): SessionEvent[] {
    return this.#decide(nowMs);
  }

  #decide(nowMs: number): SessionEvent[] {
    if (!this.#wanted) {
      return [];
    }
    const stream = this.#stream;
    if (this.#connection !== undefined) {
      if (stream?.publishing !== true || !tracksChanged(this.#connection, stream)) {
        return [];
      }
      return [...this.#disconnect(), ...this.#connect(stream)];
    }
    if (this.#needsNewList) {
      return [];
    }
    if (stream?.publishing !== true) {
      this.#retryAtMs = undefined;
      return this.#enter({ kind: this.#hasPlayed ? 'ended' : 'waiting' });
    }
    if (this.#retryAtMs !== undefined && nowMs < this.#retryAtMs) {
      return [];
    }
    if (stream.video === null && stream.audio === null) {
      return this.#enter({ kind: 'connecting' });
    }
    return this.#connect(stream);
  }

  #connect(stream: StreamEntry): SessionEvent[] {
    this.#retryAtMs = undefined;
    const verdict = judgePlayability(stream, this.#transport, this.#isTypeSupported);
    if (verdict.kind === 'unplayable') {
      return this.#enter(verdict);
    }
    this.#silentBecause = verdict.silentBecause;
    this.#connection = {
      transport: this.#transport,
      videoCodec: stream.video?.codec,
      audioCodec: stream.audio?.codec,
    };
    const request: PlayRequest = {
      stream,
      transport: this.#transport,
      hasVideo: verdict.hasVideo,
      hasAudio: verdict.hasAudio,
      withoutAudio: verdict.silentBecause !== undefined,
    };
    return [...this.#enter({ kind: 'connecting' }), { type: 'open', request }];
  }

  #disconnect(): SessionEvent[] {
    this.#connection = undefined;
    this.#playingSinceMs = undefined;
    this.#silentBecause = undefined;
    return [{ type: 'close' }];
  }

  #fail(nowMs: number, state: PlayerState): SessionEvent[] {
    this.#settleFailures(nowMs);
    const delayMs = RETRY_DELAYS_MS[Math.min(this.#failures, RETRY_DELAYS_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#retryAtMs = this.#wanted ? nowMs + delayMs : undefined;
    this.#needsNewList = true;
    return [...this.#disconnect(), ...this.#enter(state)];
  }

  #settleFailures(nowMs: number): void {
    if (this.#playingSinceMs !== undefined && nowMs - this.#playingSinceMs >= STEADY_AFTER_MS) {
      this.#failures = 0;
      this.#decoderFailures = 0;
    }
  }

  #forgetFailures(): void {
    this.#failures = 0;
    this.#decoderFailures = 0;
    this.#retryAtMs = undefined;
  }

  #enter(state: PlayerState): SessionEvent[] {
    const before = this.#state;
    const same = before.kind === state.kind && JSON.stringify(before) === JSON.stringify(state);
    this.#state = state;
    return same ? [] : [{ type: 'state', state }];
  }
}

/** A track that came or changed its codec needs a new connection; one that went does not, it may come back. */
function tracksChanged(connection: Connection, stream: StreamEntry): boolean {
  return (
    (stream.video !== null && stream.video.codec !== connection.videoCodec) ||
    (stream.audio !== null && stream.audio.codec !== connection.audioCodec)
  );
}
