import { splitOutsideQuotes, splitParameter } from '../../../protocol/rtsp/parameter-list.ts';

/** Most parameters read. */
const MAX_PARAMETERS = 16;
/** Longest name of a stream that may be asked for, UTF-16 units. */
export const MAX_SUFFIX_LENGTH = 255;

/** How a REGISTER wants its stream to be pulled and called. */
export interface RegisterTransport {
  /** Requests are to go back by the connection the REGISTER came by. */
  readonly reusesConnection: boolean;
  /** Undefined without a wish, or with one that makes no sense. */
  readonly preferred: 'udp' | 'interleaved' | undefined;
  /** What it is to be called; undefined when that is left to the server. */
  readonly suffix: string | undefined;
}

/** Reads the Transport header of a REGISTER or DEREGISTER (live555's own methods, which no RFC has). */
export function parseRegisterTransport(text: string): RegisterTransport {
  let reusesConnection = false;
  let preferred: RegisterTransport['preferred'];
  let suffix: string | undefined;
  for (const part of splitOutsideQuotes(text, ';', MAX_PARAMETERS)) {
    const [name, value] = splitParameter(part);
    if (name === 'reuse_connection') reusesConnection = true;
    else if (name === 'preferred_delivery_protocol') preferred = toPreferred(value);
    else if (name === 'proxy_url_suffix' && value !== '') suffix = value;
  }
  return { reusesConnection, preferred, suffix };
}

/** The same as a header. */
export function writeRegisterTransport(transport: RegisterTransport): string {
  const { reusesConnection, preferred, suffix } = transport;
  return [
    ...(reusesConnection ? ['reuse_connection'] : []),
    `preferred_delivery_protocol=${preferred ?? 'udp'}`,
    ...(suffix === undefined ? [] : [`proxy_url_suffix=${suffix}`]),
  ].join('; ');
}

/**
 * The name a suffix stands for, `app/stream`: one of a single part is a stream of `app`. Undefined when no stream can be
 * called so and be asked for again in every protocol.
 */
export function nameOfSuffix(suffix: string, app: string): string | undefined {
  const path = suffix.startsWith('/') ? suffix.slice(1) : suffix;
  // What ends so asks for the transport stream of another name.
  if (path.length > MAX_SUFFIX_LENGTH || !path.isWellFormed() || path.endsWith('.ts') || /[\p{Cc}\s?#%\\*]/u.test(path))
    return undefined;
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return undefined;
  return parts.length === 1 ? `${app}/${path}` : path;
}

function toPreferred(value: string): RegisterTransport['preferred'] {
  const word = value.toLowerCase();
  return word === 'udp' || word === 'interleaved' ? word : undefined;
}
