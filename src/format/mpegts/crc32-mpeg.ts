const TABLE: Uint32Array = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i << 24;
    for (let bit = 0; bit < 8; bit++) value = (value & 0x8000_0000) !== 0 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
    table[i] = value;
  }
  return table;
}

/** CRC_32 of PSI sections (ISO/IEC 13818-1 Annex A): 0 over a whole section with its own CRC at the end. */
export function crc32Mpeg(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0xffff_ffff;
  for (let i = start; i < end; i++) crc = (crc << 8) ^ TABLE[(crc >>> 24) ^ bytes[i]!]!;
  return crc >>> 0;
}
