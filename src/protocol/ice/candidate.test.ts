import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidatePriority, type IceCandidate, pairPriority, parseCandidate, writeCandidate } from './candidate.ts';

describe('parseCandidate', () => {
  it.each([
    [
      'RFC 8839 §5.1',
      'a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998',
      {
        foundation: '2',
        component: 1,
        transport: 'udp',
        priority: 1_694_498_815,
        address: '192.0.2.3',
        port: 45_664,
        type: 'srflx',
        relatedAddress: '203.0.113.141',
        relatedPort: 8998,
      },
    ],
    [
      'Chromium with mDNS',
      'candidate:3988957994 1 udp 2113937151 d6e6d9c5-0b6c-4b0e-9d0e-9f6a1b2c3d4e.local 56789 typ host generation 0 ufrag abcd network-cost 999',
      {
        foundation: '3988957994',
        component: 1,
        transport: 'udp',
        priority: 2_113_937_151,
        address: 'd6e6d9c5-0b6c-4b0e-9d0e-9f6a1b2c3d4e.local',
        port: 56_789,
        type: 'host',
        extensions: [
          ['generation', '0'],
          ['ufrag', 'abcd'],
          ['network-cost', '999'],
        ],
      },
    ],
    [
      'libnice with active TCP',
      'candidate:4 1 TCP 1015022079 fe80::1 9 typ host tcptype active',
      {
        foundation: '4',
        component: 1,
        transport: 'tcp',
        priority: 1_015_022_079,
        address: 'fe80::1',
        port: 9,
        type: 'host',
        tcpType: 'active',
      },
    ],
    [
      'mediasoup with passive TCP, without a prefix',
      'tcpcandidate 1 tcp 1076276479 192.0.2.1 44444 typ host tcptype passive',
      {
        foundation: 'tcpcandidate',
        component: 1,
        transport: 'tcp',
        priority: 1_076_276_479,
        address: '192.0.2.1',
        port: 44_444,
        type: 'host',
        tcpType: 'passive',
      },
    ],
  ] as const)('reads %s', (_, line, expected) => {
    const candidate = parseCandidate(line);
    expect(candidate).toEqual(expected);
    expect(parseCandidate(writeCandidate(candidate!))).toEqual(expected);
  });

  it.each([
    '',
    'candidate:',
    'candidate:1 1 udp 1 192.0.2.1 1 typ',
    'candidate:1 1 udp 1 192.0.2.1 1 type host',
    'candidate:1 1 udp 1 192.0.2.1 1 typ nohost',
    'candidate:1 1 sctp 1 192.0.2.1 1 typ host',
    'candidate:1 0 udp 1 192.0.2.1 1 typ host',
    'candidate:1 257 udp 1 192.0.2.1 1 typ host',
    'candidate:1 1 udp 0 192.0.2.1 1 typ host',
    'candidate:1 1 udp 2147483648 192.0.2.1 1 typ host',
    'candidate:1 1 udp 1 192.0.2.1 65536 typ host',
    'candidate:1 1 udp 1 192.0.2.1 -1 typ host',
    'candidate:1 1 udp 1 192.0.2.1 1 typ host odd',
    'candidate:1 1 udp 1 192.0.2.1 1 typ host tcptype active',
    'candidate:1 1 tcp 1 192.0.2.1 1 typ host',
    'candidate:1 1 tcp 1 192.0.2.1 1 typ host tcptype maybe',
    'candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr a/b rport 1',
    'candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr ::1 rport 70000',
    'candidate:1 1 udp 1 192.0.2.1 1 typ srflx rport 1 rport 2',
    'candidate:1_2 1 udp 1 192.0.2.1 1 typ host',
    `candidate:${'1'.repeat(33)} 1 udp 1 192.0.2.1 1 typ host`,
    'candidate:1 1 udp 1 <script> 1 typ host',
    'candidate:1 1 udp 1 192.0.2.1 1 typ host a \u0001',
    `candidate:1 1 udp 1 192.0.2.1 1 typ host${' a b'.repeat(17)}`,
    `candidate:1 1 udp 1 192.0.2.1 1 typ host a ${'b'.repeat(1000)}`,
  ])('refuses %j', (line) => {
    expect(parseCandidate(line)).toBeUndefined();
  });

  const token = fc.stringMatching(/^[a-z]{1,12}$/);
  const common = {
    foundation: fc.stringMatching(/^[A-Za-z0-9+/]{1,32}$/),
    component: fc.integer({ min: 1, max: 256 }),
    priority: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    address: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.nat(65_535),
    type: fc.constantFrom('host', 'srflx', 'prflx', 'relay'),
    relatedAddress: fc.ipV4(),
    relatedPort: fc.nat(65_535),
    extensions: fc.array(fc.tuple(token, token), { minLength: 1, maxLength: 5 }),
  } as const;
  const required = ['foundation', 'component', 'transport', 'priority', 'address', 'port', 'type'] as const;

  it('reads what was written', () => {
    const candidate = fc.oneof(
      fc.record({ ...common, transport: fc.constant('udp') }, { requiredKeys: [...required] }),
      fc.record(
        { ...common, transport: fc.constant('tcp'), tcpType: fc.constantFrom('active', 'passive', 'so') },
        { requiredKeys: [...required, 'tcpType'] },
      ),
    );
    fc.assert(
      fc.property(candidate, (written) => {
        const isReserved = written.extensions?.some(([name]) => ['raddr', 'rport', 'tcptype'].includes(name)) === true;
        fc.pre(!isReserved);
        expect(parseCandidate(writeCandidate(written as IceCandidate))).toEqual(written);
      }),
    );
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('typ', 'host', 'udp', '1', 'raddr', '::1'))),
        (parts) => {
          parseCandidate(parts.join(' '));
        },
      ),
    );
  });
});

describe('priorities', () => {
  it.each([
    [{ type: 'host', transport: 'udp' }, 2_130_706_431],
    [{ type: 'srflx', transport: 'udp' }, 1_694_498_815],
    [{ type: 'prflx', transport: 'udp' }, 1_862_270_975],
    [{ type: 'relay', transport: 'udp', localPreference: 0, component: 2 }, 254],
    [{ type: 'host', transport: 'tcp', tcpType: 'active', localPreference: 8191 }, 1_793_064_959],
    [{ type: 'host', transport: 'tcp', tcpType: 'passive', localPreference: 0 }, 1_786_773_759],
  ] as const)('of %j is %i', (options, expected) => {
    expect(candidatePriority(options)).toBe(expected);
  });

  it('refuse a preference out of range', () => {
    for (const localPreference of [-1, 65_536, 0.5]) {
      expect(() => candidatePriority({ type: 'host', transport: 'udp', localPreference })).toThrow(
        expect.objectContaining({ code: 'ice/bad-candidate' }),
      );
    }
  });

  it('of pairs are 2^32 × the smaller + 2 × the larger + who is larger', () => {
    expect(pairPriority(2, 1)).toBe((1n << 32n) + 5n);
    expect(pairPriority(1, 2)).toBe((1n << 32n) + 4n);
    expect(pairPriority(2_130_706_431, 2_130_706_431)).toBe(9_151_314_442_783_293_438n);
  });
});
