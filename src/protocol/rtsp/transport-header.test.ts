import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isInterleaved,
  isRecord,
  isSecure,
  parseTransports,
  RTSP_MAX_TRANSPORTS,
  type RtspTransport,
  writeTransports,
} from './transport-header.ts';

describe('parseTransports', () => {
  it.each<[string, RtspTransport[]]>([
    [
      'RTP/AVP;unicast;client_port=4588-4589;mode="PLAY"',
      [{ profile: 'RTP/AVP', delivery: 'unicast', clientPort: { first: 4588, last: 4589 }, mode: ['PLAY'] }],
    ],
    [
      'RTP/AVP;multicast;ttl=127;mode="PLAY,RECORD", RTP/AVP;unicast;client_port=3456-3457;mode="PLAY"',
      [
        { profile: 'RTP/AVP', delivery: 'multicast', ttl: 127, mode: ['PLAY', 'RECORD'] },
        { profile: 'RTP/AVP', delivery: 'unicast', clientPort: { first: 3456, last: 3457 }, mode: ['PLAY'] },
      ],
    ],
    [
      'rtp/avp/tcp ; Unicast ; Interleaved = 0-1 ; mode=record',
      [
        {
          profile: 'RTP/AVP',
          lowerTransport: 'TCP',
          delivery: 'unicast',
          interleaved: { first: 0, last: 1 },
          mode: ['RECORD'],
        },
      ],
    ],
    [
      'RTP/AVP/UDP;unicast;destination=192.0.2.1;source=2001:db8::1;client_port=5000;server_port=6970-6971;ssrc=1a2B3c4D',
      [
        {
          profile: 'RTP/AVP',
          lowerTransport: 'UDP',
          delivery: 'unicast',
          destination: '192.0.2.1',
          source: '2001:db8::1',
          clientPort: { first: 5000, last: undefined },
          serverPort: { first: 6970, last: 6971 },
          ssrc: 0x1a2b3c4d,
        },
      ],
    ],
    [
      'RTP/AVP;multicast;destination;port=18888-18889;layers=2;append;',
      [
        {
          profile: 'RTP/AVP',
          delivery: 'multicast',
          destination: '',
          port: { first: 18_888, last: 18_889 },
          layers: 2,
          append: true,
        },
      ],
    ],
    ['RAW/RAW/UDP;unicast', [{ profile: 'RAW/RAW', lowerTransport: 'UDP', delivery: 'unicast' }]],
    ['MP2T/H2221/UDP;unicast', [{ profile: 'MP2T/H2221', lowerTransport: 'UDP', delivery: 'unicast' }]],
    ['RTP/SAVP/TCP;x="a,b;c"', [{ profile: 'RTP/SAVP', lowerTransport: 'TCP', others: new Map([['x', 'a,b;c']]) }]],
    ['RTP/AVP;ssrc=3735928559', [{ profile: 'RTP/AVP', ssrc: 3735928559 }]],
    ['RTP/AVP;ssrc=0x1F', [{ profile: 'RTP/AVP', ssrc: 31 }]],
    ['RTP', []],
    ['', []],
    [',,;;,', []],
    ['RTP/AVP/UDP/X', []],
    ['nonsense,RTP/AVP', [{ profile: 'RTP/AVP' }]],
  ])('reads %j', (text, expected) => {
    expect(parseTransports(text)).toEqual(expected);
  });

  it.each([
    'client_port=70000-70001',
    'client_port=x',
    'client_port=',
    'client_port=9-8',
    'client_port=1-x',
    'interleaved=0-256',
    'interleaved=-1',
    'ttl=256',
    'ssrc=x',
    'ssrc=99999999999',
    'ssrc=4294967296',
    'layers=1e3',
    'mode=""',
  ])('takes %j as not named', (parameter) => {
    const [transport] = parseTransports(`RTP/AVP;${parameter}`);
    expect(Object.values(transport!).filter((value) => value !== undefined)).toEqual(['RTP/AVP']);
  });

  it('reads a bounded number of alternatives', () => {
    expect(parseTransports('RTP/AVP,'.repeat(1000))).toHaveLength(RTSP_MAX_TRANSPORTS);
  });

  it('never throws', () => {
    const part = fc.constantFrom('RTP/AVP', ';', ',', '"', '=', 'client_port', '1-2', 'ssrc', 'mode', '\\', ' ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          for (const transport of parseTransports(text))
            expect(parseTransports(writeTransports([transport]))).toEqual([transport]);
        },
      ),
    );
  });
});

describe('writeTransports', () => {
  it('writes modes in quotes but for recording', () => {
    expect(
      writeTransports([
        {
          profile: 'RTP/AVP',
          delivery: 'unicast',
          clientPort: { first: 4588, last: 4589 },
          serverPort: { first: 6256, last: 6257 },
          ssrc: 0xabc,
          mode: ['PLAY'],
        },
        {
          profile: 'RTP/AVP',
          lowerTransport: 'TCP',
          interleaved: { first: 0, last: 1 },
          others: new Map([['a', 'b c']]),
        },
        { profile: 'X/Y', mode: ['PLAY', 'RECORD'] },
        { profile: 'X/Y', mode: ['RECORD'] },
      ]),
    ).toBe(
      'RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257;ssrc=00000ABC;mode="PLAY",RTP/AVP/TCP;interleaved=0-1;a="b c",X/Y;mode="PLAY,RECORD",X/Y;mode=record',
    );
  });
});

describe('transports', () => {
  it.each([
    ['RTP/AVP/TCP', true, false, false],
    ['RTP/SAVP', false, true, false],
    ['RTP/SAVPF/UDP;mode=RECORD', false, true, true],
    ['RTP/AVP;mode="receive"', false, false, true],
    ['RTP/AVP;mode=play', false, false, false],
  ])('%s', (text, interleaved, secure, record) => {
    const [transport] = parseTransports(text);
    expect([isInterleaved(transport!), isSecure(transport!), isRecord(transport!)]).toEqual([
      interleaved,
      secure,
      record,
    ]);
  });
});
