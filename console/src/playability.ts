import { codecName } from './codec-name.ts';
import type { AudioEntry, StreamEntry, VideoEntry } from './streams-document.ts';
import { type Transport, transportName } from './transport.ts';

/** What mpegts.js 1.8 reads from the container of each transport. */
const READABLE: Readonly<Record<'flv' | 'ts', ReadonlySet<string>>> = {
  flv: new Set(['h264', 'h265', 'aac', 'mp3', 'opus']),
  ts: new Set(['h264', 'h265', 'aac', 'mp3', 'opus', 'ac3', 'eac3']),
};

/** Whether a stream can be played here, and which of its tracks. */
export type Playability =
  | {
      readonly kind: 'playable';
      readonly hasVideo: boolean;
      readonly hasAudio: boolean;
      /** Why there is a sound track but no sound. */
      readonly silentBecause: string | undefined;
    }
  | { readonly kind: 'unplayable'; readonly reason: string };

/** `MediaSource.isTypeSupported` or what stands for it. */
export type TypeSupport = (mimeType: string) => boolean;

/**
 * Decides which tracks of a stream to play over a transport. A picture that cannot be shown makes the stream unplayable;
 * sound that cannot be played is left out.
 */
export function judgePlayability(
  stream: Pick<StreamEntry, 'video' | 'audio'>,
  transport: Transport,
  isTypeSupported: TypeSupport,
): Playability {
  const { video, audio } = stream;
  const videoProblem = video === null ? undefined : findProblem(video, 'video', transport, isTypeSupported);
  if (videoProblem !== undefined) {
    return { kind: 'unplayable', reason: videoProblem };
  }
  const audioProblem = audio === null ? undefined : findProblem(audio, 'audio', transport, isTypeSupported);
  if (audioProblem !== undefined && video === null) {
    return { kind: 'unplayable', reason: audioProblem };
  }
  return {
    kind: 'playable',
    hasVideo: video !== null,
    hasAudio: audio !== null && audioProblem === undefined,
    silentBecause: audioProblem,
  };
}

function findProblem(
  track: VideoEntry | AudioEntry,
  kind: 'video' | 'audio',
  transport: Transport,
  isTypeSupported: TypeSupport,
): string | undefined {
  const name = codecName(track.codec);
  if (!READABLE[transport === 'ts' ? 'ts' : 'flv'].has(track.codec)) {
    return `This page cannot play ${name} over ${transportName(transport)}`;
  }
  // MP3 has a type of its own; the codec strings for it inside MP4 differ from browser to browser.
  const mimeType = track.codec === 'mp3' ? 'audio/mpeg' : `${kind}/mp4; codecs="${track.codecString}"`;
  // Without a codec string nothing is known, and trying is the only way to find out.
  if (track.codec !== 'mp3' && track.codecString === '') {
    return undefined;
  }
  return isTypeSupported(mimeType) ? undefined : `This browser cannot decode ${track.codecString || name} (${name})`;
}
