/** The system calls on sockets that Node has no way to make, through `node:ffi`. */
import { ResourceError } from '../../wire/errors.ts';
import type { DatagramErrorCode } from '../datagram-socket.ts';
import { withoutExperimentalWarning } from './experimental-warning.ts';

type Ffi = typeof import('node:ffi');

/** What the files beside this one call outside of JavaScript. Results are −1 for an error. */
export interface LinuxSocketCalls {
  /** sendmmsg(2). */
  sendmmsg(fileDescriptor: number, messages: bigint, count: number, flags: number): number;
  /** recvmmsg(2) without a timeout. */
  recvmmsg(fileDescriptor: number, messages: bigint, count: number, flags: number): number;
  /** Number of the last call's error. */
  errno(): number;
  /** Where `bytes` are in memory. */
  addressOf(bytes: Uint8Array): bigint;
}

/** Numbers below are kept as they are passed on: descriptors, counts and flags mostly are. */
const KNOWN_NUMBERS = 4096;

/** @throws ResourceError `datagram/failed` when this system or Node has no such calls; the message says which */
export function loadLinuxSocketCalls(): LinuxSocketCalls {
  const { platform, arch } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) throw unavailable(`not on ${platform} ${arch}`);
  const ffi = withoutExperimentalWarning(() => process.getBuiltinModule('node:ffi') as Ffi | undefined);
  if (ffi === undefined) throw unavailable(`Node ${process.version} has no node:ffi`);
  try {
    return callsOf(ffi);
  } catch (cause) {
    throw unavailable((cause as Error).message, cause);
  }
}

function callsOf(ffi: Ffi): LinuxSocketCalls {
  const known = Array.from({ length: KNOWN_NUMBERS }, (_, value) => BigInt(value));
  const argument = (value: number): bigint => known[value] ?? BigInt(value);
  // The symbols of the C library are those of the process: its file name differs between systems. Numbers are declared as
  // pointers: calls that take nothing else cost Node a third, and an `int` is the low half of the register a pointer has.
  const { functions } = ffi.dlopen(null, {
    sendmmsg: { arguments: ['pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' },
    recvmmsg: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' },
    __errno_location: { arguments: [], return: 'pointer' },
  });
  return {
    sendmmsg: (fileDescriptor, messages, count, flags) =>
      functions.sendmmsg(argument(fileDescriptor), messages, argument(count), argument(flags)),
    recvmmsg: (fileDescriptor, messages, count, flags) =>
      functions.recvmmsg(argument(fileDescriptor), messages, argument(count), argument(flags), 0n),
    errno: () => ffi.getInt32(functions.__errno_location()),
    addressOf: (bytes) => ffi.getRawPointer(bytes),
  };
}

function unavailable(reason: string, cause?: unknown): ResourceError {
  return new ResourceError(
    'datagram/failed' satisfies DatagramErrorCode,
    `no sendmmsg: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
