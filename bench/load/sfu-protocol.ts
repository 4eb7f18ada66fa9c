import { readdirSync, readFileSync } from 'node:fs';
import type { IceCandidate } from '../../src/protocol/ice/candidate.ts';
import type { IceParameters } from '../../src/protocol/ice/credentials.ts';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { monotonicUs } from './clock.ts';
import type { Percentiles } from './histogram.ts';
import type { Counters } from './webrtc-protocol.ts';

/** Payload type and header extensions senders use. */
export const VP8_PAYLOAD_TYPE = 96;
export const RTX_PAYLOAD_TYPE = 97;
export const MID_EXTENSION_ID = 1;
export const ABS_SEND_TIME_EXTENSION_ID = 2;
/** Frames of video a second. */
export const FRAME_RATE = 25;

/** Pictures sent so much after their time are late, microseconds: the load does not keep up. */
export const LATE_US = 2000;

/** Rooms full of people, some of whom send video that all others of the room get. */
export interface SfuLoad {
  readonly rooms: number;
  /** In each room. */
  readonly people: number;
  /** Those of a room who send; the first ones. */
  readonly senders: number;
  /** Of each sender's video, bits a second of RTP payload. */
  readonly bitrateBps: number;
  /**
   * The load never sleeps: pictures leave at their moments, not with those of the same millisecond, and copies are read when
   * they come. Then delays are those of the worker.
   */
  readonly isAwake?: boolean;
}

/** Which library and worker is measured. `native`: mediasoup with the worker of MEDIASOUP_WORKER_BIN. */
export type SfuEngine = 'ffi' | 'portable' | 'native';

/** What both programs of the SFU benchmark are started with (JSON, first argument). */
export interface SfuSettings extends SfuLoad {
  readonly engine: SfuEngine;
  readonly profile: SrtpProfileName;
}

/** Copies of packets for each packet that is sent. */
export function copiesOf({ people }: SfuLoad): number {
  return people - 1;
}

/** SSRC of a sender's video; its RTX has the next one. */
export function ssrcOf(person: number): number {
  return 1_000_000 + 2 * person;
}

/** What a person has to know to connect. */
export interface PersonDescription {
  readonly iceParameters: IceParameters;
  readonly candidates: readonly IceCandidate[];
  /** SHA-256 of the worker's certificate, hexadecimal with colons. */
  readonly fingerprint: string;
}

/** What the orchestrator asks the server process; each question has one answer. */
export type SfuServerCommand =
  /** Makes the rooms for people whose certificate this is. Answer: `PersonDescription[]`, room after room. */
  | { readonly type: 'open'; readonly fingerprint: string }
  /** Answer: what is measured, for people. */
  | { readonly type: 'version' }
  /** Begins a CPU profile of the worker, or ends it and writes it. Answer: undefined. */
  | { readonly type: 'profile' }
  /** Answer: `WorkerCounters`. */
  | { readonly type: 'count' };

/** What the worker's process has used since it began. */
export interface WorkerCounters {
  /** CLOCK_MONOTONIC. */
  readonly atUs: number;
  /** Of all threads. */
  readonly cpuUs: number;
  /** How long its threads could have run, but another program had their core. */
  readonly waitedUs: number;
  readonly rssBytes: number;
}

/** What the orchestrator asks the process with the people; each question has one answer. */
export type SfuClientsCommand =
  /** Answer: SHA-256 of the certificate of all, hexadecimal with colons. */
  | { readonly type: 'certificate' }
  /** Connects them all. Answer, when they have keys: `SfuClientsCounters`. */
  | { readonly type: 'connect'; readonly people: readonly PersonDescription[] }
  /** Senders send from now on, or no more. Answer: `SfuClientsCounters`. */
  | { readonly type: 'send'; readonly isOn: boolean }
  /** Delays are forgotten. Answer: `SfuClientsCounters`. */
  | { readonly type: 'begin' }
  /** Answer: `SfuClientsCounters`. */
  | { readonly type: 'count' };

/** What the people have done and seen. */
export interface SfuClientsCounters extends Counters {
  /** From the stamp in a packet to the time it was read; of those people who decrypt. */
  readonly delay: Percentiles;
  /** Of each whole second since `begin`, milliseconds. */
  readonly secondP99Ms: readonly number[];
  /** Packets of theirs that were not genuine, or out of order. */
  readonly faults: number;
  /** Pictures that were sent, and those of them that were late by more than `LATE_US`. */
  readonly pictures: number;
  readonly latePictures: number;
}

/** Reads what a process has used. @throws Error when it is gone */
export function countersOfProcess(pid: number): WorkerCounters {
  let cpuNs = 0;
  let waitedNs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    // Nanoseconds on a core, nanoseconds it waited for one, turns.
    const [cpu, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
    cpuNs += Number(cpu);
    waitedNs += Number(waited);
  }
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return { atUs: monotonicUs(), cpuUs: cpuNs / 1000, waitedUs: waitedNs / 1000, rssBytes: pages * 4096 };
}
