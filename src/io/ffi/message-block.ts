/** Sizes of the kernel's structures on 64-bit machines, bytes: `struct mmsghdr`, `struct iovec`. */
export const MMSGHDR_BYTES = 64;
export const IOVEC_BYTES = 16;
/** Room for one address: `struct sockaddr_in6` has 28 bytes. */
export const NAME_BYTES = 32;
/** `CMSG_SPACE (sizeof (uint16_t))`. */
export const CONTROL_BYTES = 24;

/** `CMSG_LEN (sizeof (uint16_t))`, `SOL_UDP`, `UDP_SEGMENT` of udp(7). */
const CONTROL_LENGTH = 18;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;

/** Most packets and most bytes of one segmented message (`UDP_MAX_SEGMENTS` before Linux 6.10; 65,535 less headers). */
export const MAX_SEGMENTS = 64;
export const MAX_SEGMENTED_BYTES = 65_000;
/** Longest packet that fits Ethernet behind headers of IPv6 and UDP: the kernel cuts no message into longer pieces. */
export const MAX_SEGMENT_BYTES = 1452;

/** `MSG_DONTWAIT | MSG_NOSIGNAL`. */
export const MESSAGE_FLAGS = 0x4040;

/** Numbers of errors. */
export const EINTR = 4;
export const EAGAIN = 11;
/** `ENOMEM`, `ENOBUFS`. */
export const NO_MEMORY: ReadonlySet<number> = new Set([12, 105]);
/** `EIO`, `EINVAL`, `EMSGSIZE`, `ENOPROTOOPT`, `EOPNOTSUPP`: a route or device that does not take segmented messages. */
export const NO_SEGMENTATION: ReadonlySet<number> = new Set([5, 22, 90, 92, 95]);

/** Memory the kernel reads and writes by addresses: made once, never resized, and it alone is pointed at. */
export class MessageBlock {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly #address: bigint;
  /** Addresses are written as two words; they fit in 2^53. */
  readonly #addressNumber: number;

  constructor(sizeBytes: number, addressOf: (bytes: Uint8Array) => bigint) {
    this.bytes = new Uint8Array(sizeBytes);
    this.words = new Uint32Array(this.bytes.buffer);
    this.#address = addressOf(this.bytes);
    this.#addressNumber = Number(this.#address);
  }

  /** Address of the byte `at`, to be passed to a call. */
  pointer(at: number): bigint {
    return this.#address + BigInt(at);
  }

  /** Writes the address of the byte `of` at the byte `at`; low half first, as both machines have it. */
  writePointer(at: number, of: number): void {
    const address = this.#addressNumber + of;
    this.words[at >>> 2] = address % 0x1_0000_0000;
    this.words[(at >>> 2) + 1] = Math.floor(address / 0x1_0000_0000);
  }

  /** Writes the `struct iovec` at `at`. */
  writeVector(at: number, dataAt: number, sizeBytes: number): void {
    this.writePointer(at, dataAt);
    this.words[(at + 8) >>> 2] = sizeBytes;
  }

  /** Writes the head of a `struct msghdr` at `at`; it has no control message then. */
  writeMessage(at: number, nameAt: number, nameLength: number, vectorAt: number, vectors: number): void {
    const word = at >>> 2;
    this.writePointer(at, nameAt);
    this.words[word + 2] = nameLength;
    this.writePointer(at + 16, vectorAt);
    this.words[word + 6] = vectors;
    this.words[word + 8] = 0;
    this.words[word + 9] = 0;
    this.words[word + 10] = 0;
  }

  /** Gives the message at `at` a control message at `controlAt`: cut into pieces of so many bytes. */
  writeSegmentation(at: number, controlAt: number, segmentBytes: number): void {
    const control = controlAt >>> 2;
    this.words[control] = CONTROL_LENGTH;
    this.words[control + 1] = 0;
    this.words[control + 2] = SOL_UDP;
    this.words[control + 3] = UDP_SEGMENT;
    this.words[control + 4] = segmentBytes;
    this.writePointer(at + 32, controlAt);
    this.words[(at + 40) >>> 2] = CONTROL_BYTES;
  }
}
