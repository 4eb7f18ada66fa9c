import { type PeerCommand, words } from '../../peers/peer-process.ts';
import type { ClipSource } from './clip-source.ts';
import type { TestServer } from './stage.ts';

/** One program that sends clips over one transport. */
export interface ClipPublisher {
  readonly name: string;
  readonly program: 'ffmpeg' | 'gstreamer';
  url(server: TestServer, path: string): string;
  /** Sends it in real time, nothing encoded anew. */
  command(source: ClipSource, url: string): PeerCommand;
}

/** @param transport `tls` is TCP to the RTSPS port */
export function clipPublisher(program: 'ffmpeg' | 'gstreamer', transport: 'tcp' | 'udp' | 'tls'): ClipPublisher {
  return {
    name: `${program === 'ffmpeg' ? 'ffmpeg' : 'GStreamer'} over ${transport}`,
    program,
    url: (server, path) => (transport === 'tls' ? server.rtsps(path) : server.rtsp(path)),
    command: (source, url) =>
      (program === 'ffmpeg' ? ffmpegCommand : gstreamerCommand)(source, url, transport === 'udp' ? 'udp' : 'tcp'),
  };
}

/** The columns of the matrix. */
export const CLIP_PUBLISHERS: readonly ClipPublisher[] = (['ffmpeg', 'gstreamer'] as const).flatMap((program) =>
  (['tcp', 'udp', 'tls'] as const).map((transport) => clipPublisher(program, transport)),
);

function ffmpegCommand({ file }: ClipSource, url: string, transport: string): PeerCommand {
  return {
    program: 'ffmpeg',
    // VP9 over RTP counts as experimental.
    args: words(
      `-hide_banner -nostdin -v warning -re -i ${file} -map 0 -c copy -strict experimental -f rtsp -rtsp_transport ${transport} ${url}`,
    ),
    timeoutMs: 60_000,
  };
}

function gstreamerCommand({ clip, file }: ClipSource, url: string, transport: string): PeerCommand {
  const sink = `-q rtspclientsink name=s location=${url} protocols=${transport} tls-validation-flags=0`;
  const branches = clip.tracks.map(({ kind, parser }) => `d.${kind}_0 ! queue ! ${parser} ! s.`);
  const source = clip.source === undefined ? ['matroskademux name=d', ...branches].join(' ') : `${clip.source} ! s.`;
  return {
    program: 'gst-launch-1.0',
    args: words(`${sink} filesrc location=${file} ! ${source}`),
    timeoutMs: 60_000,
  };
}
