/**
 * Base64 (RFC 4648 §4), for parameters in SDP and headers. `atob` and `btoa` do the work: they are in every Node this
 * runs on, and `Uint8Array.fromBase64` is not yet.
 */

/** Characters turned into one string at a time, so that the argument list stays small. */
const STEP = 0x2000;

/** Bytes as base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += STEP) binary += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return btoa(binary);
}

/** The bytes of base64 text, padded or not, white space ignored, in a new buffer; `undefined` when it is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    // atob has one way to say that the text is wrong; here wrong text is an ordinary answer.
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
