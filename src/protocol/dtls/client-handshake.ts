import { ProtocolError } from '../../wire/errors.ts';
import {
  ClientCertificateType,
  parseCertificateRequest,
  parseCertificates,
  writeCertificates,
  writeCertificateVerify,
} from './certificate-messages.ts';
import { type CipherSuite, findCipherSuite } from './cipher-suites.tables.ts';
import { dtlsError, malformedMessage, unexpectedMessage } from './dtls-error.ts';
import type { FlightItem } from './flight.ts';
import { HandshakeLog } from './handshake-log.ts';
import { type HandshakeMessage, HandshakeType } from './handshake-message.ts';
import {
  agreeOnSecret,
  type Handshake,
  type HandshakeOptions,
  type HandshakeStep,
  toProtection,
} from './handshake-step.ts';
import { ExtensionType } from './hello-extensions.ts';
import {
  parseHelloVerifyRequest,
  parseServerHello,
  RANDOM_BYTES,
  type ServerHello,
  writeClientHello,
} from './hello-messages.ts';
import { parseServerKeyExchange, toSignedParameters, writeClientKeyExchange } from './key-exchange-messages.ts';
import { SessionSecrets } from './key-schedule.ts';
import { findNamedGroup } from './named-groups.tables.ts';
import { PeerCertificate } from './peer-certificate.ts';
import { DTLS_1_2 } from './record.ts';
import { chooseSignatureScheme, SIGNATURE_SCHEMES, type SignatureScheme } from './signature-schemes.tables.ts';

/** HelloVerifyRequests that are answered: a server whose secret changes may send a second one. */
export const MAX_HELLO_VERIFY_REQUESTS = 3;

/** The message that comes next. */
type Expected =
  | 'server-hello'
  | 'certificate'
  | 'server-key-exchange'
  | 'certificate-request'
  | 'server-hello-done'
  | 'finished'
  | 'nothing';

/** What the ServerHello says. */
interface Agreement {
  readonly suite: CipherSuite;
  readonly serverRandom: Uint8Array;
  readonly hasExtendedMasterSecret: boolean;
  readonly srtpProfile: number | undefined;
}

/**
 * The client's side of a handshake (RFC 6347 §4.2, RFC 5246 §7.3, RFC 8422 §2). Sessions are never resumed, so there are
 * neither session identifiers nor tickets. Messages come whole and in order, the Finished message from epoch 1.
 */
