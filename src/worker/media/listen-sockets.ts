import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { UdpSocket } from '../../io/udp-socket.ts';
import { isIpAddress } from '../../io/worker-events.ts';
import type { TransportSocket } from '../../sfu/transports/datagram-transport.ts';
import { MillraceError } from '../../wire/errors.ts';
import { RequestError } from '../channel/request-errors.ts';
import { RequestData } from './request-data.ts';

/** Ports tried in a range before it counts as taken. */
const MAX_PORT_TRIES = 200;

export const MAX_PORT = 65_535;
/** What the kernel is asked for is an integer of 32 bits with a sign. */
const MAX_SOCKET_BUFFER_BYTES = 0x7fff_ffff;

/** Ports to take, both included. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/** Where to listen, as control tells it. */
export interface ListenInfo {
  readonly protocol: 'udp' | 'tcp';
  readonly ip: string;
  readonly announcedAddress: string | undefined;
  /** Peers are told both addresses. */
  readonly exposeInternalIp: boolean;
  readonly port: number;
  readonly portRange: PortRange | undefined;
  readonly ipv6Only: boolean;
  readonly udpReusePort: boolean;
  readonly sendBufferSize: number | undefined;
  readonly recvBufferSize: number | undefined;
}

/** Reads a listen info. @throws TypeError */
export function readListenInfo(value: unknown): ListenInfo {
  const data = new RequestData(value);
  const range = data.optionalObject<object>('portRange');
  const limits = new RequestData(range);
  const min = limits.optionalInteger('min', MAX_PORT) ?? 0;
  const max = limits.optionalInteger('max', MAX_PORT) ?? 0;
  const flags = new RequestData(data.optionalObject<object>('flags'));
  const protocol = data.text('protocol');
  if (protocol !== 'udp' && protocol !== 'tcp') throw new TypeError('invalid protocol');
  // A name would have to be asked for, of whom nobody knows.
  if (!isIpAddress(data.text('ip'))) throw new TypeError('invalid ip');
  return {
    protocol,
    ip: data.text('ip'),
    announcedAddress: data.optionalText('announcedAddress'),
    exposeInternalIp: data.flag('exposeInternalIp', false),
    port: data.optionalInteger('port', MAX_PORT) ?? 0,
    portRange: min > 0 && max >= min ? { min, max } : undefined,
    // Of an IPv4 address it means nothing.
    ipv6Only: flags.flag('ipv6Only', false) && data.text('ip').includes(':'),
    udpReusePort: flags.flag('udpReusePort', false),
    sendBufferSize: data.optionalInteger('sendBufferSize', MAX_SOCKET_BUFFER_BYTES),
    recvBufferSize: data.optionalInteger('recvBufferSize', MAX_SOCKET_BUFFER_BYTES),
  };
}

/**
 * Opens with each port of a range from a random one on, until one is free.
 * @param range of the listen info, or the worker's
 * @throws RequestError when none is
 */
export async function openInRange<T>(
  info: ListenInfo,
  range: PortRange,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const { min, max } = info.portRange ?? range;
  const ports = max - min + 1;
  if (info.port > 0) {
    try {
      return await open(info.port);
    } catch (error) {
      throw refusal(`port ${info.port} of ${info.ip}`, error);
    }
  }
  const first = Math.floor(Math.random() * ports);
  let last: unknown;
  for (let i = 0; i < Math.min(ports, MAX_PORT_TRIES); i++) {
    try {
      return await open(min + ((first + i) % ports));
    } catch (error) {
      if (!(error instanceof MillraceError) || !error.code.endsWith('port-taken')) throw refusal(info.ip, error);
      last = error;
    }
  }
  throw refusal(`a port of ${min}–${max} on ${info.ip}`, last);
}

/** Opens a socket of datagrams. @throws RequestError */
export function openUdp(info: ListenInfo, range: PortRange): Promise<DatagramSocket> {
  return openInRange(info, range, (port) =>
    UdpSocket.open({
      address: { host: info.ip, port },
      reusePort: info.udpReusePort,
      ipv6Only: info.ipv6Only,
      ...(info.sendBufferSize === undefined ? {} : { sendBufferBytes: info.sendBufferSize }),
      ...(info.recvBufferSize === undefined ? {} : { receiveBufferBytes: info.recvBufferSize }),
    }),
  );
}

/** A socket as transports use it. */
export function toTransportSocket(socket: DatagramSocket, info: ListenInfo): TransportSocket {
  return {
    address: info.announcedAddress ?? info.ip,
    port: socket.port,
    queue: socket.packetQueue(),
    get unsent() {
      return socket.dropped + socket.failed;
    },
    target: (address, port) => socket.target(address, port),
    close: () => {
      // Nobody waits for the port to be free.
      void socket.close();
    },
  };
}

function refusal(what: string, error: unknown): RequestError {
  return new RequestError(`can't listen on ${what}`, { cause: error });
}
