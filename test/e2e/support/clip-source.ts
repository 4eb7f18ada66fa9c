import { readFile, writeFile } from 'node:fs/promises';
import { type PeerCommand, words } from '../../peers/peer-process.ts';
import { make } from './clips.ts';
import type { Clip, ClipTrack } from './rtsp-clips.ts';
import type { Stage } from './stage.ts';

/** A clip as a file, and what of it is compared. */
export interface ClipSource {
  readonly clip: Clip;
  readonly file: string;
  /** The normalised bytes of each track, by kind. */
  readonly bytes: ReadonlyMap<ClipTrack['kind'], Uint8Array>;
}

/** Encodes a clip and reads its tracks. @param name of the file, without its extension */
export async function makeClipSource(stage: Stage, clip: Clip, name: string): Promise<ClipSource> {
  const file = stage.path(`${name}.${clip.extension ?? 'mkv'}`);
  if (clip.encode !== undefined) await make(clip.encode, file);
  if (clip.pipeline !== undefined) {
    const { elements, magic } = clip.pipeline;
    const raw = stage.path(`${name}.raw`);
    const args = words(`-q ${elements} ! filesink location=${raw}`);
    await stage.run({ program: 'gst-launch-1.0', args, timeoutMs: 20_000 }).succeeded();
    await writeFile(file, Buffer.concat([Buffer.from(magic, 'latin1'), await readFile(raw)]));
  }
  return { clip, file, bytes: await readTracks(stage, clip, file, name) };
}

/** The normalised bytes of the tracks in a file that ffmpeg can read. @param name of the files made on the way */
export async function readTracks(
  stage: Stage,
  clip: Clip,
  file: string,
  name: string,
  isFiltered = true,
): Promise<Map<ClipTrack['kind'], Uint8Array>> {
  await stage.run(toBytes(stage, clip, words(`-i ${file}`), name, isFiltered)).succeeded();
  return readBytes(stage, clip, name);
}

/** FFmpeg's command that writes the packets of each track, one behind the other, to a file of its own. */
export function toBytes(
  stage: Stage,
  clip: Clip,
  input: readonly string[],
  name: string,
  isFiltered = false,
): PeerCommand {
  const outputs = clip.tracks.flatMap(({ kind, bitstreamFilter }) => [
    ...words(`-map 0:${kind[0]}:0 -c copy -copyinkf`),
    ...(isFiltered && bitstreamFilter !== undefined ? ['-bsf', bitstreamFilter] : []),
    ...words(`-f data ${bytesFile(stage, name, kind)}`),
  ]);
  return {
    program: 'ffmpeg',
    args: [...words('-hide_banner -nostdin -v warning -y'), ...input, ...outputs],
    timeoutMs: 60_000,
  };
}

/** Reads what `toBytes` has written. */
export async function readBytes(stage: Stage, clip: Clip, name: string): Promise<Map<ClipTrack['kind'], Uint8Array>> {
  const bytes = new Map<ClipTrack['kind'], Uint8Array>();
  for (const { kind, normalise } of clip.tracks) {
    bytes.set(kind, normalise(await readFile(bytesFile(stage, name, kind))));
  }
  return bytes;
}

function bytesFile(stage: Stage, name: string, kind: string): string {
  return stage.path(`${name}-${kind}.bin`);
}
