import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { hasMediaSource, isTypeSupported, LivePlayer, type PlaybackNumbers } from './live-player.ts';
import { PlaybackSession, type SessionEvent } from './playback-session.ts';
import type { PlayerState } from './player-state.ts';
import type { StreamEntry, StreamsDocument } from './streams-document.ts';
import type { Transport } from './transport.ts';

/** How often the numbers are taken. */
const SAMPLE_INTERVAL_MS = 500;

/** A stream being played: its state, its numbers and what the viewer can do about it. */
export interface Playback {
  readonly state: PlayerState;
  readonly numbers: PlaybackNumbers | undefined;
  /** Why there is no sound although the stream has some. */
  readonly silentBecause: string | undefined;
  readonly play: () => void;
  readonly stop: () => void;
}

interface PlaybackInput {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly stream: StreamEntry | undefined;
  /** The list the stream was looked up in; `undefined` until the first. */
  readonly document: StreamsDocument | undefined;
  readonly transport: Transport;
}

const NO_MEDIA_SOURCE: PlayerState = {
  kind: 'unplayable',
  reason: 'This browser has no Media Source Extensions, which this page needs to play live streams',
};

/** Plays one stream in a media element for as long as the component is there. */
export function usePlayback({ video, stream, document, transport }: PlaybackInput): Playback {
  const [state, setState] = useState<PlayerState>(hasMediaSource() ? { kind: 'connecting' } : NO_MEDIA_SOURCE);
  const [numbers, setNumbers] = useState<PlaybackNumbers | undefined>(undefined);
  const [silentBecause, setSilentBecause] = useState<string | undefined>(undefined);
  const run = useRef<((step: (session: PlaybackSession, nowMs: number) => SessionEvent[]) => void) | undefined>(
    undefined,
  );

  // One session for as long as the component is there: it outlives a change of transport, see below.
  useEffect(() => {
    const element = video.current;
    if (element === null || !hasMediaSource()) {
      return;
    }
    const session = new PlaybackSession(transport, isTypeSupported);
    const player = new LivePlayer(element, (event) => step((target, nowMs) => target.handleMedia(event, nowMs)));
    let timer: number | undefined;

    const step = (act: (target: PlaybackSession, nowMs: number) => SessionEvent[]): void => {
      const nowMs = performance.now();
      for (const event of act(session, nowMs)) {
        perform(event);
      }
      setSilentBecause(session.silentBecause);
      window.clearTimeout(timer);
      const dueMs = session.nextTimeoutMs();
      if (dueMs !== undefined && dueMs > nowMs) {
        timer = window.setTimeout(() => step((target, atMs) => target.handleTimeout(atMs)), dueMs - nowMs);
      }
    };
    const perform = (event: SessionEvent): void => {
      switch (event.type) {
        case 'open':
          player.open(event.request);
          break;
        case 'close':
          player.close();
          break;
        case 'resume':
          player.resume();
          break;
        case 'state':
          setState(event.state);
          break;
      }
    };
    run.current = step;
    const sampler = window.setInterval(() => setNumbers(player.sample(performance.now())), SAMPLE_INTERVAL_MS);
    return () => {
      run.current = undefined;
      window.clearTimeout(timer);
      window.clearInterval(sampler);
      player.dispose();
    };
  }, []);

  useEffect(() => {
    run.current?.((session, nowMs) => session.changeTransport(transport, nowMs));
  }, [transport]);

  // Every new list counts, also one in which nothing changed for this stream.
  useEffect(() => {
    if (document !== undefined) {
      run.current?.((session, nowMs) => session.updateStream(stream, nowMs));
    }
  }, [document]);

  return {
    state,
    numbers,
    silentBecause,
    play: () => run.current?.((session, nowMs) => session.play(nowMs)),
    stop: () => run.current?.((session) => session.stop()),
  };
}
