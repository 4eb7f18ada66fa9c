import type { AppData } from './app-data.ts';
import { RtpObserverImpl, type RtpObserverImplOptions } from './rtp-observer.ts';

export interface ActiveSpeakerObserverOptions<A extends AppData = AppData> {
  /** 300 milliseconds; 100 to 5000. */
  interval?: number;
  appData?: A;
}

/** Tells who speaks, by the levels in their packets over time. */
export class ActiveSpeakerObserverImpl<A extends AppData = AppData> extends RtpObserverImpl<A> {
  /** @private */
  constructor(options: RtpObserverImplOptions<A>) {
    super(options);
  }

  get type(): 'activespeaker' {
    return 'activespeaker';
  }

  protected override notified(event: string, data: unknown): boolean {
    if (event !== 'dominantspeaker') return false;
    const producer = this.producerOf((data as { producerId: string }).producerId);
    if (producer !== undefined) {
      this.tell('dominantspeaker', { producer });
    }
    return true;
  }
}
