import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlert, writeAlert } from './alert.ts';
import {
  MAX_CHAIN_CERTIFICATES,
  parseCertificateRequest,
  parseCertificates,
  parseCertificateVerify,
  writeCertificateRequest,
  writeCertificates,
  writeCertificateVerify,
} from './certificate-messages.ts';
import { ExtensionType, MAX_EXTENSIONS } from './hello-extensions.ts';
import {
  parseClientHello,
  parseClientHelloStart,
  parseHelloVerifyRequest,
  parseServerHello,
  writeClientHello,
  writeHelloVerifyRequest,
  writeServerHello,
} from './hello-messages.ts';
import {
  parseClientKeyExchange,
  parseServerKeyExchange,
  writeClientKeyExchange,
  writeServerKeyExchange,
} from './key-exchange-messages.ts';

const bytesOf = (maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength });
const u16 = fc.nat(0xffff);
const numbers = fc.array(u16, { maxLength: 20 });
const random = bytesOf(32, 32);

const extensions = fc.record(
  {
    supportedGroups: numbers,
    pointFormats: fc.array(fc.nat(255), { maxLength: 5 }),
    signatureAlgorithms: numbers,
    extendedMasterSecret: fc.constant(true),
    supportedVersions: fc.array(u16, { maxLength: 20 }),
    renegotiationInfo: bytesOf(30),
  },
  { requiredKeys: [] },
);
const srtp = fc.option(fc.record({ srtpProfiles: numbers, srtpMasterKeyIdentifier: bytesOf(20) }), { nil: {} });
const helloExtensions = fc.tuple(extensions, srtp).map(([some, more]) => ({ ...some, ...more }));

const clientHello = fc.record({
  version: u16,
  random,
  sessionId: bytesOf(32),
  cookie: bytesOf(255),
  cipherSuites: fc.array(u16, { minLength: 1, maxLength: 40 }),
  compressionMethods: fc.array(fc.nat(255), { minLength: 1, maxLength: 4 }),
  extensions: helloExtensions,
});
const serverHello = fc.record({
  version: u16,
  random,
  sessionId: bytesOf(32),
  cipherSuite: u16,
  compressionMethod: fc.nat(255),
  extensions: helloExtensions,
});
const signed = fc.record({ scheme: u16, signature: bytesOf(300) });
const parsers: Readonly<Record<string, (body: Uint8Array) => unknown>> = {
  parseAlert,
  parseClientHello,
  parseClientHelloStart,
  parseServerHello,
  parseHelloVerifyRequest,
  parseCertificates,
  parseCertificateRequest,
  parseCertificateVerify,
  parseServerKeyExchange,
  parseClientKeyExchange,
};

describe('what was written is read again', () => {
  it('in a ClientHello', () => {
    fc.assert(
      fc.property(clientHello, (hello) => {
        expect(parseClientHello(writeClientHello(hello))).toEqual(hello);
      }),
    );
  });

  it('in a ServerHello', () => {
    fc.assert(
      fc.property(serverHello, (hello) => {
        expect(parseServerHello(writeServerHello(hello))?.hello).toEqual(hello);
      }),
    );
  });

  it('in a HelloVerifyRequest', () => {
    fc.assert(
      fc.property(u16, bytesOf(255), (version, cookie) => {
        expect(parseHelloVerifyRequest(writeHelloVerifyRequest(version, cookie))).toEqual(cookie);
      }),
    );
  });

  it('in a Certificate', () => {
    fc.assert(
      fc.property(fc.array(bytesOf(300, 1), { maxLength: MAX_CHAIN_CERTIFICATES }), (chain) => {
        expect(parseCertificates(writeCertificates(chain))).toEqual(chain);
      }),
    );
  });

  it('in a CertificateRequest', () => {
    const request = fc.record({
      certificateTypes: fc.array(fc.nat(255), { maxLength: 9 }),
      signatureAlgorithms: numbers,
    });
    fc.assert(
      fc.property(request, (fields) => {
        expect(parseCertificateRequest(writeCertificateRequest(fields))).toEqual(fields);
      }),
    );
  });

  it('in a CertificateVerify', () => {
    fc.assert(
      fc.property(signed, (fields) => {
        expect(parseCertificateVerify(writeCertificateVerify(fields))).toEqual(fields);
      }),
    );
  });

  it('in key exchanges', () => {
    const exchange = fc.record({ group: u16, publicKey: bytesOf(255), signed });
    fc.assert(
      fc.property(exchange, (fields) => {
        expect(parseServerKeyExchange(writeServerKeyExchange(fields))).toEqual(fields);
        expect(parseClientKeyExchange(writeClientKeyExchange(fields.publicKey))).toEqual(fields.publicKey);
      }),
    );
  });

  it('in an alert', () => {
    expect(parseAlert(writeAlert({ level: 2, description: 40 }))).toEqual({ level: 2, description: 40 });
    for (const length of [0, 1, 3]) expect(parseAlert(new Uint8Array(length))).toBeUndefined();
  });
});

