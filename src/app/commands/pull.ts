import type { Track } from '../../codec/track.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import { FilePush } from '../../server/client/file-push.ts';
import type { FlvSourceEvent } from '../../server/client/flv-source.ts';
import { parseRtmpAddress } from '../../server/client/media-address.ts';
import { describeTrack } from '../../server/client/track-description.ts';
import { shownRtspUrl } from '../../server/rtsp-client/client-attempts.ts';
import { openRtspSource } from '../../server/rtsp-client/rtsp-flv-source.ts';
import { EXIT } from '../exit-code.ts';
import { CLIENT_OPTIONS, CLIENT_OPTIONS_HELP, clientSettings, parseCount, parseSeconds } from './client-options.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { FlvPlayer, STANDARD_OUTPUT } from './flv-player.ts';
import { interruption } from './interruption.ts';
import { type Progress, ProgressLine } from './progress-line.ts';
import { parseRtspTarget, parseTransport, TRANSPORT_HELP, TRANSPORT_OPTION } from './rtsp-options.ts';

const HELP = `millrace pull <rtsp[s]://[user:password@]host/path> <out.flv|rtmp[s]://host/app/stream|->

Plays a stream of an RTSP server or a camera, and writes it to an FLV file or to standard output (-), or publishes it to an
RTMP server. Says what tracks there are. Ends with the stream, or on Ctrl-C.

  --duration <s>   end after this time
  --retry <n>      when the connection is lost or refused, try again up to n times in a row; 0 by default
${TRANSPORT_HELP}
${CLIENT_OPTIONS_HELP}
`;

/** `millrace pull`. */
export async function pull(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...CLIENT_OPTIONS,
    ...TRANSPORT_OPTION,
    duration: { type: 'string' },
    retry: { type: 'string' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [from, out, ...extra] = positionals;
  if (from === undefined || out === undefined || extra.length > 0) {
    throw new UsageError('pull takes a URL and where to: millrace pull <rtsp://host/path> <out.flv|rtmp://…|->');
  }
  const url = parseRtspTarget(from);
  const rtmp = /^[a-z][a-z0-9+.-]*:\/\//i.test(out) ? parseRtmpAddress(out) : undefined;
  if (typeof rtmp === 'string') throw new UsageError(rtmp);
  const settings = clientSettings(values);
  const durationMs = parseSeconds('--duration', values.duration);
  const retries = parseCount('--retry', values.retry) ?? 0;
  const transport = parseTransport(values.transport);
  const { signal, dispose } = interruption();
  const name = shownRtspUrl(url);
  const says = out === STANDARD_OUTPUT ? process.stderr : process.stdout;
  const onTracks = (tracks: readonly Track[]): void => {
    for (const track of tracks) says.write(`${describeTrack(track)}\n`);
  };
  const open = (stopSignal: AbortSignal): AsyncIterable<FlvSourceEvent> =>
    openRtspSource({ ...settings, url, transport, retries, signal: stopSignal, onTracks });
  let progress: () => Progress;
  let run: () => Promise<void>;
  if (rtmp === undefined) {
    const player = new FlvPlayer({ out, durationMs });
    progress = () => player.progress;
    run = () => player.run(name, signal, async (stopSignal) => open(stopSignal));
  } else {
    const stop = new AbortController();
    const stopSignal = AbortSignal.any([signal, stop.signal]);
    const tags = tagsOf(open(stopSignal), durationMs, stop);
    const push = new FilePush({ ...settings, path: name, tags, url: rtmp, loop: false, fast: true, retries, signal });
    progress = () => progressOf(push);
    run = () => push.run();
  }
  const line = new ProgressLine(progress);
  try {
    await run();
  } finally {
    line.close();
    dispose();
  }
  return EXIT.ok;
}

async function* tagsOf(
  events: AsyncIterable<FlvSourceEvent>,
  durationMs: number | undefined,
  stop: AbortController,
): AsyncGenerator<FlvTag, void, undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    for await (const event of events) {
      if (durationMs !== undefined) timer ??= setTimeout(() => stop.abort(), durationMs);
      if (event.type === 'tag') yield event.tag;
    }
  } finally {
    clearTimeout(timer);
  }
}

function progressOf(push: FilePush): Progress {
  const { state, timeMs, sentBytes, frames, videoFrames, bufferedBytes } = push.progress;
  const counts = { timeMs, bytes: sentBytes, frames, pictures: videoFrames || frames, bufferedBytes };
  return state === 'publishing' ? counts : { ...counts, note: `${state} …` };
}
