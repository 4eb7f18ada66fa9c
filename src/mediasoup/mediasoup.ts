/** What the module `mediasoup` is: workers, and what belongs to no worker. */

import { workerEntryPath } from '../worker/worker-entry-path.ts';
import type { AppData } from './app-data.ts';
import { EnhancedEventEmitter } from './enhanced-events.ts';
import type { ObserverEvents } from './type-names.ts';
import { WorkerImpl, type WorkerOptions } from './worker.ts';

export * as errors from './errors.ts';
export * as extras from './extras.ts';
export { type LogEventListeners, setLogEventListeners } from './logger.ts';
export { getSupportedRtpCapabilities } from './ortc/supported-rtp-capabilities.ts';
export * as ortc from './ortc.ts';
export { parseScalabilityMode } from './scalability-modes.ts';
export type * as types from './types.ts';
export { version } from './version.ts';

/** Tells of every worker. */
export const observer: EnhancedEventEmitter<ObserverEvents> = new EnhancedEventEmitter<ObserverEvents>();

/** Absolute path of the worker. */
export const workerBin: string = workerEntryPath(process.env);

/**
 * Starts a worker.
 * @throws TypeError for wrong settings
 * @throws Error when it cannot be started
 */
export async function createWorker<A extends AppData = AppData>(
  options: WorkerOptions<A> = {},
): Promise<WorkerImpl<A>> {
  const worker = new WorkerImpl<A>(options, workerBin);
  await new Promise<void>((resolve, reject) => {
    worker.on('@success', resolve);
    worker.on('@failure', reject);
  });
  observer.safeEmit('newworker', worker as unknown as WorkerImpl);
  return worker;
}
