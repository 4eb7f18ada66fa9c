import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';

/**
 * The channel between a media worker and its control process: netstrings of JSON, and log lines that begin with a letter
 * for their level. Messages that carry bytes go over a second pair of pipes, as a netstring of JSON with the bytes in a
 * netstring right behind it. Any message may say in `after` how many came before it over the other pair.
 */

/** Ids of the entities a request is about: `routerId`, `transportId`, … */
export type InternalIds = Readonly<Record<string, string>>;

/** Control process → worker, answered exactly once. With bytes it goes over the payload pipes; the answer does not. */
export interface RequestMessage {
  /** 1–4294967295, then from 1 again. */
  readonly id: number;
  /** `worker.dump`, `transport.produce` …: kind of the target, dot, what is asked. */
  readonly method: string;
  readonly internal?: InternalIds;
  readonly data?: unknown;
}

export type ResponseMessage =
  | { readonly id: number; readonly accepted: true; readonly data?: unknown }
  | { readonly id: number; readonly error: string; readonly reason: string };

/** Control process → worker, never answered. With bytes it goes over the payload pipes. */
export interface CommandMessage {
  readonly event: string;
  readonly internal?: InternalIds;
  readonly data?: unknown;
}

/** Worker → control process. With bytes it goes over the payload pipes. */
export interface NotificationMessage {
  /** Id of the entity, or the worker's pid. */
  readonly targetId: string | number;
  readonly event: string;
  readonly data?: unknown;
}

/** First letter of a log line: debug, warning, error, or text to print as it is. */
export type LogLetter = 'D' | 'W' | 'E' | 'X';

/** Both pairs of pipes, as one side sees them. */
export interface ChannelPipes {
  readonly messages: BytePipe;
  readonly payloads: BytePipe;
}

/** Environment variable that holds the version of the API; a worker does not start without it. */
export const VERSION_VARIABLE = 'MEDIASOUP_VERSION';

/** Exit code of a worker that was not started by the library. */
export const EXIT_NOT_OURS = 41;
/** Exit code of a worker with wrong settings. */
export const EXIT_WRONG_SETTINGS = 42;
