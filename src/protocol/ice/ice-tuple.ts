/** A path: which of our addresses speaks with which of theirs, over what. Addresses are IP addresses without brackets. */
export interface IceTuple {
  readonly protocol: 'udp' | 'tcp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Whether both are the same path. */
export function isSameTuple(a: IceTuple, b: IceTuple): boolean {
  return (
    a.remotePort === b.remotePort &&
    a.localPort === b.localPort &&
    a.protocol === b.protocol &&
    a.remoteAddress === b.remoteAddress &&
    a.localAddress === b.localAddress
  );
}

/** A text that is the same for the same path only. */
export function tupleKey(tuple: IceTuple): string {
  const { protocol, localAddress, localPort, remoteAddress, remotePort } = tuple;
  return `${protocol} ${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
