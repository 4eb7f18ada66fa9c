/** Tables that baseline JPEG gives as examples (ITU-T T.81 annex K) and that everyone uses; RTP takes them as known. */

/** Bytes written in hexadecimal, with blanks. */
function bytesOf(hex: string): number[] {
  return (hex.replaceAll(' ', '').match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}

/** Zigzag order of quantization table K.1, luminance. */
export const LUMINANCE_QUANTIZERS: Uint8Array = Uint8Array.from(
  bytesOf(
    '100b0c0e0c0a100e 0d0e121110131828 1a18161618312325 1d283a333d3c3933' +
      '383740485c4e4044 57453738506d5157 5f626768673e4d71 797064785c656763',
  ),
);

/** Zigzag order of quantization table K.2, chrominance. */
export const CHROMINANCE_QUANTIZERS: Uint8Array = Uint8Array.from(
  bytesOf(`1112121815182f1a 1a2f634238426363 ${'63'.repeat(48)}`),
);

/** Numbers of codes of 1–16 bits, then the symbols in order of their codes, as a DHT segment has them. */
function huffmanTable(counts: readonly number[], symbols: string): Uint8Array {
  return Uint8Array.from([...counts, ...bytesOf(symbols)]);
}

/** Tables K.3 to K.6 by the byte that names them in a DHT segment: class in the upper half, number in the lower. */
export const HUFFMAN_TABLES: ReadonlyMap<number, Uint8Array> = new Map([
  [0x00, huffmanTable([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], '000102030405060708090a0b')],
  [
    0x10,
    huffmanTable(
      [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
      '01020300041105122131410613516107 227114328191a1082342b1c11552d1f0' +
        '2433627282090a161718191a25262728 292a3435363738393a43444546474849' +
        '4a535455565758595a63646566676869 6a737475767778797a83848586878889' +
        '8a92939495969798999aa2a3a4a5a6a7 a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5' +
        'c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2 e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
    ),
  ],
  [0x01, huffmanTable([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], '000102030405060708090a0b')],
  [
    0x11,
    huffmanTable(
      [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
      '00010203110405213106124151076171 1322328108144291a1b1c109233352f0' +
        '156272d10a162434e125f11718191a26 2728292a35363738393a434445464748' +
        '494a535455565758595a636465666768 696a737475767778797a828384858687' +
        '88898a92939495969798999aa2a3a4a5 a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3' +
        'c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
    ),
  ],
]);
