/**
 * What cuts the bytes of one connection into messages, at the pace of whoever takes them: bytes that are not asked for
 * stay bytes, so that a thousand pipelined requests are no thousand objects. Never throws for bad bytes: what makes no
 * sense is a message too.
 */
export interface MessageReader<Message> {
  /** Takes bytes, cut anywhere. Those not looked at yet may be kept, uncopied: see `unreadBytes`. */
  receive(bytes: Uint8Array): void;
  /** The next message, or undefined when more bytes are needed. Views in it are valid until the next call. */
  next(): Message | undefined;
  /** Bytes taken and not looked at yet. */
  readonly unreadBytes: number;
  /** Part of a message was read and the rest is awaited. */
  readonly isInsideMessage: boolean;
  /** The head of that message was read; its body is awaited. */
  readonly isInsideBody: boolean;
  /**
   * All bytes behind the last message given out, as far as they can be had: as an own copy. Nothing is read afterwards.
   * @param unused the last message given out, when it is to be part of the rest
   */
  takeRest(unused: Message | undefined): Uint8Array;
}
