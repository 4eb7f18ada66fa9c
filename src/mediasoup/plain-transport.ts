import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import { numberOf, withoutNulls } from './given-options.ts';
import { SctpTransportImpl } from './sctp-transport.ts';
import type { TransportImplOptions } from './transport.ts';
import type { PlainTransportDump, PlainTransportStat, SrtpParameters, TransportTuple } from './transport-types.ts';
import { checkSrtpParameters, tupleOf } from './transport-validation.ts';

export interface PlainTransportImplOptions<A extends AppData> extends TransportImplOptions<A> {
  readonly data: PlainTransportDump;
}

/** A path to anything that sends and receives RTP or SRTP over UDP. */
export class PlainTransportImpl<A extends AppData = AppData> extends SctpTransportImpl<A> {
  readonly #data: PlainTransportDump;

  /** @private */
  constructor(options: PlainTransportImplOptions<A>) {
    super(options);
    this.#data = withOldNames(clone(options.data));
  }

  get type(): 'plain' {
    return 'plain';
  }

  get tuple(): TransportTuple {
    return clone(this.#data.tuple);
  }

  /** Without RTCP multiplexing. */
  get rtcpTuple(): TransportTuple | undefined {
    return clone(this.#data.rtcpTuple);
  }

  /** Keys of what leaves here; with SRTP. */
  get srtpParameters(): SrtpParameters | undefined {
    return clone(this.#data.srtpParameters);
  }

  override async dump(): Promise<PlainTransportDump> {
    return withOldNames((await super.dump()) as PlainTransportDump);
  }

  override async getStats(): Promise<PlainTransportStat[]> {
    return ((await super.getStats()) as PlainTransportStat[]).map((stat) => withOldNames(stat));
  }

  /**
   * Tells where the peer is; with `comedia` and no SRTP it must not be called.
   * @throws TypeError
   */
  override async connect(
    options: { ip?: string; port?: number; rtcpPort?: number; srtpParameters?: SrtpParameters } = {},
  ): Promise<void> {
    const { ip, srtpParameters, ...ports } = withoutNulls(options);
    checkSrtpParameters(srtpParameters, this.#data.srtpParameters !== undefined);
    const [port, rtcpPort] = [numberOf(ports.port), numberOf(ports.rtcpPort)];
    const answer = (await this.request('transport.connect', { ip, port, rtcpPort, srtpParameters })) as
      | Partial<PlainTransportDump>
      | undefined;
    if (answer?.tuple !== undefined) this.#data.tuple = tupleOf(answer.tuple);
    if (answer?.rtcpTuple !== undefined) this.#data.rtcpTuple = tupleOf(answer.rtcpTuple);
    if (answer?.srtpParameters !== undefined) this.#data.srtpParameters = answer.srtpParameters;
  }

  protected override notified(event: string, data: unknown): boolean {
    const news = data as Partial<PlainTransportDump>;
    switch (event) {
      case 'tuple':
        this.#data.tuple = tupleOf(news.tuple!);
        this.tell('tuple', this.tuple);
        return true;
      case 'rtcptuple':
        this.#data.rtcpTuple = tupleOf(news.rtcpTuple!);
        this.tell('rtcptuple', this.rtcpTuple!);
        return true;
      default:
        return super.notified(event, data);
    }
  }
}

function withOldNames<T extends { tuple: TransportTuple; rtcpTuple?: TransportTuple }>(data: T): T {
  return {
    ...data,
    tuple: tupleOf(data.tuple),
    ...(data.rtcpTuple === undefined ? {} : { rtcpTuple: tupleOf(data.rtcpTuple) }),
  };
}
