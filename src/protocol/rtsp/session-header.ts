/** Timeout of a session whose server names none (RFC 2326 §12.37), seconds. */
export const RTSP_DEFAULT_SESSION_TIMEOUT_SECONDS = 60;
/** Longest session id taken, characters. */
export const RTSP_MAX_SESSION_ID_LENGTH = 256;

/** The value of a Session header (RFC 2326 §12.37). */
export interface SessionHeader {
  /** Opaque. */
  readonly id: string;
  /** Undefined where none is named; a client may send it back, though only servers are meant to name it. */
  readonly timeoutSeconds: number | undefined;
}

/** Reads `id;timeout=N`, in any spacing and case; undefined when there is no id. A timeout that is no number counts as none. */
export function parseSession(text: string): SessionHeader | undefined {
  const [id = '', ...parameters] = text.split(';').map((part) => part.trim());
  if (!/^[^\s",]+$/.test(id) || id.length > RTSP_MAX_SESSION_ID_LENGTH) return undefined;
  for (const parameter of parameters) {
    const timeout = /^timeout\s*=\s*"?(\d{1,6})(?:\.\d*)?"?$/i.exec(parameter);
    if (timeout !== null && Number(timeout[1]) > 0) return { id, timeoutSeconds: Number(timeout[1]) };
  }
  return { id, timeoutSeconds: undefined };
}

/** A Session header's value. */
export function writeSession(session: SessionHeader): string {
  return session.timeoutSeconds === undefined ? session.id : `${session.id};timeout=${session.timeoutSeconds}`;
}
