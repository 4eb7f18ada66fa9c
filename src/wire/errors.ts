/**
 * The four kinds of failure in Millrace. Each carries a string-literal `code` that stays the same between versions,
 * so that callers, logs and counters can tell failures apart without reading messages.
 */

/** Base of every error Millrace makes. `code` is stable; `message` is for people. */
export abstract class MillraceError extends Error {
  /** Stable machine-readable name of the failure, for example `rtmp/message-too-large`. */
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** The peer broke a protocol or went over a limit: close that session and count it. */
export class ProtocolError extends MillraceError {}

/** Our own caller used an object in a state that does not allow it: a bug on this side. */
export class StateError extends MillraceError {}

/** A setting is wrong. `path` names it (`rtmp.chunkSize`); `line` and `column` count from 1 when it came from a file. */
export class ConfigError extends MillraceError {
  readonly path: string;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(
    code: string,
    message: string,
    at: { readonly path: string; readonly line?: number; readonly column?: number; readonly cause?: unknown },
  ) {
    super(code, message, at.cause === undefined ? undefined : { cause: at.cause });
    this.path = at.path;
    this.line = at.line;
    this.column = at.column;
  }
}

/** A limit, file, port or other resource is not to be had. */
export class ResourceError extends MillraceError {}
