import { ProtocolError } from '../../wire/errors.ts';
import {
  ClientCertificateType,
  parseCertificates,
  parseCertificateVerify,
  writeCertificateRequest,
  writeCertificates,
} from './certificate-messages.ts';
import { type CipherSuite, EMPTY_RENEGOTIATION_INFO_SCSV } from './cipher-suites.tables.ts';
import type { DtlsKeyExchange } from './dtls-crypto.ts';
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
import { type ClientHello, parseClientHello, RANDOM_BYTES, writeServerHello } from './hello-messages.ts';
import { parseClientKeyExchange, toSignedParameters, writeServerKeyExchange } from './key-exchange-messages.ts';
import { SessionSecrets } from './key-schedule.ts';
import type { NamedGroup } from './named-groups.tables.ts';
import { PeerCertificate } from './peer-certificate.ts';
import { DTLS_1_2 } from './record.ts';
import { chooseSignatureScheme, SIGNATURE_SCHEMES, type SignatureScheme } from './signature-schemes.tables.ts';

/** Group of a client that names none (RFC 8422 §4). */
const DEFAULT_GROUPS: readonly number[] = [23];

/** The message that comes next. */
type Expected = 'client-hello' | 'certificate' | 'client-key-exchange' | 'certificate-verify' | 'finished' | 'nothing';

/** What the server chose from the client's hello. */
interface Agreement {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  /** How the server signs. */
  readonly scheme: SignatureScheme;
  readonly hasExtendedMasterSecret: boolean;
  readonly srtpProfile: number | undefined;
}

/**
 * The server's side of a handshake (RFC 6347 §4.2, RFC 5246 §7.3, RFC 8422 §2). It resumes no sessions, and takes no
 * cookies: `HelloVerifier` does, before there is a session. Messages come whole and in order, the Finished message from
 * epoch 1.
 */
