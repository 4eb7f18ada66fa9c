import type { ComponentChildren, JSX } from 'preact';
import { describeAudioCodec, describeVideoCodec } from './codec-name.ts';
import { displayName } from './display-name.ts';
import {
  formatBitrate,
  formatChannels,
  formatCount,
  formatFrameRate,
  formatResolution,
  formatSampleRate,
  formatSeconds,
  formatUptime,
  sumKnown,
} from './format-quantity.ts';
import { Icon } from './icon.tsx';
import type { StreamEntry } from './streams-document.ts';

interface StreamRowProps {
  readonly stream: StreamEntry;
  readonly playing: boolean;
  readonly onPlay: (key: string) => void;
}

/** One stream: its name, what it consists of, its numbers, and a button to play it. */
export function StreamRow({ stream, playing, onPlay }: StreamRowProps): JSX.Element {
  const { video, audio } = stream;
  const name = displayName(stream.key);
  return (
    <li class={playing ? 'row playing' : 'row'} data-testid="stream-row" data-key={stream.key} aria-current={playing}>
      <div class="row-main">
        <h3 class="name">
          <bdi data-testid="stream-name">{name}</bdi>
          {stream.publishing ? (
            <span class="badge live">Live</span>
          ) : (
            <span class="badge away" data-testid="publisher-away">
              Publisher away
            </span>
          )}
        </h3>
        <p class="codecs">
          {video !== null && (
            <span data-testid="stat-video-codec" title={video.codecString}>
              {displayName(describeVideoCodec(video))}
            </span>
          )}
          {audio !== null && (
            <span data-testid="stat-audio-codec" title={audio.codecString}>
              {displayName(describeAudioCodec(audio))} {formatSampleRate(audio.sampleRate)}{' '}
              {formatChannels(audio.channels)}
            </span>
          )}
          {video === null && audio === null && <span>Waiting for the first frames</span>}
        </p>
      </div>
      <dl class="stats">
        <Stat name="Resolution" testId="stat-resolution">
          {formatResolution(video?.width ?? null, video?.height ?? null)}
        </Stat>
        <Stat name="Frame rate" testId="stat-frame-rate">
          {formatFrameRate(video?.frameRate ?? null)}
        </Stat>
        <Stat name="Bitrate" testId="stat-bitrate">
          {formatBitrate(sumKnown(video?.bitrateBps, audio?.bitrateBps))}
        </Stat>
        <Stat name="GOP" testId="stat-gop" title="Time from one key frame to the next">
          {formatSeconds(video?.gopSeconds ?? null)}
        </Stat>
        <Stat name="Viewers" testId="stat-viewers">
          {formatCount(stream.viewers)}
        </Stat>
        <Stat name="Uptime" testId="stat-uptime">
          {formatUptime(stream.uptimeSeconds)}
        </Stat>
      </dl>
      <button
        type="button"
        class={playing ? 'button' : 'button primary'}
        data-testid="play-button"
        aria-label={`Play ${name}`}
        onClick={() => onPlay(stream.key)}
      >
        <Icon name="play" />
        Play
      </button>
    </li>
  );
}

interface StatProps {
  readonly name: string;
  readonly testId: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

function Stat({ name, testId, title, children }: StatProps): JSX.Element {
  return (
    <div class="stat" title={title}>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  );
}
