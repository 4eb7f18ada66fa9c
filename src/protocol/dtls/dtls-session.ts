import { ProtocolError, StateError } from '../../wire/errors.ts';
import { AlertDescription, AlertLevel, parseAlert, writeAlert } from './alert.ts';
import { ClientHandshake } from './client-handshake.ts';
import { alertOf, type DtlsStateErrorCode, dtlsError } from './dtls-error.ts';
import { type DtlsOptions, type ResolvedDtlsOptions, resolveDtlsOptions } from './dtls-options.ts';
import { type CertificateFingerprint, matchesFingerprint } from './fingerprint.ts';
import { FlightSender } from './flight.ts';
import {
  type HandshakeFragment,
  HandshakeType,
  MAX_HANDSHAKE_MESSAGE_BYTES,
  parseHandshakeFragments,
} from './handshake-message.ts';
import type { Handshake, HandshakeResult, HandshakeStep } from './handshake-step.ts';
import { HeldRecords } from './held-records.ts';
import { HandshakeReassembly } from './reassembly.ts';
import { ContentType, type DtlsRecord, parseRecord, RECORD_HEADER_BYTES } from './record.ts';
import { type DroppedRecords, type Epoch, RecordLayer } from './record-layer.ts';
import { ServerHandshake } from './server-handshake.ts';
import { type DtlsSrtpKeys, toSrtpKeys } from './srtp-keying.ts';

/** Its length has 16 bits. */
const MAX_CONTEXT_BYTES = 65_535;

/** `new` before `start`; `closed` and `failed` are final. */
export type DtlsState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

/** What a session has to say. */
export type DtlsEvent =
  /** One datagram for the peer. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** Once, when the handshake is over and the peer's certificate has the expected fingerprint. */
  | {
      readonly type: 'connected';
      /** Undefined when the peer has none of ours. */
      readonly srtpProfile: number | undefined;
      /** Undefined together with `srtpProfile`. */
      readonly keys: DtlsSrtpKeys | undefined;
      /** DER; undefined only if none was required. */
      readonly remoteCertificate: Uint8Array | undefined;
    }
  /** What the peer sent in one record; a new buffer. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** The peer or `close` ended the session. Final. */
  | { readonly type: 'closed' }
  /** Final. */
  | { readonly type: 'failed'; readonly error: ProtocolError };

/**
 * One association of DTLS 1.2 (RFC 6347) as a machine without socket or clock. Sessions are neither resumed nor
 * renegotiated. Once the handshake is over everything in clear is ignored: hellos and alerts too, since anybody can
 * make them. While it goes on alerts in clear are believed, as there are no others yet.
 *
 * Start a server before the first datagram comes: what comes before is dropped. ChangeCipherSpec messages are sent but
 * not waited for: the epoch of a record says the same, and Finished messages count only in epoch 1.
 */
export class DtlsSession {
  readonly #options: DtlsOptions;
  readonly #resolved: ResolvedDtlsOptions;
  readonly #records = new RecordLayer();
  readonly #flights: FlightSender;
  readonly #reassembly: HandshakeReassembly;
  /** Until it is over: it keeps all its messages. */
  #handshake: Handshake | undefined;
  readonly #held = new HeldRecords();
  #events: DtlsEvent[] = [];
  #state: DtlsState = 'new';
  #nowMs = 0;
  #deadlineMs: number | undefined;
  #writeEpoch: Epoch = 0;
  /** Last message of the peer's flight that our present flight answers. */
  #answeredSequence: number | undefined;
  #remoteCertificate: Uint8Array | undefined;
  #fingerprints: readonly CertificateFingerprint[] | undefined;
  #result: HandshakeResult | undefined;
  #hasRefusedRenegotiation = false;

  /** @throws StateError `dtls/bad-option` */
  constructor(options: DtlsOptions) {
    this.#options = options;
    this.#resolved = resolveDtlsOptions(options);
    const { handshake, flight } = this.#resolved;
    this.#flights = new FlightSender(this.#records, flight);
    this.#reassembly = new HandshakeReassembly(options.role === 'server' ? handshake.firstMessageSequence : 0);
    this.#handshake = options.role === 'client' ? new ClientHandshake(handshake) : new ServerHandshake(handshake);
    this.#fingerprints = options.expectedFingerprints;
  }

