import type { AppData } from './app-data.ts';
import { clone } from './clone.ts';
import type { SctpNegotiatedCapabilities, SctpParameters, SctpState } from './sctp-parameters.ts';
import { TransportImpl, type TransportImplOptions } from './transport.ts';
import type { BaseTransportDump } from './transport-types.ts';

/** A transport that may carry SCTP: every kind but the direct one. */
export abstract class SctpTransportImpl<A extends AppData = AppData> extends TransportImpl<A> {
  readonly #sctpParameters: SctpParameters | undefined;
  #sctpState: SctpState | undefined;
  #sctpNegotiatedCapabilities: SctpNegotiatedCapabilities | undefined;

  /** @private */
  protected constructor(options: TransportImplOptions<A>) {
    super(options);
    this.#sctpParameters = options.data.sctpParameters;
    this.#sctpState = options.data.sctpState;
  }

  get sctpParameters(): SctpParameters | undefined {
    return clone(this.#sctpParameters);
  }

  get sctpState(): SctpState | undefined {
    return this.#sctpState;
  }

  /** Once connected. */
  get sctpNegotiatedCapabilities(): SctpNegotiatedCapabilities | undefined {
    return clone(this.#sctpNegotiatedCapabilities);
  }

  protected override onClosing(): void {
    if (this.#sctpState !== undefined) this.#sctpState = 'closed';
  }

  protected override notified(event: string, data: unknown): boolean {
    if (event !== 'sctpstatechange') return false;
    const { sctpState, sctpNegotiatedCapabilities } = data as BaseTransportDump;
    if (sctpNegotiatedCapabilities !== undefined) this.#sctpNegotiatedCapabilities = sctpNegotiatedCapabilities;
    this.#sctpState = sctpState!;
    this.tell('sctpstatechange', sctpState!);
    return true;
  }
}
