import { FlvDemuxer } from '../../src/format/flv/flv-demuxer.ts';
import { toFlvConfig, toFlvFrame } from '../../src/format/flv/flv-muxer.ts';
import { FlvReader, type FlvReaderEvent } from '../../src/format/flv/flv-reader.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'flv';

function read(pieces: readonly Uint8Array[]): FlvReaderEvent[] {
  const reader = new FlvReader();
  return pieces.flatMap((piece) => reader.receive(piece));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** An FLV file: the reader whole and cut, the demuxer over its tags, and every frame through the muxer and back. */
export function run(bytes: Uint8Array): void {
  const events = read([bytes]);
  const cut = bytes.length - (bytes.at(-1) ?? 0);
  const again = read([bytes.slice(0, Math.max(cut, 0)), bytes.slice(Math.max(cut, 0))]);
  if (again.length !== events.length) throw new RangeError('a cut changes what the FLV reader tells');

  const demuxer = new FlvDemuxer();
  const options = { multitrack: true };
  for (const event of events) {
    if (event.type !== 'tag') continue;
    for (const told of demuxer.demux(event.typeId, event.timestamp, event.body)) {
      if (told.type === 'track') for (const body of toFlvConfig(told.track, options)) join(body.parts);
      if (told.type !== 'frame') continue;
      const { frame } = told;
      if (frame.payload.length > event.body.length) throw new RangeError('a payload larger than its tag');
      const message = toFlvFrame(frame, options);
      if (message === undefined) throw new RangeError(`no FLV form for ${frame.track.codec}`);
      const fresh = new FlvDemuxer();
      for (const body of toFlvConfig(frame.track, options)) fresh.demux(body.typeId, 0, join(body.parts));
      const back = fresh.demux(message.typeId, message.timestampMs, join(message.parts)).at(-1);
      expectSameBytes(
        back?.type === 'frame' ? back.frame.payload : undefined,
        frame.payload,
        'payloads written and read',
      );
    }
  }
}