  get state(): DtlsState {
    return this.#state;
  }

  /** Records that were dropped so far. Live. */
  get dropped(): Readonly<DroppedRecords> {
    return this.#records.dropped;
  }

  /** Name of the cipher suite; undefined until the handshake is over. */
  get cipherSuite(): string | undefined {
    return this.#result?.suite.name;
  }

  /** Begins to connect: a client sends its hello. @throws StateError the second time */
  start(nowMs: number): DtlsEvent[] {
    if (this.#state !== 'new') throw wrongState('start', this.#state);
    this.#state = 'connecting';
    this.#nowMs = nowMs;
    this.#deadlineMs = nowMs + this.#resolved.handshakeTimeoutMs;
    this.#doStep(this.#handshake!.start(), undefined);
    return this.#takeEvents();
  }

  /** A datagram from the peer, of which no view is kept. Never throws. */
  receive(datagram: Uint8Array, nowMs: number): DtlsEvent[] {
    this.#nowMs = nowMs;
    for (let at = 0; at < datagram.length && this.#isOpen; ) {
      const record = parseRecord(datagram, at);
      if (record === undefined) {
        this.#records.dropped.malformed++;
        break;
      }
      at += RECORD_HEADER_BYTES + record.fragment.length;
      this.#receiveRecord(record);
    }
    return this.#takeEvents();
  }

  /**
   * Sends `bytes` as one record. Nothing once the session is over.
   * @throws StateError `dtls/wrong-state` before `connected`, `dtls/record-too-large` for more than `MAX_PLAINTEXT_BYTES`
   */
  send(bytes: Uint8Array): DtlsEvent[] {
    if (this.#state === 'closed' || this.#state === 'failed') return [];
    if (this.#state !== 'connected') throw wrongState('send', this.#state);
    return [{ type: 'send', bytes: this.#records.write(1, ContentType.applicationData, bytes) }];
  }

  /** Ends the session and tells the peer. Idempotent. */
  close(): DtlsEvent[] {
    if (this.#isOpen) this.#sendAlert(AlertLevel.warning, AlertDescription.closeNotify);
    if (this.#isOpen || this.#state === 'new') this.#end('closed', { type: 'closed' });
    return this.#takeEvents();
  }

  /**
   * Says which certificate the peer must have, replacing what was said before; the signalling may be later than the
   * handshake. @throws StateError `dtls/wrong-state` once connected, or when no certificate is asked for
   */
  setRemoteFingerprints(fingerprints: readonly CertificateFingerprint[]): DtlsEvent[] {
    if (this.#state === 'closed' || this.#state === 'failed') return [];
    if (this.#state === 'connected' || !this.#resolved.hasPeerCertificate)
      throw wrongState('setRemoteFingerprints', this.#state);
    this.#fingerprints = fingerprints;
    if (this.#checkFingerprint() && this.#result !== undefined) this.#connect(this.#result);
    return this.#takeEvents();
  }

  /**
   * Keying material for another protocol in a new buffer (RFC 5705), the same on both sides.
   * @param context at most 65,535 bytes; an empty one is not the same as none
   * @throws StateError `dtls/wrong-state` before `connected`, `dtls/bad-option` for a label of the handshake itself or a
   * context that is too long
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, sizeBytes: number): Uint8Array {
    if (this.#state !== 'connected') throw wrongState('exportKeyingMaterial', this.#state);
    const isTooLong = context !== undefined && context.length > MAX_CONTEXT_BYTES;
    const material = isTooLong ? undefined : this.#result!.secrets.export(label, context, sizeBytes);
    if (material === undefined)
      throw new StateError(
        'dtls/bad-option' satisfies DtlsStateErrorCode,
        `${label} with this context is not for exports`,
      );
    return material;
  }

  /** When `handleTimeout` wants to be called, on the clock of `nowMs`; undefined for never. */
  nextTimeoutMs(): number | undefined {
    if (this.#deadlineMs === undefined) return undefined;
    return Math.min(this.#deadlineMs, this.#flights.nextTimeoutMs ?? Number.POSITIVE_INFINITY);
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): DtlsEvent[] {
    this.#nowMs = nowMs;
    if (this.#deadlineMs !== undefined && nowMs >= this.#deadlineMs) {
      const what = this.#result === undefined ? 'handshake' : 'wait for fingerprints';
      this.#fail(dtlsError('dtls/timeout', `the ${what} took over ${this.#resolved.handshakeTimeoutMs} ms`));
    } else if (this.#flights.nextTimeoutMs !== undefined && nowMs >= this.#flights.nextTimeoutMs) {
      this.#sendAll(this.#flights.repeat(nowMs));
    }
    return this.#takeEvents();
  }

  get #isOpen(): boolean {
    return this.#state === 'connecting' || this.#state === 'connected';
  }

  #receiveRecord(record: DtlsRecord): void {
    const { contentType, epoch } = record;
    if (epoch === 0 && (this.#result !== undefined || contentType === ContentType.applicationData)) {
      this.#records.dropped.untimely++;
      return;
    }
    const isEarly = !this.#records.hasKeys || contentType === ContentType.applicationData;
    if (epoch === 1 && this.#state === 'connecting' && isEarly) {
      if (!this.#held.add(record)) this.#records.dropped.untimely++;
      return;
    }
    const plaintext = this.#records.open(record);
    if (plaintext === undefined) return;
    if (contentType === ContentType.handshake) this.#receiveHandshake(plaintext, record);
    else if (contentType === ContentType.alert) this.#receiveAlert(plaintext);
    else if (contentType === ContentType.applicationData) this.#events.push({ type: 'data', bytes: plaintext });
  }

  /** Records that came before their time, which has come. */
  #receiveHeld(): void {
    for (const record of this.#held.take()) {
      if (this.#isOpen) this.#receiveRecord(record);
    }
  }

  #receiveAlert(bytes: Uint8Array): void {
    const alert = parseAlert(bytes);
    if (alert === undefined) {
      this.#records.dropped.malformed++;
    } else if (alert.description === AlertDescription.closeNotify) {
      this.#sendAlert(AlertLevel.warning, AlertDescription.closeNotify);
      this.#end('closed', { type: 'closed' });
    } else if (alert.level === AlertLevel.fatal) {
      this.#fail(dtlsError('dtls/peer-alert', `the peer ended the session with alert ${alert.description}`));
    }
  }

  #receiveHandshake(bytes: Uint8Array, record: DtlsRecord): void {
    const { fragments, isMalformed } = parseHandshakeFragments(bytes);
    if (isMalformed) this.#records.dropped.malformed++;
    const epoch: Epoch = record.epoch === 0 ? 0 : 1;
    for (const fragment of fragments) {
      if (!this.#isOpen) return;
      if (this.#result !== undefined) this.#receiveLateFragment(fragment);
      else this.#receiveFragment(fragment, epoch, record.sequenceNumber);
    }
  }

  #receiveFragment(fragment: HandshakeFragment, epoch: Epoch, recordSequenceNumber: number): void {
    // Finished messages, and only they, are protected.
    if ((fragment.type === HandshakeType.finished) !== (epoch === 1)) {
      this.#records.dropped.malformed++;
      return;
    }
    switch (this.#reassembly.add(fragment, epoch)) {
      case 'old':
        this.#answerAgain(fragment);
        return;
      case 'refused':
        this.#records.dropped.malformed++;
        return;
      case 'too-large':
        this.#fail(dtlsError('dtls/too-large', `a handshake message of over ${MAX_HANDSHAKE_MESSAGE_BYTES} bytes`));
        return;
      case 'kept':
        if (fragment.type === HandshakeType.clientHello) this.#records.adoptSequenceNumber(recordSequenceNumber);
    }
    for (let message = this.#reassembly.take(); message !== undefined; message = this.#reassembly.take()) {
      const step = this.#handshake!.receive(message);
      if (step instanceof ProtocolError) this.#fail(step);
      else this.#doStep(step, message.messageSequence);
      if (!this.#isOpen || this.#result !== undefined) return;
    }
  }

  /** A handshake message once there is nothing left to negotiate. */
  #receiveLateFragment(fragment: HandshakeFragment): void {
    const { role } = this.#options;
    if (fragment.type === HandshakeType.finished) {
      // A client that repeats it has not got ours.
      if (role === 'server') this.#answerAgain(fragment);
    } else if (fragment.type === (role === 'server' ? HandshakeType.clientHello : HandshakeType.helloRequest)) {
      if (!this.#hasRefusedRenegotiation) this.#sendAlert(AlertLevel.warning, AlertDescription.noRenegotiation);
      this.#hasRefusedRenegotiation = true;
    }
  }

  /** The peer repeats a message: if it ends the flight we answered, it has not got our answer. */
  #answerAgain({ messageSequence, offset, body, messageBytes }: HandshakeFragment): void {
    const isEnd = offset + body.length === messageBytes;
    const isAnswered =
      messageSequence === this.#answeredSequence && messageSequence === this.#reassembly.nextMessageSequence - 1;
    if (isEnd && isAnswered) this.#sendAll(this.#flights.answerAgain(this.#nowMs));
  }

  #doStep(step: HandshakeStep, messageSequence: number | undefined): void {
    const { keys, flight, certificate, result } = step;
    if (certificate !== undefined) {
      this.#remoteCertificate = certificate;
      if (!this.#checkFingerprint()) return;
    }
    if (keys !== undefined) this.#records.install(keys.read, keys.write);
    if (flight !== undefined) {
      this.#answeredSequence = messageSequence;
      this.#sendAll(this.#flights.send(flight, result === undefined, this.#nowMs));
      // The client's last flight and the server's end in epoch 1, and nothing goes back.
      if (flight.some((item) => item.type === 'change-cipher-spec')) this.#writeEpoch = 1;
    }
    if (result !== undefined) this.#finish(result);
    else if (keys !== undefined) this.#receiveHeld();
  }

  #finish(result: HandshakeResult): void {
    this.#result = result;
    this.#handshake = undefined;
    // A server's last flight may have to be sent again; a client's is answered.
    if (this.#options.role === 'server') this.#flights.stop();
    else this.#flights.forget();
    this.#reassembly.clear();
    if (!this.#resolved.hasPeerCertificate || this.#fingerprints !== undefined) this.#connect(result);
  }

  #connect(result: HandshakeResult): void {
    this.#state = 'connected';
    this.#deadlineMs = undefined;
    const { srtpProfile, secrets } = result;
    const keys = srtpProfile === undefined ? undefined : toSrtpKeys(secrets, srtpProfile);
    this.#events.push({ type: 'connected', srtpProfile, keys, remoteCertificate: this.#remoteCertificate });
    this.#remoteCertificate = undefined;
    this.#receiveHeld();
  }

  /** @returns false when the peer has another certificate than it should, and the session has failed */
  #checkFingerprint(): boolean {
    const certificate = this.#remoteCertificate;
    if (certificate === undefined || this.#fingerprints === undefined) return true;
    if (matchesFingerprint(this.#options.crypto, certificate, this.#fingerprints)) return true;
    this.#fail(dtlsError('dtls/fingerprint-mismatch', "the peer's certificate has another fingerprint than signalled"));
    return false;
  }

  #sendAll(datagrams: readonly Uint8Array[]): void {
    for (const bytes of datagrams) this.#events.push({ type: 'send', bytes });
  }

  #sendAlert(level: number, description: number): void {
    const bytes = this.#records.write(this.#writeEpoch, ContentType.alert, writeAlert({ level, description }));
    this.#events.push({ type: 'send', bytes });
  }

  #fail(error: ProtocolError): void {
    const alert = alertOf(error);
    if (alert !== undefined) this.#sendAlert(AlertLevel.fatal, alert);
    this.#end('failed', { type: 'failed', error });
  }

  #end(state: 'closed' | 'failed', event: DtlsEvent): void {
    this.#state = state;
    this.#deadlineMs = undefined;
    this.#handshake = undefined;
    this.#flights.forget();
    this.#reassembly.clear();
    this.#held.take();
    this.#events.push(event);
  }

  #takeEvents(): DtlsEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function wrongState(command: string, state: DtlsState): StateError {
  return new StateError('dtls/wrong-state' satisfies DtlsStateErrorCode, `${command} while ${state}`);
}
