import { quote, splitOutsideQuotes, splitParameter } from './parameter-list.ts';

/** Most alternatives read from the Transport headers of one SETUP. */
export const RTSP_MAX_TRANSPORTS = 16;
/** Most parameters read of one alternative. */
const MAX_PARAMETERS = 64;

/** Ports or channels `first-last`; `last` undefined where one number stands alone. */
export interface NumberRange {
  readonly first: number;
  readonly last: number | undefined;
}

/** One way to carry a track (RFC 2326 §12.39), asked for or agreed on. What is undefined was not named or made no sense. */
export interface RtspTransport {
  /** Protocol and profile in upper case: `RTP/AVP`, `RTP/SAVP`, `RTP/AVPF`, `RTP/SAVPF`, `RAW/RAW`, `MP2T/H2221`, or others. */
  readonly profile: string;
  /** In upper case: `UDP` (the default), `TCP`, or others. */
  readonly lowerTransport?: string | undefined;
  readonly delivery?: 'unicast' | 'multicast' | undefined;
  /** As named by the peer; '' where the address was left to the other side. Never send there without a check of your own. */
  readonly destination?: string | undefined;
  readonly source?: string | undefined;
  /** 0–255. */
  readonly interleaved?: NumberRange | undefined;
  /** 0–65535, also the others. */
  readonly clientPort?: NumberRange | undefined;
  readonly serverPort?: NumberRange | undefined;
  /** Multicast. */
  readonly port?: NumberRange | undefined;
  /** 0–255. */
  readonly ttl?: number | undefined;
  readonly layers?: number | undefined;
  /** 32 bits. */
  readonly ssrc?: number | undefined;
  /** In upper case; PLAY is meant where none is named. */
  readonly mode?: readonly string[] | undefined;
  readonly append?: boolean | undefined;
  /** What else was named, by lower-case name: `rtcp-mux`, `setup`, `mikey`, … */
  readonly others?: ReadonlyMap<string, string> | undefined;
}

/** Whether media shares the RTSP connection. */
export function isInterleaved(transport: RtspTransport): boolean {
  return transport.lowerTransport === 'TCP';
}

/** Whether media is encrypted (RFC 3711, RFC 5124). */
export function isSecure(transport: RtspTransport): boolean {
  return transport.profile === 'RTP/SAVP' || transport.profile === 'RTP/SAVPF';
}

/** Whether the stream goes from the client to the server. */
export function isRecord(transport: RtspTransport): boolean {
  // Publishers that came after Darwin Streaming Server say `mode=receive`.
  return transport.mode?.some((mode) => mode === 'RECORD' || mode === 'RECEIVE') ?? false;
}

/**
 * The alternatives of a Transport header in the sender's order (RFC 2326 §12.39); several headers joined with commas are
 * one. Names and values are read in any case, quotes may be there or not; what is no transport is left out.
 */
export function parseTransports(text: string): RtspTransport[] {
  const transports: RtspTransport[] = [];
  for (const part of splitOutsideQuotes(text, ',', RTSP_MAX_TRANSPORTS)) {
    const transport = parseTransport(part);
    if (transport !== undefined) transports.push(transport);
  }
  return transports;
}

/** The alternatives as the value of a Transport header. */
export function writeTransports(transports: readonly RtspTransport[]): string {
  return transports.map(writeTransport).join(',');
}

type Mutable = { -readonly [Key in keyof RtspTransport]: RtspTransport[Key] };

function parseTransport(text: string): RtspTransport | undefined {
  const [specifier = '', ...parameters] = splitOutsideQuotes(text, ';', MAX_PARAMETERS);
  const [protocol, profile, lowerTransport, ...rest] = specifier.toUpperCase().split('/');
  if (!isToken(protocol) || !isToken(profile) || rest.length > 0) return undefined;
  if (lowerTransport !== undefined && !isToken(lowerTransport)) return undefined;
  const transport: Mutable = { profile: `${protocol}/${profile}` };
  if (lowerTransport !== undefined) transport.lowerTransport = lowerTransport;
  const others = new Map<string, string>();
  for (const parameter of parameters) {
    const [name, value] = splitParameter(parameter);
    if (!takeParameter(transport, name, value) && isToken(name)) others.set(name, value);
  }
  if (others.size > 0) transport.others = others;
  return transport;
}

