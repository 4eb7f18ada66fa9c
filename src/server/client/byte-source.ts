import { readFileChunks } from '../../io/file-chunks.ts';
import { openHttpBody } from '../../io/http-client.ts';
import { openWebSocketBody } from '../../io/web-socket-client.ts';
import type { MediaAddress } from './media-address.ts';
import type { ClientOptions } from './rtmp-client.ts';

/**
 * The bytes of a file, an HTTP body or a WebSocket, as they come. Ends when the signal aborts.
 * @throws ResourceError when it can't be opened; the generator throws one when it breaks off
 */
export async function openByteSource(
  address: Exclude<MediaAddress, { readonly type: 'rtmp' }>,
  options: ClientOptions,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  switch (address.type) {
    case 'file':
      return readFileChunks(address.text);
    case 'http':
      return openHttpBody({ ...options, url: address.url });
    case 'web-socket':
      return openWebSocketBody({ ...options, url: address.url });
  }
}
