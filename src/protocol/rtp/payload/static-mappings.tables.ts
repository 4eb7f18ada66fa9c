import { NO_PARAMETERS } from './mapping-parameters.ts';
import type { RtpMapping } from './payload-format.ts';

/** Payload type, encoding name, clock rate, channels (RFC 3551 Tables 4 and 5). G722 has its clock rate from an old error. */
const ASSIGNED: readonly (readonly [number, string, number, number?])[] = [
  [0, 'PCMU', 8000],
  [3, 'GSM', 8000],
  [4, 'G723', 8000],
  [5, 'DVI4', 8000],
  [6, 'DVI4', 16_000],
  [7, 'LPC', 8000],
  [8, 'PCMA', 8000],
  [9, 'G722', 8000],
  [10, 'L16', 44_100, 2],
  [11, 'L16', 44_100],
  [12, 'QCELP', 8000],
  [13, 'CN', 8000],
  [14, 'MPA', 90_000],
  [15, 'G728', 8000],
  [16, 'DVI4', 11_025],
  [17, 'DVI4', 22_050],
  [18, 'G729', 8000],
  [25, 'CelB', 90_000],
  [26, 'JPEG', 90_000],
  [28, 'nv', 90_000],
  [31, 'H261', 90_000],
  [32, 'MPV', 90_000],
  [33, 'MP2T', 90_000],
  [34, 'H263', 90_000],
];

/** What static payload types mean without `a=rtpmap` (RFC 3551 §6), whether Millrace has the format or not. */
export const STATIC_MAPPINGS: ReadonlyMap<number, RtpMapping> = new Map(
  ASSIGNED.map(([payloadType, encodingName, clockRate, channels]) => [
    payloadType,
    { payloadType, encodingName, clockRate, channels, parameters: NO_PARAMETERS },
  ]),
);
