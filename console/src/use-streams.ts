import { useEffect, useState } from 'preact/hooks';
import { parseStreamsDocument } from './parse-streams-document.ts';
import { POLL_INTERVAL_MS, pollDelayMs } from './poll-schedule.ts';
import type { StreamsDocument } from './streams-document.ts';

/** A server that has not answered by then counts as not reachable. */
const ANSWER_TIMEOUT_MS = 5000;

/** What is known of the server right now. */
export interface StreamsView {
  /** The newest document; `undefined` until the first. It stays when the server goes. */
  readonly document: StreamsDocument | undefined;
  /** Why the newest question got no document; `undefined` when it did. */
  readonly problem: string | undefined;
}

/** Asks the server for its streams every second, and less often while it does not answer. */
export function useStreams(): StreamsView {
  const [view, setView] = useState<StreamsView>({ document: undefined, problem: undefined });

  useEffect(() => {
    const stopped = new AbortController();
    let timer: number | undefined;
    let failures = 0;

    const poll = async (): Promise<void> => {
      const startedMs = performance.now();
      const answer = await fetchStreams(stopped.signal);
      if (stopped.signal.aborted) {
        return;
      }
      if (typeof answer === 'string') {
        failures += 1;
        setView((before) => ({ document: before.document, problem: answer }));
      } else {
        failures = 0;
        setView({ document: answer, problem: undefined });
      }
      const delayMs = failures === 0 ? POLL_INTERVAL_MS - (performance.now() - startedMs) : pollDelayMs(failures);
      timer = window.setTimeout(() => void poll(), Math.max(delayMs, 0));
    };

    void poll();
    return () => {
      stopped.abort();
      window.clearTimeout(timer);
    };
  }, []);

  return view;
}

/** The document, or in words why there is none. Never rejects. */
async function fetchStreams(stopped: AbortSignal): Promise<StreamsDocument | string> {
  try {
    const response = await fetch(new URL('/console/streams.json', location.origin), {
      cache: 'no-store',
      signal: AbortSignal.any([stopped, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    if (!response.ok) {
      return `it answered ${response.status}`;
    }
    return parseStreamsDocument(await response.json()) ?? 'its answer could not be read';
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      return 'its answer could not be read';
    }
    return cause instanceof DOMException && cause.name === 'TimeoutError'
      ? 'it did not answer in time'
      : 'no connection';
  }
}
