import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { SctpTransportImpl } from './sctp-transport.ts';
import type { TransportImplOptions } from './transport.ts';
import type {
  DtlsParameters,
  DtlsRole,
  DtlsState,
  IceCandidate,
  IceParameters,
  IceState,
  TransportTuple,
  WebRtcTransportDump,
  WebRtcTransportStat,
} from './transport-types.ts';
import { checkDtlsParameters, iceCandidateOf, tupleOf } from './transport-validation.ts';

export interface WebRtcTransportImplOptions<A extends AppData> extends TransportImplOptions<A> {
  readonly data: WebRtcTransportDump;
}

/** A path to a browser or the like: ICE-lite, DTLS-SRTP, SCTP. */
export class WebRtcTransportImpl<A extends AppData = AppData> extends SctpTransportImpl<A> {
  readonly #data: WebRtcTransportDump;

  /** @private */
  constructor(options: WebRtcTransportImplOptions<A>) {
    super(options);
    this.#data = withOldNames(options.data);
  }

  get type(): 'webrtc' {
    return 'webrtc';
  }

  get iceRole(): 'controlled' {
    return this.#data.iceRole;
  }

  get iceParameters(): IceParameters {
    return clone(this.#data.iceParameters);
  }

  get iceCandidates(): IceCandidate[] {
    return clone(this.#data.iceCandidates);
  }

  get iceState(): IceState {
    return this.#data.iceState;
  }

  get iceSelectedTuple(): TransportTuple | undefined {
    return clone(this.#data.iceSelectedTuple);
  }

  get dtlsParameters(): DtlsParameters {
    return clone(this.#data.dtlsParameters);
  }

  get dtlsState(): DtlsState {
    return this.#data.dtlsState;
  }

  /** PEM; once connected. */
  get dtlsRemoteCert(): string | undefined {
    return this.#data.dtlsRemoteCert;
  }

  override async dump(): Promise<WebRtcTransportDump> {
    return withOldNames((await super.dump()) as WebRtcTransportDump);
  }

  override async getStats(): Promise<WebRtcTransportStat[]> {
    return ((await super.getStats()) as WebRtcTransportStat[]).map((stat) => withTuples(stat));
  }

  /**
   * Tells the client's certificate; once.
   * @throws TypeError
   */
  override async connect({ dtlsParameters }: { dtlsParameters: DtlsParameters }): Promise<void> {
    checkDtlsParameters(dtlsParameters);
    const answer = await this.request('transport.connect', { dtlsParameters });
    this.#data.dtlsParameters.role = (answer as { dtlsLocalRole: DtlsRole }).dtlsLocalRole;
  }

  /** New credentials: the client must restart ICE with them. */
  async restartIce(): Promise<IceParameters> {
    const answer = (await this.request('transport.restartIce')) as { iceParameters: IceParameters };
    this.#data.iceParameters = answer.iceParameters;
    return this.iceParameters;
  }

  protected override onClosing(): void {
    super.onClosing();
    this.#data.iceState = 'closed';
    delete this.#data.iceSelectedTuple;
    this.#data.dtlsState = 'closed';
  }

  protected override notified(event: string, data: unknown): boolean {
    const news = data as Partial<WebRtcTransportDump>;
    switch (event) {
      case 'icestatechange':
        this.#data.iceState = news.iceState!;
        this.tell('icestatechange', this.iceState);
        return true;
      case 'iceselectedtuplechange':
        this.#data.iceSelectedTuple = tupleOf(news.iceSelectedTuple!);
        this.tell('iceselectedtuplechange', this.iceSelectedTuple!);
        return true;
      case 'dtlsstatechange':
        this.#data.dtlsState = news.dtlsState!;
        if (news.dtlsState === 'connected' && news.dtlsRemoteCert !== undefined) {
          this.#data.dtlsRemoteCert = news.dtlsRemoteCert;
        }
        this.tell('dtlsstatechange', this.dtlsState);
        return true;
      default:
        return super.notified(event, data);
    }
  }
}

function withTuples<T extends { iceSelectedTuple?: TransportTuple }>(data: T): T {
  return data.iceSelectedTuple === undefined ? data : { ...data, iceSelectedTuple: tupleOf(data.iceSelectedTuple) };
}

function withOldNames(dump: WebRtcTransportDump): WebRtcTransportDump {
  return {
    ...withTuples(clone(dump)),
    iceCandidates: dump.iceCandidates.map((candidate) => iceCandidateOf(candidate)),
  };
}
