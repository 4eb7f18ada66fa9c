/** Types of `mediasoup/extras`. */
import type * as extras from 'millrace/mediasoup/extras' with { 'resolution-mode': 'import' };

export declare const EnhancedEventEmitter: typeof extras.EnhancedEventEmitter;
export type EnhancedEventEmitter<E extends { [K in keyof E]: unknown[] } = Record<string, unknown[]>> =
  extras.EnhancedEventEmitter<E>;
export declare const enhancedOnce: typeof extras.enhancedOnce;
