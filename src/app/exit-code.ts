/** Exit codes of the `millrace` program. */
export const EXIT = {
  ok: 0,
  /** It could not do what was asked: a port was taken, a server refused, a file is missing. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** The configuration is wrong. */
  configuration: 3,
} as const;
