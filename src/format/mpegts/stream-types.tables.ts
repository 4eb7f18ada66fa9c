/** stream_type values (ISO/IEC 13818-1 Table 2-34, and ATSC A/53 for AC-3 and E-AC-3). */
export const StreamType = {
  mpeg1Audio: 0x03,
  mpeg2Audio: 0x04,
  privateData: 0x06,
  aacAdts: 0x0f,
  h264: 0x1b,
  h265: 0x24,
  ac3: 0x81,
  eac3: 0x87,
} as const;

/** Descriptor tags (ISO/IEC 13818-1 Table 2-45, ETSI EN 300 468 for the DVB ones). */
export const DescriptorTag = { registration: 0x05, dvbAc3: 0x6a, dvbEac3: 0x7a, dvbExtension: 0x7f } as const;

/** descriptor_tag_extension of the Opus audio descriptor ("Opus in MPEG-TS"). */
export const OPUS_EXTENSION_TAG = 0x80;

/** format_identifier of a registration descriptor as a big-endian number. */
export function formatIdentifier(text: string): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

export const FORMAT_OPUS: number = formatIdentifier('Opus');
export const FORMAT_HEVC: number = formatIdentifier('HEVC');
export const FORMAT_AC3: number = formatIdentifier('AC-3');
export const FORMAT_EAC3: number = formatIdentifier('EAC3');
