import { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import type { ProducerPayload } from './producer-payload.ts';
import type { ProducerStream } from './producer-stream.ts';

const NO_BYTES = new Uint8Array(0);

/** A packet on its way from a producer to its consumers, parsed once for all of them. Good during the call only. */
export class ProducerPacket {
  /** Where it lies, as it came: consumers write their copies elsewhere. */
  readonly view: RtpPacketView = new RtpPacketView();
  /** Its payload without padding: one view for all copies. */
  payload: Uint8Array = NO_BYTES;
  /** Padding that would make it as long as those that came with it, where little is enough; 0 otherwise. */
  paddingBytes = 0;
  /** In the store of its stream; −1 when it is not kept. */
  storeIndex = -1;
  /** What `ProducerStream.payload` and `epoch` are while it is taken. */
  contents: ProducerPayload;
  epoch = 0;
  /** Where its payload began when `contents` was read: offsets in there are from where that lay. */
  contentsAt = 0;

  constructor(contents: ProducerPayload) {
    this.contents = contents;
  }

  /** Lets go of the memory it lies in. */
  forget(): void {
    this.view.bytes = NO_BYTES;
    this.payload = NO_BYTES;
  }
}

/** Who gets the packets of a producer. Must not throw. */
export interface PacketTaker {
  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void;
  /** The first packet of an encoding has come. */
  streamAdded(stream: ProducerStream): void;
  /** A stream's score has changed. */
  scoreChanged(): void;
  producerPaused(): void;
  producerResumed(): void;
}
