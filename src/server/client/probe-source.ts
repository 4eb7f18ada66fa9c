import type { FlvDemuxEvent } from '../../format/flv/flv-demux-event.ts';
import { FlvDemuxer } from '../../format/flv/flv-demuxer.ts';
import type { TsDemuxEvent } from '../../format/mpegts/ts-demux-event.ts';
import { TsDemuxer } from '../../format/mpegts/ts-demuxer.ts';
import { TS_PACKET_SIZE_BYTES, TS_SYNC_BYTE } from '../../format/mpegts/ts-packet.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { ResourceError } from '../../wire/errors.ts';
import { openByteSource } from './byte-source.ts';
import { type FlvSourceEvent, flvSourceEvents, openFlvSource } from './flv-source.ts';
import { watchIdle } from './idle-watch.ts';
import type { MediaAddress } from './media-address.ts';
import type { ProbeReport } from './probe-report.ts';
import type { ClientOptions } from './rtmp-client.ts';
import { StreamProbe } from './stream-probe.ts';

export interface ProbeOptions extends ClientOptions {
  /** Media time to measure, and longest time to wait for it once media came, milliseconds; undefined for all there is. */
  readonly durationMs: number | undefined;
  /** Told what is measured as it comes. */
  readonly onProgress?: (probe: StreamProbe) => void;
}

interface ProbeInput {
  readonly container: ProbeReport['container'];
  readonly events: AsyncIterable<FlvDemuxEvent | TsDemuxEvent>;
}

/**
 * Measures a stream or a file. FLV and MPEG-TS are told apart by their first bytes.
 * @throws ResourceError when it can't be had, is neither, or has no audio or video; ProtocolError when it is broken
 */
export async function probeSource(address: MediaAddress, options: ProbeOptions): Promise<ProbeReport> {
  const { durationMs, signal } = options;
  const probe = new StreamProbe();
  const { container, events } = await openInput(address, options);
  let endMs: number | undefined;
  for await (const event of events) {
    probe.push(event);
    options.onProgress?.(probe);
    if (durationMs === undefined || probe.frames === 0) continue;
    endMs ??= nodeClock.nowMs() + durationMs;
    if (probe.durationUs >= durationMs * 1000 || nodeClock.nowMs() >= endMs) break;
  }
  if (probe.frames === 0 && !signal.aborted) {
    throw new ResourceError('client/no-media', `${address.text} has no audio or video in it`);
  }
  return probe.report({ source: withoutParameters(address), container });
}

async function openInput(address: MediaAddress, options: ClientOptions): Promise<ProbeInput> {
  if (address.type === 'rtmp') {
    return { container: 'rtmp', events: flvEvents(await openFlvSource(address, options)) };
  }
  const idle = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const opened = await openByteSource(address, { ...options, signal });
  const chunks = watchIdle(opened, { timeoutMs: options.timeoutMs, what: address.text, onIdle: () => idle.abort() });
  const first = await chunks.next();
  if (first.done === true) throw new ResourceError('client/no-media', `${address.text} is empty`);
  const whole = startingWith(first.value, chunks);
  switch (containerOf(first.value)) {
    case 'flv':
      return { container: 'flv', events: flvEvents(flvSourceEvents(whole, address.text)) };
    case 'mpegts':
      return { container: 'mpegts', events: tsEvents(whole) };
    default:
      await chunks.return();
      throw new ResourceError('client/unknown-container', `${address.text} is neither FLV nor MPEG-TS`);
  }
}

/** By the first bytes, of which a source gives more than one packet at once or is at its end. */
function containerOf(bytes: Uint8Array): 'flv' | 'mpegts' | undefined {
  if (bytes[0] === 0x46 && bytes[1] === 0x4c && bytes[2] === 0x56) return 'flv';
  if (bytes[0] !== TS_SYNC_BYTE) return undefined;
  const next = bytes[TS_PACKET_SIZE_BYTES];
  return next === undefined || next === TS_SYNC_BYTE ? 'mpegts' : undefined;
}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* flvEvents(source: AsyncIterable<FlvSourceEvent>): AsyncGenerator<FlvDemuxEvent, void, undefined> {
  let demuxer = new FlvDemuxer();
  for await (const event of source) {
    if (event.type === 'restarted') demuxer = new FlvDemuxer();
    else yield* demuxer.demux(event.tag.typeId, event.tag.timestamp, event.tag.body);
  }
}

async function* tsEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TsDemuxEvent, void, undefined> {
  const demuxer = new TsDemuxer();
  for await (const chunk of chunks) yield* demuxer.receive(chunk);
  yield* demuxer.flush();
}

/** Parameters of a URL are often keys. */
function withoutParameters(address: MediaAddress): string {
  return address.type === 'file' ? address.text : address.text.replace(/[?#].*$/, '');
}
