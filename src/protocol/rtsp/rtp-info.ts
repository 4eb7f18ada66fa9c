import { unquote } from './parameter-list.ts';

/** Most streams read from one RTP-Info header. */
export const RTSP_MAX_RTP_INFO_STREAMS = 64;

/** What PLAY answers about one stream (RFC 2326 §12.33). */
export interface RtpInfo {
  /** As sent: absolute, or relative to the base. May hold commas and semicolons. */
  readonly url: string;
  /** Sequence number of the first packet, 16 bits. */
  readonly sequenceNumber: number | undefined;
  /** RTP timestamp that belongs to the start of the answer's Range, 32 bits. */
  readonly rtpTime: number | undefined;
}

/** Reads an RTP-Info header; parts without `url=` are left out, numbers out of range count as not there. */
export function parseRtpInfo(text: string): RtpInfo[] {
  const infos: RtpInfo[] = [];
  for (const part of text.split(/,(?=\s*url\s*=)/i, RTSP_MAX_RTP_INFO_STREAMS)) {
    const start = /^[\s,]*url\s*=\s*/i.exec(part);
    if (start === null) continue;
    const rest = part.slice(start[0].length);
    const end = rest.search(/[;\s](?:seq|rtptime|ssrc)\s*=/i);
    const parameters = end < 0 ? '' : rest.slice(end);
    infos.push({
      url: unquote(trimEnd(end < 0 ? rest : rest.slice(0, end))),
      sequenceNumber: numberOf(parameters, /[;\s]seq\s*=\s*(\d{1,5})\b/i, 0xffff),
      rtpTime: numberOf(parameters, /[;\s]rtptime\s*=\s*(\d{1,10})\b/i, 0xffffffff),
    });
  }
  return infos;
}

/** An RTP-Info header's value. */
export function writeRtpInfo(infos: readonly RtpInfo[]): string {
  return infos
    .map(({ url, sequenceNumber, rtpTime }) => {
      const seq = sequenceNumber === undefined ? '' : `;seq=${sequenceNumber}`;
      return `url=${url}${seq}${rtpTime === undefined ? '' : `;rtptime=${rtpTime}`}`;
    })
    .join(',');
}

function numberOf(text: string, pattern: RegExp, max: number): number | undefined {
  const match = pattern.exec(text);
  return match === null || Number(match[1]) > max ? undefined : Number(match[1]);
}

/** Without the separators and blanks at its end. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ',; \t'.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
