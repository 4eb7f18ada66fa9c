/** How the page gets a stream: FLV over HTTP, FLV over a WebSocket, MPEG-TS over HTTP. */
export type Transport = 'flv' | 'ws' | 'ts';

/** All transports in the order they are offered, with their names for people. */
export const TRANSPORTS: readonly { readonly transport: Transport; readonly name: string }[] = [
  { transport: 'flv', name: 'HTTP-FLV' },
  { transport: 'ws', name: 'WebSocket-FLV' },
  { transport: 'ts', name: 'HTTP-TS' },
];

/** What is used when nothing is asked for. */
export const DEFAULT_TRANSPORT: Transport = 'flv';

/** Name of a transport for people. */
export function transportName(transport: Transport): string {
  return TRANSPORTS.find((entry) => entry.transport === transport)?.name ?? transport;
}

/** Reads a `via=` value; `undefined` for everything that names no transport. */
export function parseTransport(value: string | null): Transport | undefined {
  return TRANSPORTS.find((entry) => entry.transport === value)?.transport;
}
