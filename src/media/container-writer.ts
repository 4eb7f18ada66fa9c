import type { Frame } from '../codec/frame.ts';
import type { StreamHeader } from './stream-header.ts';

/**
 * Turns frames into the bytes of one container. A rendition feeds it each frame of the log exactly once, in order, so
 * it may keep state (continuity counters, what was last announced).
 */
export interface ContainerWriter {
  /**
   * What a viewer needs before its first frame: file header, metadata, sequence headers, tables. Must not change the
   * writer's state: it is called for any viewer at any time.
   * @param dtsUs stream time of the frame the viewer starts at
   */
  writeHeader(header: StreamHeader, dtsUs: number): Uint8Array;
  /** The same without what may stand only at the very start (a file header): for viewers that jump. */
  writeHeaderUpdate(header: StreamHeader, dtsUs: number): Uint8Array;
  /**
   * The bytes of a frame, owned by the caller and never touched again; empty when the container can't carry it.
   * @param header header in force at this frame; when it is another object than at the frame before, what changed must
   *   be announced in front of the frame
   */
  writeFrame(frame: Frame, header: StreamHeader): Uint8Array;
  /**
   * Bytes that were held back to go together with those of later frames: there is none for now. They belong behind those
   * of the last frame. Absent where nothing is ever held back.
   */
  writeHeldBack?(): Uint8Array;
}
