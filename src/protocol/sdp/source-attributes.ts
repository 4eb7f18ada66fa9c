import { type Attribute, type AttributeHolder, attributesOf } from './session-description.ts';

/** `a=source-filter` (RFC 4570 §3): whose packets to a multicast address are wanted, or not. */
export interface SourceFilter {
  readonly mode: 'incl' | 'excl';
  readonly networkType: string;
  readonly addressType: string;
  /** `*` for that of `c=`. */
  readonly destination: string;
  readonly sources: readonly string[];
}

/** One `a=ssrc` line (RFC 5576 §4.1). */
export interface SsrcAttribute {
  /** 32 bits. */
  readonly ssrc: number;
  readonly attribute: Attribute;
}

/** The source filters of a level; what can't be read is left out. */
export function sourceFiltersOf(holder: AttributeHolder): SourceFilter[] {
  const filters: SourceFilter[] = [];
  for (const value of attributesOf(holder, 'source-filter')) {
    const [mode, networkType = '', addressType = '', destination = '', ...sources] = value.split(/\s+/);
    if ((mode !== 'incl' && mode !== 'excl') || sources.length === 0) continue;
    filters.push({ mode, networkType, addressType, destination, sources });
  }
  return filters;
}

export function sourceFilterAttribute(filter: SourceFilter): Attribute {
  const { mode, networkType, addressType, destination, sources } = filter;
  return { name: 'source-filter', value: [mode, networkType, addressType, destination, ...sources].join(' ') };
}

/** The attributes of single sources in a media section; what can't be read is left out. */
export function ssrcsOf(holder: AttributeHolder): SsrcAttribute[] {
  const found: SsrcAttribute[] = [];
  for (const value of attributesOf(holder, 'ssrc')) {
    const match = /^(\d{1,10})(?:\s+([^:\s]+)(?::(.*))?)?$/s.exec(value);
    if (match === null || Number(match[1]) > 0xffffffff) continue;
    const [, ssrc, name = '', text] = match;
    found.push({ ssrc: Number(ssrc), attribute: text === undefined ? { name } : { name, value: text } });
  }
  return found;
}
