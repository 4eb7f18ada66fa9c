import { readFileSync } from 'node:fs';
import type { IceCandidate } from '../../src/protocol/ice/candidate.ts';
import type { IceParameters } from '../../src/protocol/ice/credentials.ts';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { MillraceError } from '../../src/wire/errors.ts';
import { monotonicUs } from './clock.ts';

/** Size of every RTP packet, header included, bytes. */
export const PACKET_BYTES = 1100;

/** What both programs of the WebRTC benchmark are started with (JSON, first argument). */
export interface WebRtcSettings {
  readonly sessions: number;
  readonly profile: SrtpProfileName;
}

/** What clients have to know of the server. */
export interface ServerDescription {
  /** SHA-256 of the certificate of all sessions, hexadecimal. */
  readonly fingerprint: string;
  readonly candidates: readonly IceCandidate[];
  /** One for each session. */
  readonly iceParameters: readonly IceParameters[];
}

/** What a program has done since it began. */
export interface Counters {
  /** CLOCK_MONOTONIC. */
  readonly atUs: number;
  /** User and system time of all threads. */
  readonly cpuUs: number;
  /** How long the main thread could have run, but another program had its core. */
  readonly waitedUs: number;
  /** Genuine packets got. */
  readonly received: number;
  /** Packets protected and given to the socket. */
  readonly sent: number;
}

/** What this process has used so far, and what it says it has done. */
export function countersOf(received: number, sent: number): Counters {
  const { user, system } = process.cpuUsage();
  // Of the main thread: nanoseconds on a core, nanoseconds it waited for one, turns.
  const [, waitedNs = '0'] = readFileSync('/proc/self/schedstat', 'latin1').split(' ');
  return { atUs: monotonicUs(), cpuUs: user + system, waitedUs: Number(waitedNs) / 1000, received, sent };
}

/** What the orchestrator asks the server process; each question has one answer. */
export type ServerCommand =
  /** Opens the sessions for clients whose certificate this is. Answer: `ServerDescription`. */
  | { readonly type: 'open'; readonly fingerprint: string }
  /** Whether packets are sent back from now on. Answer: `Counters`. */
  | { readonly type: 'echo'; readonly isEnabled: boolean }
  /** Answer: `ServerProviders`. */
  | { readonly type: 'providers' }
  /** Answer: `Counters`. */
  | { readonly type: 'count' };

/** What does the work in the server; `reason` when either is not the fast one. */
export interface ServerProviders {
  readonly srtp: string;
  readonly sockets: string;
  readonly reason: string | undefined;
}

/** What the orchestrator asks the client process; each question has one answer. */
export type ClientsCommand =
  /** Answer: SHA-256 of the certificate of all clients, hexadecimal. */
  | { readonly type: 'certificate' }
  /** Connects them all. Answer, when they have keys: `Counters`. */
  | { readonly type: 'connect'; readonly server: ServerDescription }
  /** Packets a second from now on, over all sessions; 0 ends it. Answer: `Counters`. */
  | { readonly type: 'send'; readonly packetsPerSecond: number }
  /** Answer: `Counters`. */
  | { readonly type: 'count' };

/** An answer as it travels. */
export type Answer = { readonly value: unknown } | { readonly error: string };

/** Answers the orchestrator's questions in this process, in order, until it is gone. */
export function answerCommands<C>(answer: (command: C) => Promise<unknown>): void {
  let last = Promise.resolve();
  process.on('message', (command: C) => {
    last = last
      .then(() => answer(command))
      .then(
        (value): Answer => ({ value }),
        (error: Error): Answer => ({
          error: error instanceof MillraceError ? `${error.code}: ${error.message}` : String(error),
        }),
      )
      .then((message) => {
        process.send?.(message);
      });
  });
  process.on('disconnect', () => process.exit(0));
}
