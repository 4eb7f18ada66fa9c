import type { Frame } from '../../codec/frame.ts';
import { AdtsMuxer } from '../../format/adts/adts-muxer.ts';
import { toMp3 } from '../../format/mp3/mp3-stream.ts';
import type { ContainerWriter } from '../container-writer.ts';
import { selects, type TrackSelection } from '../stream-header.ts';

const AUDIO_ONLY: TrackSelection = { audio: true, video: false, multitrack: false };
const NOTHING = new Uint8Array(0);

/** Frames of one audio codec one after another; such streams have no header and are joined at any frame. */
abstract class BareAudioWriter implements ContainerWriter {
  writeHeader(): Uint8Array {
    return NOTHING;
  }

  writeHeaderUpdate(): Uint8Array {
    return NOTHING;
  }

  writeFrame(frame: Frame): Uint8Array {
    const isWanted = frame.track.kind === 'audio' && selects(AUDIO_ONLY, frame.track);
    return isWanted ? this.writeAudio(frame) : NOTHING;
  }

  protected abstract writeAudio(frame: Frame): Uint8Array;
}

/** AAC as ADTS (ISO/IEC 13818-7 §6.2). */
export class AdtsContainerWriter extends BareAudioWriter {
  readonly #muxer = new AdtsMuxer();

  protected override writeAudio(frame: Frame): Uint8Array {
    return this.#muxer.mux(frame);
  }
}

/** MP3 as it is. */
export class Mp3ContainerWriter extends BareAudioWriter {
  protected override writeAudio(frame: Frame): Uint8Array {
    // A frame's payload is only lent.
    return toMp3(frame).slice();
  }
}
