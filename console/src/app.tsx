import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { displayName } from './display-name.ts';
import { formatCounted, formatUptime } from './format-quantity.ts';
import { Icon } from './icon.tsx';
import { PlayerPane } from './player-pane.tsx';
import { PublishHelp } from './publish-help.tsx';
import { writeRoute } from './route.ts';
import { StreamList } from './stream-list.tsx';
import type { ServerEntry } from './streams-document.ts';
import { useRoute } from './use-route.ts';
import { useStreams } from './use-streams.ts';

/** The whole page: the server, its streams, and the one being played. */
export function App(): JSX.Element {
  const { document: streams, problem } = useStreams();
  const [route, go] = useRoute();
  const { streamKey, transport } = route;
  const [playRequests, setPlayRequests] = useState(0);

  useEffect(() => {
    document.title = streamKey === undefined ? 'Millrace' : `${displayName(streamKey)} – Millrace`;
  }, [streamKey]);

  const list = streams?.streams;
  const selected = useMemo(() => list?.find((stream) => stream.key === streamKey), [list, streamKey]);

  return (
    <div class={streamKey === undefined ? 'page' : 'page with-player'} data-testid="app">
      <header class="masthead">
        <a class="brand" href={writeRoute({ streamKey: undefined, transport }, location.search)}>
          <Icon name="brand" />
          <h1>Millrace</h1>
        </a>
        <ServerLine server={streams?.server} reachable={problem === undefined} />
      </header>

      <div role="alert" class="alerts">
        {problem !== undefined && (
          <p class="notice" data-testid="server-unreachable">
            <strong>Server not reachable</strong>: {problem}. Trying again…
            {streams !== undefined && ' What is shown here is from before.'}
          </p>
        )}
      </div>

      <main>
        {streamKey !== undefined && (
          <PlayerPane
            key={streamKey}
            streamKey={streamKey}
            stream={selected}
            document={streams}
            transport={transport}
            playRequests={playRequests}
            onTransport={(chosen) => go({ streamKey, transport: chosen })}
            onClose={() => go({ streamKey: undefined, transport })}
          />
        )}
        <section class="streams-section" aria-label="Live streams">
          {list === undefined && problem === undefined && (
            <p class="loading" data-testid="loading">
              Loading…
            </p>
          )}
          {list !== undefined && list.length > 0 && (
            <StreamList
              streams={list}
              playingKey={streamKey}
              stale={problem !== undefined}
              onPlay={(key) => {
                setPlayRequests((count) => count + 1);
                go({ streamKey: key, transport });
              }}
            />
          )}
          {list !== undefined && list.length === 0 && (
            <div class="empty" data-testid="empty-state">
              <Icon name="brand" />
              <h2>No live streams yet</h2>
              <p>Publish one over RTMP and it appears here at once.</p>
            </div>
          )}
          {streams !== undefined && <PublishHelp server={streams.server} open={list?.length === 0} />}
        </section>
      </main>

      <footer class="foot">
        <a href="./licenses.md">Licences</a>
      </footer>
    </div>
  );
}

interface ServerLineProps {
  readonly server: ServerEntry | undefined;
  readonly reachable: boolean;
}

function ServerLine({ server, reachable }: ServerLineProps): JSX.Element | null {
  if (server === undefined) {
    return null;
  }
  return (
    <p class={reachable ? 'server' : 'server stale'} data-testid="server-status">
      <span data-testid="server-viewers">{formatCounted(server.viewers, 'viewer')}</span>
      <span data-testid="server-uptime">up {formatUptime(server.uptimeSeconds)}</span>
      <span data-testid="server-version">version {displayName(server.version)}</span>
    </p>
  );
}
