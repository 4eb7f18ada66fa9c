import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatCount } from './format-quantity.ts';
import { StreamRow } from './stream-row.tsx';
import type { StreamEntry } from './streams-document.ts';

/** With more streams than this there is a field to search in. */
const SEARCH_FROM = 9;
/** Rows shown at once; more would make the page slow, and nobody reads them. */
const MAX_ROWS = 200;

interface StreamListProps {
  readonly streams: readonly StreamEntry[];
  readonly playingKey: string | undefined;
  /** The server does not answer: what is shown is old. */
  readonly stale: boolean;
  readonly onPlay: (key: string) => void;
}

/** The live streams, with a search field when they are many. */
export function StreamList({ streams, playingKey, stale, onPlay }: StreamListProps): JSX.Element {
  const [search, setSearch] = useState('');
  const searchable = streams.length >= SEARCH_FROM;
  const wanted = searchable ? search.trim().toLowerCase() : '';
  const found = wanted === '' ? streams : streams.filter((stream) => stream.key.toLowerCase().includes(wanted));
  const left = found.length - MAX_ROWS;

  // A search that was hidden with its field must not come back with it.
  useEffect(() => {
    if (!searchable) {
      setSearch('');
    }
  }, [searchable]);

  return (
    <div class={stale ? 'list stale' : 'list'}>
      <div class="list-head">
        <h2>
          Live streams <span class="count">{formatCount(streams.length)}</span>
        </h2>
        {searchable && (
          <input
            type="search"
            class="search"
            placeholder="Search streams"
            aria-label="Search streams"
            data-testid="search-input"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        )}
      </div>
      <ul class="rows" data-testid="stream-list">
        {found.slice(0, MAX_ROWS).map((stream) => (
          <StreamRow key={stream.key} stream={stream} playing={stream.key === playingKey} onPlay={onPlay} />
        ))}
      </ul>
      {found.length === 0 && <p class="hint">No stream has “{search.trim()}” in its name.</p>}
      {left > 0 && <p class="hint">And {formatCount(left)} more: search to see them.</p>}
    </div>
  );
}
