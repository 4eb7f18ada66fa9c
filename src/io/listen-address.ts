/** Where to listen: `host` undefined means every address, IPv6 and IPv4. */
export interface ListenAddress {
  readonly host: string | undefined;
  /** 0–65535; 0 takes a free port. */
  readonly port: number;
}

/**
 * Parses `1935`, `:1935`, `127.0.0.1:1935`, `[::1]:1935` or `localhost:1935`.
 * Returns undefined when `text` is none of these.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text.trim());
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  const host = match[1] ?? match[2];
  return { host: host === undefined || host === '' || host === '*' ? undefined : host, port };
}

/** The host that all of them name; undefined when they name several, or one of them means every address. */
export function commonHost(addresses: readonly ListenAddress[]): string | undefined {
  const [host, ...others] = new Set(addresses.map((address) => address.host));
  return others.length === 0 ? host : undefined;
}

/** The form people write, for logs and messages. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.host === undefined) return String(address.port);
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
