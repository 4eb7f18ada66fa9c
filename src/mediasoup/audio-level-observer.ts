import type { AppData } from './app-data.ts';
import { RtpObserverImpl, type RtpObserverImplOptions } from './rtp-observer.ts';

export interface AudioLevelObserverOptions<A extends AppData = AppData> {
  /** 1: how many of the loudest `volumes` tells. */
  maxEntries?: number;
  /** -80 dBov; -127 to 0. */
  threshold?: number;
  /** 1000 milliseconds; 250 to 5000. */
  interval?: number;
  appData?: A;
}

/** Tells the loudest audio producers, by the levels in their packets (RFC 6464). */
export class AudioLevelObserverImpl<A extends AppData = AppData> extends RtpObserverImpl<A> {
  /** @private */
  constructor(options: RtpObserverImplOptions<A>) {
    super(options);
  }

  get type(): 'audiolevel' {
    return 'audiolevel';
  }

  protected override notified(event: string, data: unknown): boolean {
    if (event === 'silence') {
      this.tell('silence');
      return true;
    }
    if (event !== 'volumes') return false;
    const volumes = (data as { producerId: string; volume: number }[]).flatMap(({ producerId, volume }) => {
      const producer = this.producerOf(producerId);
      return producer === undefined ? [] : [{ producer, volume }];
    });
    if (volumes.length > 0) {
      this.tell('volumes', volumes);
    }
    return true;
  }
}
