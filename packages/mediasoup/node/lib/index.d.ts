/**
 * Types of `mediasoup`. Read as an ES module's, whatever asks for them: so programs in CommonJS can be compiled, too,
 * with any of TypeScript's module settings.
 */
import type * as mediasoup from 'millrace/mediasoup' with { 'resolution-mode': 'import' };

export declare const version: typeof mediasoup.version;
export declare const workerBin: typeof mediasoup.workerBin;
export declare const observer: typeof mediasoup.observer;
export declare const createWorker: typeof mediasoup.createWorker;
export declare const getSupportedRtpCapabilities: typeof mediasoup.getSupportedRtpCapabilities;
export declare const parseScalabilityMode: typeof mediasoup.parseScalabilityMode;
export declare const setLogEventListeners: typeof mediasoup.setLogEventListeners;
export * as errors from './errors';
export * as extras from './extras';
export * as ortc from './ortc';
export type * as types from './types';