describe('handshake messages', () => {
  it('are read from any bytes without harm', () => {
    fc.assert(
      fc.property(bytesOf(200), (body) => {
        for (const parse of Object.values(parsers)) parse(body);
      }),
    );
  });

  it('are malformed when they are cut', () => {
    const hello = writeClientHello({
      version: 0xfefd,
      random: new Uint8Array(32),
      sessionId: new Uint8Array(3),
      cookie: new Uint8Array(4),
      cipherSuites: [1, 2],
      compressionMethods: [0],
      extensions: { supportedGroups: [29], srtpProfiles: [1] },
    });
    const withoutExtensions = 2 + 32 + 4 + 5 + 6 + 2;
    for (let length = 0; length < hello.length; length++) {
      const isWhole = parseClientHello(hello.subarray(0, length)) !== undefined;
      expect(isWhole).toBe(length === withoutExtensions);
      expect(parseClientHelloStart(hello.subarray(0, length)) !== undefined).toBe(length >= 2 + 32 + 4 + 5);
    }
  });

  const hello = { version: 0xfefd, random: new Uint8Array(32), sessionId: new Uint8Array(), cookie: new Uint8Array() };
  const list = (...entries: readonly (readonly [number, readonly number[]])[]): Uint8Array => {
    const body = entries.flatMap(([type, content]) => [type >> 8, type & 255, 0, content.length, ...content]);
    const start = writeClientHello({ ...hello, cipherSuites: [1], compressionMethods: [0], extensions: {} });
    return Uint8Array.from([...start, body.length >> 8, body.length & 255, ...body]);
  };

  it('may have unknown extensions, and some known ones', () => {
    const parsed = parseClientHello(list([16, [0, 3, 2, 104, 50]], [43, [2, 254, 253]], [0x1a1a, []]));
    expect(parsed?.extensions).toEqual({ supportedVersions: [0xfefd] });
  });

  it.each([
    ['an extension twice', list([23, []], [23, []])],
    ['an odd list of groups', list([ExtensionType.supportedGroups, [0, 3, 0, 29, 0]])],
    ['a list that is longer than its extension', list([ExtensionType.supportedGroups, [0, 4, 0, 29]])],
    ['a list that is shorter', list([ExtensionType.supportedGroups, [0, 2, 0, 29, 0, 23]])],
    ['content in extended_master_secret', list([ExtensionType.extendedMasterSecret, [0]])],
    ['no master key identifier', list([ExtensionType.useSrtp, [0, 2, 0, 1]])],
    ['too many extensions', list(...Array.from({ length: MAX_EXTENSIONS + 1 }, (_, i) => [0x2000 + i, []] as const))],
  ])('are malformed with %s', (_, body) => {
    expect(parseClientHello(body)).toBeUndefined();
  });

  it('have at most so many certificates, none of them empty', () => {
    const chain = (count: number): Uint8Array =>
      writeCertificates(Array.from({ length: count }, () => new Uint8Array(5)));
    expect(parseCertificates(chain(MAX_CHAIN_CERTIFICATES))).toHaveLength(MAX_CHAIN_CERTIFICATES);
    expect(parseCertificates(chain(MAX_CHAIN_CERTIFICATES + 1))).toBeUndefined();
    expect(parseCertificates(writeCertificates([new Uint8Array()]))).toBeUndefined();
    expect(parseCertificates(new Uint8Array(3))).toEqual([]);
  });
});
