/** The colour of a person, in degrees: always the same for the same name. */
export function hueOf(name: string): number {
  let hue = 0;
  for (const character of name) hue = (hue * 97 + (character.codePointAt(0) ?? 0) * 13) % 360;
  return hue;
}
