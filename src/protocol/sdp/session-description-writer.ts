import type {
  Attribute,
  Bandwidth,
  ConnectionData,
  MediaDescription,
  Origin,
  SessionDescription,
} from './session-description.ts';

/** What would end a line. */
const LINE_ENDS = /[\r\n\0]+/g;

/**
 * Writes a description with its lines in the order of RFC 8866 §5, ended by CRLF. Line ends inside of values become
 * spaces, so that no name of a stream can add lines. Without an origin one of `0.0.0.0` is written.
 */
export function writeSessionDescription(session: SessionDescription): string {
  let text = '';
  const add = (type: string, value: string): void => {
    text += `${type}=${value.replace(LINE_ENDS, ' ')}\r\n`;
  };
  add('v', '0');
  add('o', writeOrigin(session.origin ?? NO_ORIGIN));
  // An empty name is a blank (RFC 4566 §5.3).
  add('s', session.name === '' ? ' ' : session.name);
  if (session.information !== undefined) add('i', session.information);
  if (session.uri !== undefined) add('u', session.uri);
  for (const email of session.emails ?? []) add('e', email);
  for (const phone of session.phones ?? []) add('p', phone);
  if (session.connection !== undefined) add('c', writeConnection(session.connection));
  for (const bandwidth of session.bandwidths ?? []) add('b', writeBandwidth(bandwidth));
  for (const { start, stop, repeats } of session.times ?? [{ start: 0, stop: 0, repeats: [] }]) {
    add('t', `${start} ${stop}`);
    for (const repeat of repeats ?? []) add('r', repeat);
  }
  if (session.timeZones !== undefined) add('z', session.timeZones);
  if (session.encryptionKey !== undefined) add('k', session.encryptionKey);
  for (const attribute of session.attributes) add('a', writeAttribute(attribute));
  for (const media of session.media) writeMedia(media, add);
  return text;
}

const NO_ORIGIN: Origin = {
  username: '-',
  sessionId: '0',
  sessionVersion: '0',
  networkType: 'IN',
  addressType: 'IP4',
  address: '0.0.0.0',
};

function writeMedia(media: MediaDescription, add: (type: string, value: string) => void): void {
  const port = media.portCount === undefined ? media.port : `${media.port}/${media.portCount}`;
  add('m', [media.type, port, media.protocol, ...media.formats].join(' '));
  if (media.information !== undefined) add('i', media.information);
  if (media.connection !== undefined) add('c', writeConnection(media.connection));
  for (const bandwidth of media.bandwidths ?? []) add('b', writeBandwidth(bandwidth));
  if (media.encryptionKey !== undefined) add('k', media.encryptionKey);
  for (const attribute of media.attributes) add('a', writeAttribute(attribute));
}

function writeOrigin(origin: Origin): string {
  const { username, sessionId, sessionVersion, networkType, addressType, address } = origin;
  return [username, sessionId, sessionVersion, networkType, addressType, address].join(' ');
}

function writeConnection(connection: ConnectionData): string {
  const { networkType, addressType, address, ttl, addressCount } = connection;
  const tail = [ttl, addressCount].filter((part) => part !== undefined).map((part) => `/${part}`);
  return `${networkType} ${addressType} ${address}${tail.join('')}`;
}

function writeBandwidth({ type, value }: Bandwidth): string {
  return `${type}:${value}`;
}

function writeAttribute({ name, value }: Attribute): string {
  return value === undefined ? name : `${name}:${value}`;
}
