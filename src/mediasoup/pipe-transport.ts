import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import type { ConsumerImpl } from './consumer.ts';
import { numberOf, withoutNulls } from './given-options.ts';
import type { PipeConsumerOptions } from './rtp-stream-types.ts';
import { SctpTransportImpl } from './sctp-transport.ts';
import type { TransportImplOptions } from './transport.ts';
import type { PipeTransportDump, PipeTransportStat, SrtpParameters, TransportTuple } from './transport-types.ts';
import { checkSrtpParameters, tupleOf } from './transport-validation.ts';

export interface PipeTransportImplOptions<A extends AppData> extends TransportImplOptions<A> {
  readonly data: PipeTransportDump;
}

/** A path to another router: every stream of a producer goes over it. */
export class PipeTransportImpl<A extends AppData = AppData> extends SctpTransportImpl<A> {
  readonly #data: PipeTransportDump;

  /** @private */
  constructor(options: PipeTransportImplOptions<A>) {
    super(options);
    this.#data = withOldNames(clone(options.data));
  }

  get type(): 'pipe' {
    return 'pipe';
  }

  get tuple(): TransportTuple {
    return clone(this.#data.tuple);
  }

  /** Keys of what leaves here; with SRTP. */
  get srtpParameters(): SrtpParameters | undefined {
    return clone(this.#data.srtpParameters);
  }

  override async dump(): Promise<PipeTransportDump> {
    return withOldNames((await super.dump()) as PipeTransportDump);
  }

  override async getStats(): Promise<PipeTransportStat[]> {
    return ((await super.getStats()) as PipeTransportStat[]).map((stat) => withOldNames(stat));
  }

  /**
   * Tells where the other router's transport is.
   * @throws TypeError
   */
  override async connect(options: { ip: string; port: number; srtpParameters?: SrtpParameters }): Promise<void> {
    const { ip, port, srtpParameters } = withoutNulls(options);
    checkSrtpParameters(srtpParameters, this.#data.srtpParameters !== undefined);
    const answer = (await this.request('transport.connect', { ip, port: numberOf(port), srtpParameters })) as
      | Partial<PipeTransportDump>
      | undefined;
    if (answer?.tuple !== undefined) this.#data.tuple = tupleOf(answer.tuple);
  }

  /**
   * Sends all streams of a producer.
   * @throws TypeError, NotFoundError
   */
  override async consume<C extends AppData = AppData>(options: PipeConsumerOptions<C>): Promise<ConsumerImpl<C>> {
    return this.adopt(await this.consumerFactory.consumeForPipe(options, this.#data.rtx));
  }

  protected override get keepsCname(): boolean {
    return true;
  }
}

function withOldNames<T extends { tuple: TransportTuple }>(data: T): T {
  return { ...data, tuple: tupleOf(data.tuple) };
}
