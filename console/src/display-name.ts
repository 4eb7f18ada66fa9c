/** Longest name shown in full; the key itself is not shortened. */
const MAX_NAME_LENGTH = 120;

/**
 * A name chosen by a stranger, fit for showing: control characters, and the characters that are invisible or turn the
 * reading direction of what follows (Unicode categories Cc, Cf, Zl, Zp, Cs, Co), are shown as `\u{…}`.
 * Markup needs no care here: it is text for the DOM.
 */
export function displayName(name: string): string {
  const visible = name.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  const characters = Array.from(visible);
  return characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH - 1).join('')}…` : visible;
}
