import { splitAggregate } from '../../src/protocol/rtmp/aggregate-message.ts';
import { ChunkReader } from '../../src/protocol/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/protocol/rtmp/chunk-writer.ts';
import { parseControlMessage } from '../../src/protocol/rtmp/control-messages.ts';
import type { RtmpMessage } from '../../src/protocol/rtmp/rtmp-message.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'chunk';

const LIMITS = { maxMessageSizeBytes: 1_048_576, maxPartialBytes: 2_097_152, maxChunkStreams: 16 };

/** Sizes of the pieces given to a reader that may use its input: some messages are in one of them, some are cut. */
const OWNED_PIECE_BYTES = [1, 19, 150, 700, Number.POSITIVE_INFINITY];

/**
 * The chunk stream: the same messages whole and byte by byte, memory within its limits, messages written and read, and
 * the same again where messages may be views of the input.
 */
export function run(bytes: Uint8Array): void {
  const whole = hear([bytes]);
  const single = hear(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  if (whole.code !== single.code) throw new RangeError(`cut: ${single.code}, whole: ${whole.code}`);
  if (whole.messages.length !== single.messages.length) throw new RangeError('cutting changes the number of messages');
  for (const [i, message] of whole.messages.entries()) {
    checkSame(single.messages[i], message, 'cut');
    if (message.payload.length > bytes.length) throw new RangeError('a message is longer than the input');
    parseControlMessage(message.typeId, message.payload);
    splitAggregate(message);
    const [again] = hear([writeMessage({ ...message, chunkStreamId: 6, parts: [message.payload] }, 128)]).messages;
    // The reader keeps these two types to itself.
    if (message.typeId !== 1 && message.typeId !== 2) checkSame(again, message, 'written');
  }
  for (const sizeBytes of OWNED_PIECE_BYTES) {
    const owned = hearOwned(bytes, sizeBytes);
    if (owned.code !== whole.code) throw new RangeError(`owned: ${owned.code}, whole: ${whole.code}`);
    if (owned.messages.length !== whole.messages.length) throw new RangeError('owning changes the number of messages');
    for (const [i, message] of whole.messages.entries()) checkSame(owned.messages[i], message, 'owned');
  }
}

/** The messages of a reader that owns its input, which is gone after each piece. */
function hearOwned(bytes: Uint8Array, sizeBytes: number): Heard {
  const reader = new ChunkReader({ ...LIMITS, ownsInput: true });
  const messages: RtmpMessage[] = [];
  let code: string | undefined;
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    const piece = bytes.slice(at, Math.min(bytes.length, at + sizeBytes));
    code = reader.receive(piece, (message) => {
      messages.push({ ...message, payload: message.payload.slice() });
    })?.code;
    piece.buffer.transfer(0);
  }
  return { messages, code };
}

interface Heard {
  readonly messages: RtmpMessage[];
  readonly code: string | undefined;
}

function hear(pieces: readonly Uint8Array[]): Heard {
  const reader = new ChunkReader(LIMITS);
  const messages: RtmpMessage[] = [];
  let code: string | undefined;
  for (const piece of pieces) {
    code = reader.receive(piece, (message) => messages.push(message))?.code;
    if (code === undefined && reader.partialBytes > LIMITS.maxPartialBytes)
      throw new RangeError('too much memory held');
  }
  return { messages, code };
}

function checkSame(actual: RtmpMessage | undefined, expected: RtmpMessage, what: string): void {
  expectSameBytes(actual?.payload, expected.payload, `payloads of a message ${what}`);
  const isSame =
    actual?.typeId === expected.typeId &&
    actual.timestamp === expected.timestamp &&
    actual.messageStreamId === expected.messageStreamId;
  if (!isSame) throw new RangeError(`headers of a message ${what} differ`);
}
