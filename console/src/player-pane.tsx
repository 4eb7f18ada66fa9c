import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CopyField } from './copy-field.tsx';
import { displayName } from './display-name.ts';
import { formatCount, formatResolution, formatSeconds } from './format-quantity.ts';
import { Icon } from './icon.tsx';
import { describePlayerState, mainControl } from './player-state.ts';
import { mediaUrl, rtmpPlayUrl, rtspPlayUrl } from './stream-address.ts';
import type { ServerEntry, StreamEntry, StreamsDocument } from './streams-document.ts';
import { parseTransport, TRANSPORTS, type Transport } from './transport.ts';
import { usePlayback } from './use-playback.ts';

interface PlayerPaneProps {
  readonly streamKey: string;
  /** The stream as the newest list has it; `undefined` while it is not live. */
  readonly stream: StreamEntry | undefined;
  /** The newest list; `undefined` until the first. */
  readonly document: StreamsDocument | undefined;
  readonly transport: Transport;
  /** Goes up whenever the viewer presses Play in the list. */
  readonly playRequests: number;
  readonly onTransport: (transport: Transport) => void;
  readonly onClose: () => void;
}

/** The picture, what the player is doing, its controls and its numbers. */
export function PlayerPane(props: PlayerPaneProps): JSX.Element {
  const { streamKey, stream, document: streams, transport, playRequests, onTransport, onClose } = props;
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [muted, setMuted] = useState(true);
  const [volume, setVolume] = useState(1);
  const playback = usePlayback({ video, stream, document: streams, transport });
  const { state, numbers } = playback;
  const control = mainControl(state);
  const name = displayName(streamKey);
  const hasSound = stream?.audio != null && playback.silentBecause === undefined;

  // Whoever pressed Play in the list, below or beside, is taken here.
  useEffect(() => {
    if (playRequests > 0) {
      heading.current?.focus({ preventScroll: true });
      heading.current?.scrollIntoView({ block: 'nearest' });
      playback.play();
    }
  }, [playRequests]);

  useEffect(() => {
    if (video.current !== null) {
      video.current.muted = muted;
      video.current.volume = volume;
    }
  }, [muted, volume]);

  const changeVolume = (value: number): void => {
    setVolume(value);
    setMuted(value === 0);
  };

  return (
    <section class="player" aria-labelledby="player-title" data-testid="player-pane">
      <div class="player-head">
        <h2 id="player-title" ref={heading} tabIndex={-1} data-testid="player-title">
          <bdi>{name}</bdi>
        </h2>
        <button
          type="button"
          class="button plain"
          data-testid="close-button"
          aria-label="Close player"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </div>

      <div class="screen" ref={frame} data-state={state.kind}>
        <video
          ref={video}
          data-testid="player-video"
          aria-label={`Video of ${name}`}
          muted
          playsInline
          disableRemotePlayback
        />
        {state.kind !== 'playing' && (
          <div class="curtain" aria-hidden="true">
            {(state.kind === 'connecting' || state.kind === 'buffering') && <span class="spinner" />}
            <p>{describePlayerState(state)}</p>
          </div>
        )}
        {state.kind === 'playing' && muted && hasSound && (
          <button type="button" class="unmute" data-testid="unmute-button" onClick={() => setMuted(false)}>
            <Icon name="muted" /> Unmute
          </button>
        )}
      </div>

      <p class={`state ${state.kind}`} role="status" data-testid="player-state" data-state={state.kind}>
        {describePlayerState(state)}
      </p>
      {playback.silentBecause !== undefined && (
        <p class="hint" data-testid="player-silent">
          No sound: {playback.silentBecause}.
        </p>
      )}

      <div class="controls">
        {control === 'play' && (
          <button type="button" class="button primary" data-testid="start-button" onClick={playback.play}>
            <Icon name="play" /> Play
          </button>
        )}
        {control === 'stop' && (
          <button type="button" class="button" data-testid="stop-button" onClick={playback.stop}>
            <Icon name="stop" /> Stop
          </button>
        )}
        <button
          type="button"
          class="button"
          data-testid="mute-button"
          aria-pressed={muted}
          aria-label="Mute"
          title={muted ? 'Sound is off' : 'Sound is on'}
          onClick={() => setMuted(!muted)}
        >
          <Icon name={muted ? 'muted' : 'sound'} />
        </button>
        <input
          type="range"
          class="volume"
          data-testid="volume-input"
          aria-label="Volume"
          min="0"
          max="1"
          step="0.05"
          value={muted ? 0 : volume}
          onInput={(event) => changeVolume(event.currentTarget.valueAsNumber)}
        />
        <label class="transport">
          <span>Over</span>
          <select
            data-testid="transport-select"
            value={transport}
            onChange={(event) => {
              const chosen = parseTransport(event.currentTarget.value);
              if (chosen !== undefined) {
                onTransport(chosen);
              }
            }}
          >
            {TRANSPORTS.map((entry) => (
              <option key={entry.transport} value={entry.transport}>
                {entry.name}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="button"
          data-testid="fullscreen-button"
          aria-label="Full screen"
          title="Full screen"
          onClick={() => showFullScreen(frame.current, video.current)}
        >
          <Icon name="fullscreen" />
        </button>
      </div>

      <dl class="stats numbers">
        <div class="stat" title="How far the picture is behind the newest data this browser has received">
          <dt>Behind live</dt>
          <dd data-testid="player-latency" data-seconds={numbers?.latencySeconds?.toFixed(3)}>
            {formatSeconds(numbers?.latencySeconds ?? null, 2)}
          </dd>
        </div>
        <div class="stat" title="Frames the browser decoded too late to show, of all it decoded">
          <dt>Dropped</dt>
          <dd>
            <span data-testid="player-dropped">{formatCount(numbers?.droppedFrames ?? null)}</span>
            <span class="of">
              {' '}
              of <span data-testid="player-decoded">{formatCount(numbers?.decodedFrames ?? null)}</span>
            </span>
          </dd>
        </div>
        <div class="stat">
          <dt>Picture</dt>
          <dd data-testid="player-picture">{formatResolution(numbers?.width ?? null, numbers?.height ?? null)}</dd>
        </div>
      </dl>

      {stream !== undefined && streams !== undefined && <Addresses stream={stream} server={streams.server} />}
    </section>
  );
}

interface AddressesProps {
  readonly stream: StreamEntry;
  readonly server: ServerEntry;
}

/** Where other players find the stream. */
function Addresses({ stream, server }: AddressesProps): JSX.Element {
  const page = location.href;
  return (
    <details class="addresses" data-testid="addresses">
      <summary>Addresses for other players</summary>
      {TRANSPORTS.map(({ transport, name }) => {
        const url = mediaUrl(page, stream.paths, transport);
        return url && <CopyField key={transport} label={name} text={url.href} testId={`address-${transport}`} />;
      })}
      {server.rtmpPort !== null && (
        <CopyField label="RTMP" text={rtmpPlayUrl(location.hostname, server.rtmpPort, stream)} testId="address-rtmp" />
      )}
      {server.rtspPort !== null && (
        <CopyField
          label="RTSP"
          text={rtspPlayUrl('rtsp', location.hostname, server.rtspPort, stream)}
          testId="address-rtsp"
        />
      )}
      {server.rtspsPort !== null && (
        <CopyField
          label="RTSPS"
          text={rtspPlayUrl('rtsps', location.hostname, server.rtspsPort, stream)}
          testId="address-rtsps"
        />
      )}
    </details>
  );
}

/** iPhones show only the media element itself in full screen, by a method of their own. */
function showFullScreen(frame: HTMLElement | null, video: HTMLVideoElement | null): void {
  const own = video as (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null;
  if (document.fullscreenElement !== null) {
    void document.exitFullscreen();
  } else if (frame !== null && 'requestFullscreen' in frame) {
    // Refused when the page is embedded without the permission: nothing to add to what the browser says.
    frame.requestFullscreen().catch(() => own?.webkitEnterFullscreen?.());
  } else {
    own?.webkitEnterFullscreen?.();
  }
}
