const IDENTIFICATION = 1;
const COMMENT = 3;
const SETUP = 5;
const IDENTIFICATION_BYTES = 30;
/** `vorbis`, behind the packet type of each header. */
const MAGIC = [0x76, 0x6f, 0x72, 0x62, 0x69, 0x73];

/** Bits of a mode: blockflag, windowtype, transformtype, mapping (Vorbis I §4.2.4). */
const MODE_BITS = 41;
const MAX_MODES = 64;
const LAST_MAPPING = 63;

/** What the identification header tells (Vorbis I §4.2.2). */
export interface VorbisIdentification {
  readonly channels: number;
  /** Hz. */
  readonly sampleRate: number;
  /** Samples of a short and of a long block. */
  readonly blockSizes: readonly [short: number, long: number];
}

function isHeader(packet: Uint8Array, type: number): boolean {
  return packet[0] === type && MAGIC.every((byte, i) => packet[i + 1] === byte);
}

function u32le(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0;
}

/** Parses an identification header; `undefined` when it is none or says what no stream has. */
export function parseVorbisIdentification(packet: Uint8Array): VorbisIdentification | undefined {
  if (packet.length < IDENTIFICATION_BYTES || !isHeader(packet, IDENTIFICATION)) return undefined;
  const channels = packet[11]!;
  const sampleRate = u32le(packet, 12);
  const short = packet[28]! & 15;
  const long = packet[28]! >>> 4;
  if (u32le(packet, 7) !== 0 || channels === 0 || sampleRate === 0) return undefined;
  return short < 6 || long > 13 || short > long
    ? undefined
    : { channels, sampleRate, blockSizes: [2 ** short, 2 ** long] };
}

/** Whether these are identification, comment and setup header. */
export function isVorbisHeaders(packets: readonly Uint8Array[]): boolean {
  const [identification, comment, setup] = packets;
  if (packets.length !== 3 || identification === undefined || comment === undefined || setup === undefined)
    return false;
  return (
    parseVorbisIdentification(identification) !== undefined && isHeader(comment, COMMENT) && isHeader(setup, SETUP)
  );
}

/** A comment header without comments, for senders that leave theirs out (RFC 5215 §3.2.1 allows it). */
export function emptyVorbisComment(): Uint8Array {
  return Uint8Array.of(COMMENT, ...MAGIC, 0, 0, 0, 0, 0, 0, 0, 0, 1);
}

/** Bits of a packet from its end, the way Vorbis packs them: the first bit is the lowest of a byte. */
class BackwardBits {
  readonly #bytes: Uint8Array;
  /** Bits in front of the place. */
  left: number;

  constructor(bytes: Uint8Array, left: number) {
    this.#bytes = bytes;
    this.left = left;
  }

  /** The `count` bits in front of the place as a number, which moves before them; 0 beyond the start. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count && this.left > 0; i++) {
      this.left--;
      value = value * 2 + ((this.#bytes[this.left >>> 3]! >>> (this.left & 7)) & 1);
    }
    return value;
  }
}

/**
 * For each mode whether its blocks are long (Vorbis I §4.2.4), from the end of a setup header: modes stand there, behind
 * their number, so that nothing of the codebooks needs to be read. `undefined` when they are not found.
 */
export function parseVorbisModes(setup: Uint8Array): readonly boolean[] | undefined {
  let end = setup.length;
  while (end > 0 && setup[end - 1] === 0) end--;
  const last = setup[end - 1];
  if (last === undefined || !isHeader(setup, SETUP)) return undefined;
  // The framing bit is the last one that is set.
  const bits = new BackwardBits(setup, (end - 1) * 8 + (31 - Math.clz32(last)));
  const flags: boolean[] = [];
  let found: readonly boolean[] | undefined;
  while (bits.left >= MODE_BITS && flags.length < MAX_MODES) {
    const isMode = bits.bits(8) <= LAST_MAPPING && bits.bits(16) === 0 && bits.bits(16) === 0;
    if (!isMode) break;
    flags.unshift(bits.bits(1) === 1);
    if (new BackwardBits(setup, bits.left).bits(6) === flags.length - 1) found = [...flags];
  }
  return found;
}

/**
 * Whether the block of an audio packet is long (Vorbis I §4.3.1); `undefined` when it is no audio packet.
 * @param modes from `parseVorbisModes`
 */
export function isLongVorbisBlock(packet: Uint8Array, modes: readonly boolean[]): boolean | undefined {
  const first = packet[0];
  if (first === undefined || (first & 1) !== 0) return undefined;
  const modeBits = 32 - Math.clz32(modes.length - 1);
  return modes[(first >>> 1) & (2 ** modeBits - 1)];
}
