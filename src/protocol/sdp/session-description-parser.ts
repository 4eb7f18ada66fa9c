import type {
  ActiveTime,
  Attribute,
  Bandwidth,
  ConnectionData,
  MediaDescription,
  Origin,
  SessionDescription,
} from './session-description.ts';

/** Largest description taken, bytes or UTF-16 units. */
export const SDP_MAX_SIZE = 262_144;
/** Longest line taken, UTF-16 units. Theora's and Vorbis' configurations need tens of thousands. */
export const SDP_MAX_LINE_LENGTH = 65_536;
/** Most media sections of a description. */
export const SDP_MAX_MEDIA = 128;
/** Most lines of a description, attributes of all sections among them. */
export const SDP_MAX_LINES = 8192;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] | undefined ? Item[] : T[Key] };
type MutableTime = Omit<Mutable<ActiveTime>, 'repeats'> & { repeats?: string[] };
type MutableMedia = Mutable<MediaDescription>;
type MutableSession = Omit<Mutable<SessionDescription>, 'media' | 'times'> & {
  times?: MutableTime[];
  media: MutableMedia[];
};

/**
 * Reads a description (RFC 8866 §5), as real devices write it: lines in any order before the first `m=`, missing lines,
 * any line ends, blanks around everything, parts left out at the end of a line. Lines of unknown types, or that make no
 * sense, are left out. Undefined for what has neither `v=` nor `m=`, and over a limit.
 */
export function parseSessionDescription(source: string | Uint8Array): SessionDescription | undefined {
  if (source.length > SDP_MAX_SIZE) return undefined;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const lines = text.split(/[\r\n\0]+/, SDP_MAX_LINES + 1);
  if (lines.length > SDP_MAX_LINES) return undefined;
  const session: MutableSession = { name: '', attributes: [], media: [] };
  let hasVersion = false;
  for (const line of lines) {
    if (line.length > SDP_MAX_LINE_LENGTH) return undefined;
    const [, type, value] = /^\s*([a-z])\s*=(.*)$/s.exec(line) ?? [];
    if (type === undefined || value === undefined) continue;
    const text = value.trim();
    if (type === 'v') {
      hasVersion = true;
    } else if (type === 'm') {
      if (session.media.length === SDP_MAX_MEDIA) return undefined;
      const media = parseMedia(text);
      if (media !== undefined) session.media.push(media);
    } else {
      const media = session.media.at(-1);
      if (media === undefined) takeSessionLine(session, type, text);
      else takeLine(media, type, text);
    }
  }
  return hasVersion || session.media.length > 0 ? session : undefined;
}

function takeSessionLine(session: MutableSession, type: string, text: string): void {
  switch (type) {
    case 'o':
      session.origin = parseOrigin(text);
      break;
    case 's':
      session.name = text;
      break;
    case 'u':
      session.uri = text;
      break;
    case 'e':
      session.emails = append(session.emails, text);
      break;
    case 'p':
      session.phones = append(session.phones, text);
      break;
    case 't': {
      const time = parseTime(text);
      if (time !== undefined) session.times = append(session.times, time);
      break;
    }
    case 'r': {
      const time = session.times?.at(-1);
      if (time !== undefined) time.repeats = append(time.repeats, text);
      break;
    }
    case 'z':
      session.timeZones = text;
      break;
    default:
      takeLine(session, type, text);
  }
}

/** A line that may stand in both levels. */
function takeLine(level: MutableSession | MutableMedia, type: string, text: string): void {
  switch (type) {
    case 'i':
      level.information = text;
      break;
    case 'c': {
      const connection = parseConnection(text);
      if (connection !== undefined) level.connection = connection;
      break;
    }
    case 'b': {
      const bandwidth = parseBandwidth(text);
      if (bandwidth !== undefined) level.bandwidths = append(level.bandwidths, bandwidth);
      break;
    }
    case 'k':
      level.encryptionKey = text;
      break;
    case 'a': {
      const attribute = parseAttribute(text);
      if (attribute !== undefined) level.attributes.push(attribute);
      break;
    }
    default:
  }
}

/** Finds its way by the network type, since devices leave out any of the parts in front of it, and put blanks into the first. */
function parseOrigin(text: string): Origin {
  const parts = text === '' ? [] : text.split(/\s+/);
  const isComplete = parts.length >= 6;
  const found = parts.findLastIndex((part, i) => part.toUpperCase() === 'IN' && (!isComplete || i <= parts.length - 3));
  const at = found >= 0 ? found : isComplete ? parts.length - 3 : parts.length;
  const [networkType = 'IN', addressType = 'IP4', address = '0.0.0.0'] = parts.slice(at);
  const front = parts.slice(0, at);
  // A number alone in front is the session's.
  const numbers =
    front.length > 2 || /^\D/.test(front[0] ?? '-') ? front.splice(Math.max(1, front.length - 2)) : front.splice(0);
  const [sessionId = '0', sessionVersion = '0'] = numbers;
  return { username: front.join(' ') || '-', sessionId, sessionVersion, networkType, addressType, address };
}

function parseConnection(text: string): ConnectionData | undefined {
  const [networkType = '', addressType = '', target = ''] = text.split(/\s+/);
  const [address = '', first, second] = target.split('/');
  if (address === '') return undefined;
  // IPv6 multicast has no TTL here (RFC 8866 §5.7); IPv4 multicast has a count only behind one.
  const isIp6 = addressType.toUpperCase() === 'IP6';
  const ttl = isIp6 ? undefined : parseNumber(first, 255);
  const addressCount = isIp6 ? parseNumber(first, 65_535) : ttl === undefined ? undefined : parseNumber(second, 65_535);
  return { networkType, addressType, address, ...definedOnly({ ttl, addressCount }) };
}

function parseBandwidth(text: string): Bandwidth | undefined {
  const match = /^([^:\s]+)\s*:\s*(\d{1,15})/.exec(text);
  return match === null ? undefined : { type: match[1]!, value: Number(match[2]) };
}

function parseTime(text: string): MutableTime | undefined {
  const match = /^(\d{1,15})(?:\s+(\d{1,15}))?/.exec(text);
  return match === null ? undefined : { start: Number(match[1]), stop: Number(match[2] ?? 0) };
}

function parseAttribute(text: string): Attribute | undefined {
  const colon = text.indexOf(':');
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  if (name === '') return undefined;
  return colon < 0 ? { name } : { name, value: text.slice(colon + 1).trim() };
}

/** `type port[/count] protocol formats…`; a port that is none counts as 0. Undefined without type or protocol. */
function parseMedia(text: string): MutableMedia | undefined {
  const [type = '', ...parts] = text.split(/\s+/);
  // Some devices leave the port out.
  const portText = /^[a-z]/i.test(parts[0] ?? '') && parts[0]!.includes('/') ? '0' : parts.shift();
  const [port, count] = (portText ?? '').split('/');
  const [protocol, ...formats] = parts;
  if (type === '' || protocol === undefined) return undefined;
  const portCount = parseNumber(count, 65_535);
  return {
    type,
    port: parseNumber(port, 65_535) ?? 0,
    ...definedOnly({ portCount }),
    protocol,
    formats,
    attributes: [],
  };
}

function parseNumber(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= max ? number : undefined;
}

/** The list with one more item, which is the same list when there is one already. */
function append<T>(list: T[] | undefined, item: T): T[] {
  if (list === undefined) return [item];
  list.push(item);
  return list;
}

function definedOnly<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
