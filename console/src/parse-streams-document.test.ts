import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STREAMS, parseStreamsDocument } from './parse-streams-document.ts';
import { streamEntry } from './stream-entry.fixture.ts';

const SERVER = {
  version: '0.1.0',
  uptimeSeconds: 12.3,
  rtmpPort: 1935,
  rtmpsPort: null,
  rtspPort: 8554,
  rtspsPort: null,
  viewers: 5,
};

describe('GET /console/streams.json', () => {
  it('is read as it is', () => {
    const document = {
      server: SERVER,
      streams: [streamEntry(), streamEntry({ key: 'live/2', video: null, audio: null })],
    };
    expect(parseStreamsDocument(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  it.each([null, 7, 'x', [], {}, { server: SERVER }, { streams: [] }, { server: [], streams: [] }])(
    'is not %j',
    (value) => {
      expect(parseStreamsDocument(value)).toBeUndefined();
    },
  );

  it('takes what it cannot read for unknown', () => {
    const paths = { flv: '/a.flv', ts: '/a.ts' };
    const document = parseStreamsDocument({
      server: { version: 1, uptimeSeconds: '12', rtmpPort: 70_000, rtspPort: '8554', viewers: -1 },
      streams: [{ key: 'a', paths, publishing: 'yes', viewers: null, video: { width: Number.NaN }, audio: 'aac' }],
    });
    expect(document?.server).toEqual({
      version: '',
      uptimeSeconds: null,
      rtmpPort: null,
      rtmpsPort: null,
      rtspPort: null,
      rtspsPort: null,
      viewers: null,
    });
    expect(document?.streams).toMatchObject([
      { key: 'a', publishing: false, viewers: null, video: { codec: '', width: null }, audio: null },
    ]);
  });

  it('leaves out streams without key or paths, and the second of two with one key', () => {
    const streams = [{}, { key: 'a' }, { paths: { flv: '/', ts: '/' } }, streamEntry(), streamEntry({ app: 'other' })];
    expect(parseStreamsDocument({ server: SERVER, streams })?.streams).toEqual([streamEntry()]);
  });

  it('keeps a bounded number of streams', () => {
    const streams = Array.from({ length: MAX_STREAMS + 1 }, (_, index) => streamEntry({ key: `live/${index}` }));
    expect(parseStreamsDocument({ server: SERVER, streams })?.streams).toHaveLength(MAX_STREAMS);
  });

  it('never throws, whatever the answer', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseStreamsDocument(value)));
    const entry = fc.record({ key: fc.string(), paths: fc.jsonValue(), video: fc.jsonValue(), audio: fc.jsonValue() });
    fc.assert(fc.property(fc.array(entry), (streams) => void parseStreamsDocument({ server: {}, streams })));
  });
});
