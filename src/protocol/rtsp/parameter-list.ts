/**
 * Cuts `text` at each `separator` that stands outside of quotes; the parts are trimmed, empty ones left out.
 *
 * @param limit parts beyond it are dropped
 */
export function splitOutsideQuotes(text: string, separator: ',' | ';', limit: number): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (char === '"') isQuoted = !isQuoted;
    else if (char === '\\' && isQuoted) i++;
    if (i < text.length && (isQuoted || char !== separator)) continue;
    const part = text.slice(start, i).trim();
    start = i + 1;
    if (part === '') continue;
    if (parts.length === limit) break;
    parts.push(part);
  }
  return parts;
}

/** A `name=value` pair; the name in lower case, the value without its quotes, '' when there is no `=`. */
export function splitParameter(text: string): [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 0) return [text.trim().toLowerCase(), ''];
  return [text.slice(0, equals).trim().toLowerCase(), unquote(text.slice(equals + 1).trim())];
}

/** The text of a quoted string (RFC 2326 §15.1); other text as it is. A closing quote may be missing. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const end = text.length > 1 && text.endsWith('"') ? text.length - 1 : text.length;
  return text.slice(1, end).replace(/\\(.)/gs, '$1');
}

/** `text` as a quoted string. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
