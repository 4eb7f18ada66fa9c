import { ResourceError, StateError } from '../wire/errors.ts';
import type { DatagramErrorCode, DatagramSocket, DatagramSocketOptions } from './datagram-socket.ts';
import { UdpSocket } from './udp-socket.ts';

/** An even port for RTP and the odd one above it for RTCP (RFC 3550 §11). */
export interface UdpPortPair {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
  /** Closes both. May be called again. */
  close(): Promise<void>;
}

/** Options of both sockets of a pair; the port comes from elsewhere. */
export interface UdpPortPairOptions extends Omit<DatagramSocketOptions, 'address'> {
  /** Undefined: every address. */
  readonly host: string | undefined;
}

/** Bounds on pairs, both inclusive. */
export interface UdpPortRangeOptions extends UdpPortPairOptions {
  /** 1–65534. */
  readonly firstPort: number;
  readonly lastPort: number;
}

/**
 * Opens the pair `port`, `port + 1`; neither stays open when one can't be had.
 * @throws StateError `datagram/bad-range` when `port` is odd or out of range
 * @throws ResourceError with a `DatagramErrorCode`
 */
export async function openUdpPortPair(port: number, options: UdpPortPairOptions): Promise<UdpPortPair> {
  if (!Number.isInteger(port) || port < 2 || port > 65_534 || port % 2 === 1) {
    throw new StateError('datagram/bad-range' satisfies DatagramErrorCode, `${port} is not an even port`);
  }
  const { host } = options;
  const rtp = await UdpSocket.open({ ...options, address: { host, port } });
  try {
    const rtcp = await UdpSocket.open({ ...options, address: { host, port: port + 1 } });
    return new OpenPair(rtp, rtcp);
  } catch (error) {
    await rtp.close();
    throw error;
  }
}

/**
 * Hands out pairs of a range of ports, each to one owner at a time; ports other programs hold are passed over. The search
 * goes on behind the pair handed out last, so that late packets for a closed pair seldom meet its next owner.
 */
export class UdpPortRange {
  readonly #options: UdpPortRangeOptions;
  readonly #firstPort: number;
  readonly #pairCount: number;
  readonly #taken = new Set<number>();
  #next = 0;

  /** @throws StateError `datagram/bad-range` when the range has no pair */
  constructor(options: UdpPortRangeOptions) {
    this.#options = options;
    this.#firstPort = options.firstPort + (options.firstPort % 2);
    this.#pairCount = Math.floor((options.lastPort - this.#firstPort + 1) / 2);
    if (this.#firstPort < 2 || options.lastPort > 65_535 || !(this.#pairCount > 0)) {
      throw new StateError(
        'datagram/bad-range' satisfies DatagramErrorCode,
        `ports ${options.firstPort}–${options.lastPort} have no pair of an even and an odd one`,
      );
    }
  }

  /** Pairs handed out and not closed. */
  get openPairs(): number {
    return this.#taken.size;
  }

  /** Pairs the range has. */
  get capacity(): number {
    return this.#pairCount;
  }

  /** @throws ResourceError `datagram/no-port-pair` when none is free, or what opening a socket throws */
  async open(): Promise<UdpPortPair> {
    for (let tries = 0; tries < this.#pairCount; tries++) {
      const port = this.#firstPort + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#pairCount;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      try {
        const pair = await openUdpPortPair(port, this.#options);
        return new OpenPair(pair.rtp, pair.rtcp, () => this.#taken.delete(port));
      } catch (error) {
        this.#taken.delete(port);
        if (!isTaken(error)) throw error;
      }
    }
    throw new ResourceError(
      'datagram/no-port-pair' satisfies DatagramErrorCode,
      `no free pair of UDP ports in ${this.#firstPort}–${this.#options.lastPort}; widen the range`,
    );
  }
}

class OpenPair implements UdpPortPair {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
  readonly #onClosed: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(rtp: DatagramSocket, rtcp: DatagramSocket, onClosed?: () => void) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.#onClosed = onClosed;
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all([this.rtp.close(), this.rtcp.close()]).then(() => this.#onClosed?.());
    return this.#closed;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof ResourceError && error.code === ('datagram/port-taken' satisfies DatagramErrorCode);
}
