import { FlvReader, type FlvTag } from '../../format/flv/flv-reader.ts';
import { connectError } from '../../io/connect-error.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { openByteSource } from './byte-source.ts';
import { watchIdle } from './idle-watch.ts';
import { type MediaAddress, shownRtmpUrl } from './media-address.ts';
import { type ClientOptions, MAX_RTMP_REDIRECTS, RtmpClient, redirectTarget } from './rtmp-client.ts';

/** What an FLV source gives. */
export type FlvSourceEvent =
  | { readonly type: 'tag'; readonly tag: FlvTag }
  /** The source was connected anew: timestamps and configuration begin again. */
  | { readonly type: 'restarted' };

/**
 * The FLV tags of a stream, whether they come as RTMP messages, over HTTP or WebSocket, or from a file. Resolves when the
 * source is open. Ends when the stream ends or the signal aborts.
 *
 * @throws ResourceError when the source can't be opened; the generator throws one when it breaks off or is silent for
 * `timeoutMs`, and a ProtocolError when what comes is no FLV
 */
export async function openFlvSource(
  address: MediaAddress,
  options: ClientOptions,
): Promise<AsyncGenerator<FlvSourceEvent, void, undefined>> {
  const idle = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const inner: ClientOptions = { ...options, signal };
  const events =
    address.type === 'rtmp'
      ? rtmpEvents(await RtmpClient.open({ ...inner, mode: 'play', url: address.url }), inner)
      : flvSourceEvents(await openByteSource(address, inner), address.text);
  if (address.type === 'file') return events;
  const what = address.type === 'rtmp' ? shownRtmpUrl(address.url) : address.text;
  return watchIdle(events, { timeoutMs: options.timeoutMs, what, onIdle: () => idle.abort() });
}

/** The tags of an FLV byte stream; `source` names it in errors. @throws ProtocolError when it is no FLV */
export async function* flvSourceEvents(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<FlvSourceEvent, void, undefined> {
  const reader = new FlvReader();
  for await (const chunk of chunks) {
    for (const event of reader.receive(chunk)) {
      if (event.type === 'tag') yield { type: 'tag', tag: event };
      else if (event.type === 'failed') {
        throw new ProtocolError(event.error.code, `${source}: ${event.error.message}`, { cause: event.error });
      }
    }
  }
}

async function* rtmpEvents(first: RtmpClient, options: ClientOptions): AsyncGenerator<FlvSourceEvent, void, undefined> {
  let client: RtmpClient | undefined = first;
  for (let moves = 0; client !== undefined; moves++) {
    for await (const message of client.messages()) {
      yield { type: 'tag', tag: { typeId: message.typeId, timestamp: message.timestamp, body: message.payload } };
      if (client.reconnectUrl !== undefined) break;
    }
    const target: string | undefined = client.reconnectUrl;
    if (target === undefined || options.signal.aborted) return;
    if (moves === MAX_RTMP_REDIRECTS) {
      throw connectError('connect/too-many-redirects', `${shownRtmpUrl(first.url)} asks to reconnect again and again`);
    }
    client = await RtmpClient.open({ ...options, mode: 'play', url: redirectTarget(client.url, target) });
    yield { type: 'restarted' };
  }
}
