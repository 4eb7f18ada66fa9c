import type { JSX } from 'preact';
import { CopyField } from './copy-field.tsx';
import { ffmpegFileCommand, ffmpegTestCommand } from './publish-command.ts';
import { rtmpAppUrl, rtmpsAppUrl } from './stream-address.ts';
import type { ServerEntry } from './streams-document.ts';

/** The stream the examples publish. */
const EXAMPLE = { app: 'live', stream: 'my-stream' } as const;

interface PublishHelpProps {
  readonly server: ServerEntry;
  /** Shown unfolded: there is nothing else to look at. */
  readonly open: boolean;
}

/** How to publish to this server, ready to copy. */
export function PublishHelp({ server, open }: PublishHelpProps): JSX.Element {
  return (
    <details class="publish" open={open} data-testid="publish-help">
      <summary>How to publish a stream</summary>
      <PublishSteps server={server} />
    </details>
  );
}

function PublishSteps({ server }: { readonly server: ServerEntry }): JSX.Element {
  const { hostname } = location;
  const appUrl =
    server.rtmpPort !== null
      ? rtmpAppUrl(hostname, server.rtmpPort, EXAMPLE.app)
      : server.rtmpsPort !== null
        ? rtmpsAppUrl(hostname, server.rtmpsPort, EXAMPLE.app)
        : undefined;
  if (appUrl === undefined) {
    return <p class="hint">RTMP is switched off on this server.</p>;
  }
  const publishUrl = `${appUrl}/${EXAMPLE.stream}`;
  return (
    <div class="publish-steps">
      <section aria-labelledby="publish-obs">
        <h3 id="publish-obs">OBS Studio</h3>
        <p class="hint">Settings → Stream → Service “Custom…”. Then press Start Streaming.</p>
        <CopyField label="Server" text={appUrl} testId="publish-obs-server" />
        <CopyField label="Stream key" text={EXAMPLE.stream} testId="publish-obs-key" />
        {server.rtmpPort !== null && server.rtmpsPort !== null && (
          <CopyField
            label="Server, encrypted"
            text={rtmpsAppUrl(hostname, server.rtmpsPort, EXAMPLE.app)}
            testId="publish-obs-server-rtmps"
          />
        )}
      </section>
      <section aria-labelledby="publish-ffmpeg">
        <h3 id="publish-ffmpeg">ffmpeg</h3>
        <p class="hint">Any name in place of “{EXAMPLE.stream}” will do.</p>
        <CopyField label="A file, in a loop" text={ffmpegFileCommand(publishUrl)} testId="publish-ffmpeg-file" />
        <CopyField label="A test picture" text={ffmpegTestCommand(publishUrl)} testId="publish-ffmpeg-test" />
      </section>
    </div>
  );
}
