import { FLV_SCRIPT } from '../../format/flv/flv-codecs.tables.ts';
import { FlvReader, type FlvTag } from '../../format/flv/flv-reader.ts';
import { readFileChunks } from '../../io/file-chunks.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { unwrap32 } from '../../wire/sequence-number.ts';
import { Pacer } from './pacer.ts';

/** Time left between the end of a file and its next round, milliseconds: about a frame. */
const LOOP_GAP_MS = 40;

export interface FlvFileOptions {
  readonly path: string;
  /** Begin again at the end, with timestamps that go on. */
  readonly loop: boolean;
}

export interface PacedFlvOptions extends FlvFileOptions {
  /** Ends the reading; the generator then returns. */
  readonly signal: AbortSignal;
}

/**
 * The tags of an FLV file, each when it is due by its timestamp. Sequence headers and metadata come without delay.
 * Tags may be handed out a few milliseconds late, never early.
 * @throws ResourceError when the file can't be read, ProtocolError when it is no FLV
 */
export async function* pacedFlvTags(options: PacedFlvOptions): AsyncGenerator<FlvTag, void, undefined> {
  const pacer = new Pacer();
  for await (const tag of flvFileTags(options)) {
    if (!(await pacer.due(tag.timestamp, options.signal))) return;
    yield { ...tag, timestamp: tag.timestamp >>> 0 };
  }
}

/**
 * The tags of an FLV file as fast as they are taken. Timestamps begin with 0 at the first audio or video tag; they go on
 * from round to round of a loop and may pass 32 bits.
 * @throws ResourceError when the file can't be read, ProtocolError when it is no FLV
 */
export async function* flvFileTags(options: FlvFileOptions): AsyncGenerator<FlvTag, void, undefined> {
  let offsetMs = 0;
  for (;;) {
    let firstMs: number | undefined;
    /** Time of the newest audio or video tag in the file, counted on beyond 32 bits. */
    let newestMs = 0;
    let lastMs = offsetMs;
    const reader = new FlvReader();
    for await (const chunk of readFileChunks(options.path)) {
      for (const event of reader.receive(chunk)) {
        if (event.type === 'failed') throw named(event.error, options.path);
        if (event.type !== 'tag') continue;
        let ownMs = firstMs === undefined ? event.timestamp : unwrap32(event.timestamp, newestMs);
        // The metadata's own time says nothing of where the media begin, and when it is 0, nothing at all.
        if (event.typeId !== FLV_SCRIPT) {
          newestMs = ownMs;
          firstMs ??= ownMs;
        } else if (event.timestamp === 0) ownMs = newestMs;
        const timestamp = Math.max(0, ownMs - (firstMs ?? ownMs)) + offsetMs;
        lastMs = Math.max(lastMs, timestamp);
        yield { typeId: event.typeId, timestamp, body: event.body };
      }
    }
    // Without audio and video there is nothing to loop, and no time would pass.
    if (!options.loop || firstMs === undefined) return;
    offsetMs = lastMs + LOOP_GAP_MS;
  }
}

function named(error: ProtocolError, path: string): ProtocolError {
  return new ProtocolError(error.code, `${path}: ${error.message}`, { cause: error });
}
