/** Which of our addresses speaks with which of theirs, with the names of the API. */
export interface TransportTuple {
  readonly localAddress: string;
  /** The name before 3.13.18 of the API. */
  readonly localIp: string;
  readonly localPort: number;
  readonly remoteIp?: string;
  readonly remotePort?: number;
  readonly protocol: 'udp' | 'tcp';
}

/** A tuple of a socket and, once known, of a peer. */
export function toTransportTuple(
  local: { readonly address: string; readonly port: number; readonly protocol?: 'udp' | 'tcp' },
  remote?: { readonly address: string; readonly port: number },
): TransportTuple {
  const { address: localAddress, port: localPort, protocol = 'udp' } = local;
  const peer = remote === undefined ? {} : { remoteIp: remote.address, remotePort: remote.port };
  return { localAddress, localIp: localAddress, localPort, ...peer, protocol };
}