export class ServerHandshake implements Handshake {
  readonly #options: HandshakeOptions;
  readonly #log: HandshakeLog;
  readonly #serverRandom: Uint8Array;
  #expected: Expected = 'client-hello';
  #clientRandom: Uint8Array | undefined;
  #agreement: Agreement | undefined;
  #keyExchange: DtlsKeyExchange | undefined;
  #clientCertificate: PeerCertificate | undefined;
  #secrets: SessionSecrets | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#log = new HandshakeLog(options.crypto, options.firstMessageSequence);
    this.#serverRandom = options.crypto.randomBytes(RANDOM_BYTES);
  }

  start(): HandshakeStep {
    return {};
  }

  receive(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { type } = message;
    switch (this.#expected) {
      case 'client-hello':
        return type === HandshakeType.clientHello ? this.#onClientHello(message) : unexpectedMessage(message.type);
      case 'certificate':
        return type === HandshakeType.certificate ? this.#onCertificate(message) : unexpectedMessage(message.type);
      case 'client-key-exchange':
        return type === HandshakeType.clientKeyExchange
          ? this.#onClientKeyExchange(message)
          : unexpectedMessage(message.type);
      case 'certificate-verify':
        return type === HandshakeType.certificateVerify
          ? this.#onCertificateVerify(message)
          : unexpectedMessage(message.type);
      case 'finished':
        return type === HandshakeType.finished ? this.#onFinished(message) : unexpectedMessage(message.type);
      case 'nothing':
        return unexpectedMessage(message.type);
    }
  }

  #onClientHello(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const hello = parseClientHello(message.body);
    if (hello === undefined) return malformedMessage('ClientHello');
    const agreement = this.#agree(hello);
    if (agreement instanceof ProtocolError) return agreement;
    const { requiresClientCertificate } = this.#options;
    this.#log.add(message);
    this.#agreement = agreement;
    this.#clientRandom = hello.random;
    this.#expected = requiresClientCertificate ? 'certificate' : 'client-key-exchange';
    return { flight: this.#writeAnswer(hello, agreement) };
  }

  #agree(hello: ClientHello): Agreement | ProtocolError {
    const { certificate, cipherSuites, groups, extendedMasterSecret } = this.#options;
    const { extensions } = hello;
    if (!offersVersion(hello))
      return dtlsError('dtls/unsupported-version', `the client has version 0x${hello.version.toString(16)} at most`);
    if (!hello.compressionMethods.includes(0))
      return dtlsError('dtls/illegal-parameter', 'the client takes no records without compression');
    if (extensions.pointFormats?.includes(0) === false)
      return dtlsError('dtls/illegal-parameter', 'the client takes no uncompressed points');
    if ((extensions.renegotiationInfo?.length ?? 0) > 0)
      return dtlsError('dtls/no-common-parameters', 'renegotiation_info of a first handshake is not empty');
    const hasExtendedMasterSecret = extensions.extendedMasterSecret === true && extendedMasterSecret !== 'never';
    if (!hasExtendedMasterSecret && extendedMasterSecret === 'require')
      return dtlsError('dtls/no-common-parameters', 'the client has no extended master secret');
    const suite = cipherSuites.find(
      ({ id, certificateKind }) => certificateKind === certificate.kind && hello.cipherSuites.includes(id),
    );
    const offered = extensions.supportedGroups ?? DEFAULT_GROUPS;
    const group = groups.find(({ id }) => offered.includes(id));
    // Without the extension a client means SHA-1, which is no longer signed with.
    const scheme = chooseSignatureScheme(certificate.kind, extensions.signatureAlgorithms ?? []);
    if (suite === undefined || group === undefined || scheme === undefined) {
      const what = suite === undefined ? 'cipher suite' : group === undefined ? 'group' : 'signature scheme';
      return dtlsError('dtls/no-common-parameters', `no ${what} in common with the client`);
    }
    // Without a profile in common the handshake goes on: what that means is for the caller (RFC 5764 §4.1.1).
    const srtpProfile = this.#options.srtpProfiles.find((id) => extensions.srtpProfiles?.includes(id));
    return { suite, group, scheme, hasExtendedMasterSecret, srtpProfile };
  }

  #writeAnswer(hello: ClientHello, agreement: Agreement): readonly FlightItem[] {
    const { crypto, certificate, requiresClientCertificate } = this.#options;
    const { suite, group, scheme, hasExtendedMasterSecret, srtpProfile } = agreement;
    const { extensions, cipherSuites } = hello;
    const log = this.#log;
    const isRenegotiationKnown =
      extensions.renegotiationInfo !== undefined || cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV);
    const serverHello = writeServerHello({
      version: DTLS_1_2,
      random: this.#serverRandom,
      sessionId: new Uint8Array(),
      cipherSuite: suite.id,
      compressionMethod: 0,
      extensions: {
        ...(extensions.pointFormats !== undefined && { pointFormats: [0] }),
        ...(srtpProfile !== undefined && { srtpProfiles: [srtpProfile] }),
        ...(hasExtendedMasterSecret && { extendedMasterSecret: true }),
        ...(isRenegotiationKnown && { renegotiationInfo: new Uint8Array() }),
      },
    });
    const keyExchange = crypto.createKeyExchange(group);
    this.#keyExchange = keyExchange;
    const { publicKey } = keyExchange;
    const parameters = { group: group.id, publicKey };
    const signature = certificate.privateKey.sign(
      scheme,
      toSignedParameters(hello.random, this.#serverRandom, parameters),
    );
    const signed = { scheme: scheme.id, signature };
    const flight = [
      log.write(HandshakeType.serverHello, serverHello),
      log.write(HandshakeType.certificate, writeCertificates(certificate.chain)),
      log.write(HandshakeType.serverKeyExchange, writeServerKeyExchange({ ...parameters, signed })),
    ];
    if (requiresClientCertificate) {
      const request = writeCertificateRequest({
        certificateTypes: [ClientCertificateType.ecdsaSign, ClientCertificateType.rsaSign],
        signatureAlgorithms: SIGNATURE_SCHEMES.map(({ id }) => id),
      });
      flight.push(log.write(HandshakeType.certificateRequest, request));
    }
    flight.push(log.write(HandshakeType.serverHelloDone, new Uint8Array()));
    return flight;
  }

  #onCertificate(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const certificates = parseCertificates(message.body);
    if (certificates === undefined) return malformedMessage('Certificate');
    const [own] = certificates;
    if (own === undefined) return dtlsError('dtls/no-certificate', 'the client has no certificate');
    const certificate = PeerCertificate.read(this.#options.crypto, own);
    if (certificate instanceof ProtocolError) return certificate;
    this.#log.add(message);
    this.#clientCertificate = certificate;
    this.#expected = 'client-key-exchange';
    return { certificate: certificate.der };
  }

  #onClientKeyExchange(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { crypto } = this.#options;
    const { suite, group, hasExtendedMasterSecret } = this.#agreement!;
    const publicKey = parseClientKeyExchange(message.body);
    if (publicKey === undefined) return malformedMessage('ClientKeyExchange');
    const premasterSecret = agreeOnSecret(group, this.#keyExchange!, publicKey);
    if (premasterSecret === undefined)
      return dtlsError('dtls/illegal-parameter', `the client's public key is none of ${group.name}`);
    this.#log.add(message);
    const secrets = new SessionSecrets({
      crypto,
      suite,
      clientRandom: this.#clientRandom!,
      serverRandom: this.#serverRandom,
      premasterSecret,
      sessionHash: hasExtendedMasterSecret ? this.#log.hash(suite.hash) : undefined,
    });
    this.#secrets = secrets;
    this.#keyExchange = undefined;
    this.#expected = this.#clientCertificate === undefined ? 'finished' : 'certificate-verify';
    return { keys: toProtection(crypto, 'server', { suite, secrets }) };
  }

  #onCertificateVerify(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const signed = parseCertificateVerify(message.body);
    if (signed === undefined) return malformedMessage('CertificateVerify');
    const fault = this.#clientCertificate!.check('CertificateVerify', this.#log.bytes(), signed);
    if (fault !== undefined) return fault;
    this.#log.add(message);
    this.#expected = 'finished';
    return {};
  }

  #onFinished(message: HandshakeMessage): HandshakeStep | ProtocolError {
    const { suite, srtpProfile } = this.#agreement!;
    const secrets = this.#secrets!;
    const log = this.#log;
    const expected = secrets.verifyData('client', log.hash(suite.hash));
    if (!this.#options.crypto.isEqual(expected, message.body))
      return dtlsError('dtls/bad-finished', "the client's Finished message is wrong");
    log.add(message);
    const verifyData = secrets.verifyData('server', log.hash(suite.hash));
    this.#expected = 'nothing';
    return {
      flight: [{ type: 'change-cipher-spec' }, log.write(HandshakeType.finished, verifyData, 1)],
      result: { secrets, suite, srtpProfile },
    };
  }
}

/** Clients that offer DTLS 1.3 name their versions in an extension; later versions have smaller numbers. */
function offersVersion({ version, extensions: { supportedVersions } }: ClientHello): boolean {
  if (supportedVersions !== undefined) return supportedVersions.includes(DTLS_1_2);
  return version >>> 8 === DTLS_1_2 >>> 8 && version <= DTLS_1_2;
}
