import { FlvReader, type FlvTag } from '../../format/flv/flv-reader.ts';
import { readFileChunks } from '../../io/file-chunks.ts';
import { sleep } from '../../io/sleep.ts';

/** Time left between the end of a file and its next round, milliseconds: about a frame. */
const LOOP_GAP_MS = 40;

export interface PacedFlvOptions {
  readonly path: string;
  /** Begin again at the end, with timestamps that go on. */
  readonly loop: boolean;
  /** Ends the reading; the generator then returns. */
  readonly signal: AbortSignal;
}

/**
 * The tags of an FLV file, each when it is due by its timestamp. Sequence headers and metadata come without delay.
 * Tags may be handed out a few milliseconds late, never early.
 * @throws ResourceError when the file can't be read, ProtocolError when it is no FLV
 */
export async function* pacedFlvTags(options: PacedFlvOptions): AsyncGenerator<FlvTag, void, undefined> {
  const { signal } = options;
  const startMs = performance.now();
  let offsetMs = 0;
  do {
    let firstMs: number | undefined;
    let lastMs = 0;
    for await (const tag of flvTags(options.path)) {
      if (signal.aborted) return;
      firstMs ??= tag.timestamp;
      const timestamp = Math.max(0, tag.timestamp - firstMs) + offsetMs;
      lastMs = Math.max(lastMs, timestamp);
      const earlyMs = startMs + timestamp - performance.now();
      if (earlyMs > 1 && !(await sleep(earlyMs, signal))) return;
      yield { typeId: tag.typeId, timestamp: timestamp >>> 0, body: tag.body };
    }
    if (firstMs === undefined) return;
    offsetMs = lastMs + LOOP_GAP_MS;
  } while (options.loop && !signal.aborted);
}

/** The tags of an FLV file as fast as they are taken. */
export async function* flvTags(path: string): AsyncGenerator<FlvTag, void, undefined> {
  const reader = new FlvReader();
  for await (const chunk of readFileChunks(path)) {
    for (const event of reader.receive(chunk)) {
      if (event.type === 'tag') yield event;
      else if (event.type === 'failed') throw event.error;
    }
  }
}
