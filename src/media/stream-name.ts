/** The virtual host of streams that name none. */
export const DEFAULT_VHOST = '__defaultVhost__';

/** What a stream is called, whichever protocol asks for it. */
export interface StreamName {
  readonly vhost: string;
  /** May hold slashes (`live/room1`), not at either end. */
  readonly app: string;
  /** Without parameters and without the extension of a container. */
  readonly stream: string;
}

/** The name as one text: `app/stream`, or `//vhost/app/stream` for another than the default virtual host. */
export function streamKey(name: StreamName): string {
  const path = `${name.app}/${name.stream}`;
  return name.vhost === DEFAULT_VHOST ? path : `//${name.vhost}/${path}`;
}
