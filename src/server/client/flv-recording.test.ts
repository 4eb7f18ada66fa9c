import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlvReader, type FlvTag } from '../../format/flv/flv-reader.ts';
import { FlvRecording } from './flv-recording.ts';

const AVC_CONFIG = [0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0];
const AAC_CONFIG = [0xaf, 0, 0x12, 0x10];

const key = (timestamp: number): FlvTag => tag(9, timestamp, [0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
const inter = (timestamp: number): FlvTag => tag(9, timestamp, [0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41]);
const audio = (timestamp: number): FlvTag => tag(8, timestamp, [0xaf, 1, 0x21]);
const avcConfig = (timestamp = 0): FlvTag => tag(9, timestamp, AVC_CONFIG);
const aacConfig = (timestamp = 0): FlvTag => tag(8, timestamp, AAC_CONFIG);

function tag(typeId: FlvTag['typeId'], timestamp: number, body: readonly number[]): FlvTag {
  return { typeId, timestamp, body: Uint8Array.from(body) };
}

/** What a reader makes of the recording: its header flags and `type@time` for each tag. */
function record(tags: readonly (FlvTag | 'restart')[]): { flags: string; tags: string[] } {
  const recording = new FlvRecording();
  const parts: Uint8Array[] = [];
  for (const one of tags) {
    if (one === 'restart') recording.restart();
    else parts.push(...recording.push(one));
  }
  parts.push(...recording.flush());
  const events = new FlvReader().receive(Buffer.concat(parts));
  const header = events[0]!;
  expect(header.type).toBe('header');
  return {
    flags: header.type === 'header' ? `${header.hasAudio ? 'a' : ''}${header.hasVideo ? 'v' : ''}` : '',
    tags: events.slice(1).map((event) => (event.type === 'tag' ? `${event.typeId}@${event.timestamp}` : event.type)),
  };
}

describe('FLV recording', () => {
  it('begins at 0 with the earliest frame, wherever the stream stands', () => {
    expect(record([avcConfig(), aacConfig(), key(50_040), audio(50_020), inter(50_080)])).toEqual({
      flags: 'av',
      tags: ['9@0', '8@0', '9@20', '8@0', '9@60'],
    });
  });

  it.each([
    ['audio', [aacConfig(), audio(0), audio(23)], 'a'],
    ['video', [avcConfig(), key(0), inter(40)], 'v'],
    ['nothing', [], ''],
  ])('says in its header that there is only %s', (_name, tags, flags) => {
    expect(record(tags).flags).toBe(flags);
  });

  it('waits at most a second for the other kind', () => {
    const recording = new FlvRecording();
    expect(recording.push(avcConfig())).toEqual([]);
    expect(recording.push(key(1000))).toEqual([]);
    expect(recording.push(inter(2000))).toEqual([]);
    expect(recording.push(inter(2001))).not.toEqual([]);
    expect(recording.durationMs).toBe(1001);
  });

  it('puts a configuration that comes later where the recording stands', () => {
    expect(record([avcConfig(), aacConfig(), key(1000), audio(1000), inter(1040), avcConfig(0)]).tags.at(-1)).toBe(
      '9@40',
    );
  });

  it('goes on over the wrap of the timestamps', () => {
    const last = 0xffff_ffff;
    expect(record([avcConfig(), aacConfig(), key(last - 9), audio(last), inter(30)]).tags.slice(2)).toEqual([
      '9@0',
      '8@9',
      '9@40',
    ]);
  });

  it('goes on after a restart with times that begin anywhere', () => {
    const before = [avcConfig(), aacConfig(), key(1000), audio(1010)];
    const after = [avcConfig(), aacConfig(), key(7_000_000), audio(7_000_010)];
    expect(record([...before, 'restart', ...after]).tags).toEqual([
      '9@0',
      '8@0',
      '9@0',
      '8@10',
      '9@50',
      '8@50',
      '9@50',
      '8@60',
    ]);
  });

  it('drops what it held back when the stream restarts before anything was written', () => {
    expect(record([avcConfig(), key(5), 'restart', avcConfig(), aacConfig(), key(9), audio(9)]).tags).toEqual([
      '9@0',
      '8@0',
      '9@0',
      '8@0',
    ]);
  });

  it('changes no body and no order, whatever comes', () => {
    const anyTag = fc.record({
      typeId: fc.constantFrom<FlvTag['typeId']>(8, 9, 18),
      timestamp: fc.nat(0xffff_ffff),
      body: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(AVC_CONFIG, AAC_CONFIG).map((bytes) => Uint8Array.from(bytes)),
        fc.constant(key(0).body),
      ),
    });
    fc.assert(
      fc.property(fc.array(anyTag, { maxLength: 30 }), (tags) => {
        const recording = new FlvRecording();
        const parts = [...tags.flatMap((one) => recording.push(one)), ...recording.flush()];
        const read = new FlvReader().receive(Buffer.concat(parts)).filter((event) => event.type === 'tag');
        expect(read.map(({ typeId, body }) => [typeId, [...body]])).toEqual(
          tags.map(({ typeId, body }) => [typeId, [...body]]),
        );
      }),
    );
  });
});