/** False for a parameter that has no field of its own. */
function takeParameter(transport: Mutable, name: string, value: string): boolean {
  switch (name) {
    case 'unicast':
    case 'multicast':
      transport.delivery = name;
      return true;
    case 'destination':
      transport.destination = value;
      return true;
    case 'source':
      transport.source = value;
      return true;
    case 'interleaved':
      transport.interleaved = parseRange(value, 255);
      return true;
    case 'client_port':
      transport.clientPort = parseRange(value, 65_535);
      return true;
    case 'server_port':
      transport.serverPort = parseRange(value, 65_535);
      return true;
    case 'port':
      transport.port = parseRange(value, 65_535);
      return true;
    case 'ttl':
      transport.ttl = parseNumber(value, 255);
      return true;
    case 'layers':
      transport.layers = parseNumber(value, 255);
      return true;
    case 'ssrc':
      transport.ssrc = parseSsrc(value);
      return true;
    case 'mode':
      transport.mode = parseModes(value);
      return true;
    case 'append':
      transport.append = true;
      return true;
    default:
      return false;
  }
}

function writeTransport(transport: RtspTransport): string {
  const parts = [
    transport.lowerTransport === undefined ? transport.profile : `${transport.profile}/${transport.lowerTransport}`,
  ];
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) parts.push(value === '' ? name : `${name}=${value}`);
  };
  if (transport.delivery !== undefined) parts.push(transport.delivery);
  add('destination', transport.destination);
  add('source', transport.source);
  add('interleaved', writeRange(transport.interleaved));
  add('client_port', writeRange(transport.clientPort));
  add('server_port', writeRange(transport.serverPort));
  add('port', writeRange(transport.port));
  add('ttl', transport.ttl);
  add('layers', transport.layers);
  add('ssrc', transport.ssrc?.toString(16).toUpperCase().padStart(8, '0'));
  add('mode', transport.mode === undefined ? undefined : writeModes(transport.mode));
  if (transport.append === true) parts.push('append');
  for (const [name, value] of transport.others ?? []) add(name, /^[^";,\s]*$/.test(value) ? value : quote(value));
  return parts.join(';');
}

function isToken(text: string | undefined): boolean {
  return text !== undefined && /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}

function parseRange(text: string, max: number): NumberRange | undefined {
  const dash = text.indexOf('-');
  const first = parseNumber(dash < 0 ? text : text.slice(0, dash), max);
  if (first === undefined) return undefined;
  if (dash < 0) return { first, last: undefined };
  const last = parseNumber(text.slice(dash + 1), max);
  return last === undefined || last < first ? undefined : { first, last };
}

function writeRange(range: NumberRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  return range.last === undefined ? String(range.first) : `${range.first}-${range.last}`;
}

function parseNumber(text: string, max: number): number | undefined {
  if (!/^\s*\d{1,6}\s*$/.test(text)) return undefined;
  const number = Number(text);
  return number <= max ? number : undefined;
}

/** Eight hexadecimal digits (RFC 2326 §12.39); some devices leave zeros out in front, put `0x` there, or write decimally. */
function parseSsrc(text: string): number | undefined {
  const digits = text.replace(/^0x/i, '');
  const isDecimal = digits.length > 8;
  if (!(isDecimal ? /^\d{9,10}$/ : /^[\da-f]{1,8}$/i).test(digits)) return undefined;
  const ssrc = Number.parseInt(digits, isDecimal ? 10 : 16);
  return ssrc <= 0xffffffff ? ssrc : undefined;
}

/** In quotes (RFC 2326 §12.39), but for recording: ffmpeg as a server knows that only as its own client writes it. */
function writeModes(modes: readonly string[]): string {
  const text = modes.join(',');
  return text === 'RECORD' ? 'record' : quote(text);
}

function parseModes(text: string): readonly string[] | undefined {
  const modes = text
    .toUpperCase()
    .split(/[\s,]+/)
    .filter(isToken);
  return modes.length > 0 ? modes : undefined;
}
