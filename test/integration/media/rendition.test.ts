import { describe, expect, it } from 'vitest';
import type { ContainerWriter } from '../../../src/media/container-writer.ts';
import { FrameLog } from '../../../src/media/frame-log.ts';
import { Rendition } from '../../../src/media/rendition.ts';
import { EMPTY_STREAM_HEADER, withTrack } from '../../../src/media/stream-header.ts';
import { frame, VIDEO } from '../../media-test-kit.ts';

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Writes frames by their time, the odd ones only together with the next. */
class HoldingWriter implements ContainerWriter {
  #held = '';

  writeHeader(): Uint8Array {
    return new Uint8Array(0);
  }

  writeHeaderUpdate(): Uint8Array {
    return new Uint8Array(0);
  }

  writeFrame({ dtsUs }: { readonly dtsUs: number }): Uint8Array {
    const ms = dtsUs / 1000;
    const text = `${this.#held}${ms};`;
    this.#held = '';
    if (ms % 2 === 0) return ENCODER.encode(text);
    this.#held = text;
    return new Uint8Array(0);
  }

  writeHeldBack(): Uint8Array {
    const text = this.#held;
    this.#held = '';
    return ENCODER.encode(text);
  }
}

describe('Rendition of a writer that holds bytes back', () => {
  it('puts them behind the last entry of each round, so that nothing waits for a frame that may not come', () => {
    const log = new FrameLog({ maxSeconds: 60 });
    log.setHeader(withTrack(EMPTY_STREAM_HEADER, VIDEO));
    const append = (...times: readonly number[]): void => {
      for (const ms of times) log.append(frame(VIDEO, ms, { isKey: ms === 0 }));
    };
    append(0, 1, 2, 3);
    const rendition = new Rendition(log, new HoldingWriter());
    append(4, 5);
    rendition.advance();
    append(7);
    rendition.advance();
    rendition.advance();
    const entries = Array.from({ length: rendition.head }, (_, i) => DECODER.decode(rendition.at(i)));
    expect(entries).toEqual(['0;', '', '1;2;', '3;', '4;', '5;', '7;']);
  });
});