export class ClientHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #log: HandshakeLog;
  readonly #clientRandom: Uint8Array;
  #expected: Expected = 'server-hello';
  #helloVerifyRequests = 0;
  #agreement: Agreement | undefined;
  #serverCertificate: PeerCertificate | undefined;
  #clientPublicKey: Uint8Array | undefined;
  #premasterSecret: Uint8Array | undefined;
  #isCertificateRequested = false;
  /** How to sign; undefined when there is nothing the server would take. */
  #scheme: SignatureScheme | undefined;
  #secrets: SessionSecrets | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#log = new HandshakeLog(options.crypto, 0);
    this.#clientRandom = options.crypto.randomBytes(RANDOM_BYTES);
  }

  start(): HandshakeStep {
    return { flight: [this.#writeHello(new Uint8Array())] };
  }

  receive(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { type } = message;
    switch (this.#expected) {
      case 'server-hello':
        if (type === HandshakeType.helloVerifyRequest) return this.#onHelloVerifyRequest(message);
        return type === HandshakeType.serverHello ? this.#onServerHello(message) : unexpectedMessage(message.type);
      case 'certificate':
        return type === HandshakeType.certificate ? this.#onCertificate(message) : unexpectedMessage(message.type);
      case 'server-key-exchange':
        return type === HandshakeType.serverKeyExchange
          ? this.#onServerKeyExchange(message)
          : unexpectedMessage(message.type);
      case 'certificate-request':
        if (type === HandshakeType.certificateRequest) return this.#onCertificateRequest(message);
        return type === HandshakeType.serverHelloDone
          ? this.#onServerHelloDone(message)
          : unexpectedMessage(message.type);
      case 'server-hello-done':
        return type === HandshakeType.serverHelloDone
          ? this.#onServerHelloDone(message)
          : unexpectedMessage(message.type);
      case 'finished':
        return type === HandshakeType.finished ? this.#onFinished(message) : unexpectedMessage(message.type);
      case 'nothing':
        return unexpectedMessage(message.type);
    }
  }

  #writeHello(cookie: Uint8Array): FlightItem {
    const { cipherSuites, groups, srtpProfiles, extendedMasterSecret } = this.#options;
    const body = writeClientHello({
      version: DTLS_1_2,
      random: this.#clientRandom,
      sessionId: new Uint8Array(),
      cookie,
      cipherSuites: cipherSuites.map(({ id }) => id),
      compressionMethods: [0],
      extensions: {
        supportedGroups: groups.map(({ id }) => id),
        pointFormats: [0],
        signatureAlgorithms: SIGNATURE_SCHEMES.map(({ id }) => id),
        ...(srtpProfiles.length > 0 && { srtpProfiles }),
        extendedMasterSecret: extendedMasterSecret !== 'never',
        renegotiationInfo: new Uint8Array(),
      },
    });
    return this.#log.write(HandshakeType.clientHello, body);
  }

  #onHelloVerifyRequest(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const cookie = parseHelloVerifyRequest(message.body);
    if (cookie === undefined) return malformedMessage('HelloVerifyRequest');
    if (++this.#helloVerifyRequests > MAX_HELLO_VERIFY_REQUESTS)
      return dtlsError('dtls/unexpected-message', `${this.#helloVerifyRequests} HelloVerifyRequests`);
    this.#log.restart();
    return { flight: [this.#writeHello(cookie)] };
  }

  #onServerHello(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const parsed = parseServerHello(message.body);
    if (parsed === undefined) return malformedMessage('ServerHello');
    const agreement = this.#agree(parsed.hello, parsed.extensionTypes);
    if (agreement instanceof ProtocolError) return agreement;
    this.#log.add(message);
    this.#agreement = agreement;
    this.#expected = 'certificate';
    return {};
  }

  #agree(hello: ServerHello, extensionTypes: readonly number[]): Agreement | ProtocolError {
    const { cipherSuites, srtpProfiles, extendedMasterSecret } = this.#options;
    const { extensions } = hello;
    if (hello.version !== DTLS_1_2)
      return dtlsError('dtls/unsupported-version', `the server chose version 0x${hello.version.toString(16)}`);
    const suite = findCipherSuite(hello.cipherSuite);
    if (suite === undefined || !cipherSuites.includes(suite))
      return dtlsError('dtls/illegal-parameter', `the server chose suite 0x${hello.cipherSuite.toString(16)}`);
    if (hello.compressionMethod !== 0) return dtlsError('dtls/illegal-parameter', 'the server chose compression');
    for (const type of extensionTypes) {
      if (!this.#isOffered(type)) return dtlsError('dtls/unsupported-extension', `the server has extension ${type}`);
    }
    if (extensions.pointFormats?.includes(0) === false)
      return dtlsError('dtls/illegal-parameter', 'the server takes no uncompressed points');
    // Servers without the extension are taken: connections are never renegotiated.
    if ((extensions.renegotiationInfo?.length ?? 0) > 0)
      return dtlsError('dtls/illegal-parameter', 'renegotiation_info of a first handshake is not empty');
    const hasExtendedMasterSecret = extensions.extendedMasterSecret === true;
    if (!hasExtendedMasterSecret && extendedMasterSecret === 'require')
      return dtlsError('dtls/no-common-parameters', 'the server has no extended master secret');
    const { srtpProfiles: chosen, srtpMasterKeyIdentifier: identifier } = extensions;
    const srtpProfile = chosen?.[0];
    if (chosen !== undefined) {
      if (chosen.length !== 1 || !srtpProfiles.includes(chosen[0]!) || identifier!.length > 0)
        return dtlsError('dtls/illegal-parameter', 'the server chose an SRTP profile that was not offered');
    }
    return { suite, serverRandom: hello.random, hasExtendedMasterSecret, srtpProfile };
  }

  #isOffered(extensionType: number): boolean {
    switch (extensionType) {
      case ExtensionType.pointFormats:
      case ExtensionType.renegotiationInfo:
        return true;
      case ExtensionType.extendedMasterSecret:
        return this.#options.extendedMasterSecret !== 'never';
      case ExtensionType.useSrtp:
        return this.#options.srtpProfiles.length > 0;
      default:
        // Among them groups and signature algorithms, which a server has no say about.
        return false;
    }
  }

  #onCertificate(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const certificates = parseCertificates(message.body);
    if (certificates === undefined) return malformedMessage('Certificate');
    const [own] = certificates;
    if (own === undefined) return dtlsError('dtls/no-certificate', 'the server has no certificate');
    const certificate = PeerCertificate.read(this.#options.crypto, own);
    if (certificate instanceof ProtocolError) return certificate;
    if (certificate.kind !== this.#agreement!.suite.certificateKind)
      return dtlsError(
        'dtls/unsupported-certificate',
        `${this.#agreement!.suite.name} with a key of ${certificate.kind}`,
      );
    this.#log.add(message);
    this.#serverCertificate = certificate;
    this.#expected = 'server-key-exchange';
    return { certificate: certificate.der };
  }

  #onServerKeyExchange(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { crypto, groups } = this.#options;
    const parsed = parseServerKeyExchange(message.body);
    if (parsed === undefined) return malformedMessage('ServerKeyExchange');
    const group = findNamedGroup(parsed.group);
    if (group === undefined || !groups.includes(group))
      return dtlsError('dtls/illegal-parameter', `the server chose group ${parsed.group}`);
    const parameters = toSignedParameters(this.#clientRandom, this.#agreement!.serverRandom, parsed);
    const fault = this.#serverCertificate!.check('ServerKeyExchange', parameters, parsed.signed);
    if (fault !== undefined) return fault;
    const keyExchange = crypto.createKeyExchange(group);
    this.#premasterSecret = agreeOnSecret(group, keyExchange, parsed.publicKey);
    if (this.#premasterSecret === undefined)
      return dtlsError('dtls/illegal-parameter', `the server's public key is none of ${group.name}`);
    this.#clientPublicKey = keyExchange.publicKey;
    this.#log.add(message);
    this.#expected = 'certificate-request';
    return {};
  }

  #onCertificateRequest(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const request = parseCertificateRequest(message.body);
    if (request === undefined) return malformedMessage('CertificateRequest');
    const { kind } = this.#options.certificate;
    const type = kind === 'rsa' ? ClientCertificateType.rsaSign : ClientCertificateType.ecdsaSign;
    if (request.certificateTypes.includes(type))
      this.#scheme = chooseSignatureScheme(kind, request.signatureAlgorithms);
    this.#log.add(message);
    this.#isCertificateRequested = true;
    this.#expected = 'server-hello-done';
    return {};
  }

  #onServerHelloDone(message: HandshakeMessage): HandshakeStep | ProtocolError {
    if (message.body.length > 0) return malformedMessage('ServerHelloDone');
    const { crypto, certificate } = this.#options;
    const { suite, serverRandom, hasExtendedMasterSecret } = this.#agreement!;
    const log = this.#log;
    log.add(message);
    const flight: FlightItem[] = [];
    if (this.#isCertificateRequested) {
      const chain = this.#scheme === undefined ? [] : certificate.chain;
      flight.push(log.write(HandshakeType.certificate, writeCertificates(chain)));
    }
    flight.push(log.write(HandshakeType.clientKeyExchange, writeClientKeyExchange(this.#clientPublicKey!)));
    const secrets = new SessionSecrets({
      crypto,
      suite,
      clientRandom: this.#clientRandom,
      serverRandom,
      premasterSecret: this.#premasterSecret!,
      sessionHash: hasExtendedMasterSecret ? log.hash(suite.hash) : undefined,
    });
    if (this.#scheme !== undefined) {
      const signature = certificate.privateKey.sign(this.#scheme, log.bytes());
      const body = writeCertificateVerify({ scheme: this.#scheme.id, signature });
      flight.push(log.write(HandshakeType.certificateVerify, body));
    }
    const verifyData = secrets.verifyData('client', log.hash(suite.hash));
    flight.push({ type: 'change-cipher-spec' }, log.write(HandshakeType.finished, verifyData, 1));
    this.#secrets = secrets;
    this.#premasterSecret = undefined;
    this.#expected = 'finished';
    return { keys: toProtection(crypto, 'client', { suite, secrets }), flight };
  }

  #onFinished(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { suite, srtpProfile } = this.#agreement!;
    const secrets = this.#secrets!;
    const expected = secrets.verifyData('server', this.#log.hash(suite.hash));
    if (!this.#options.crypto.isEqual(expected, message.body))
      return dtlsError('dtls/bad-finished', "the server's Finished message is wrong");
    this.#expected = 'nothing';
    return { result: { secrets, suite, srtpProfile } };
  }
}
