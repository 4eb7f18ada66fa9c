import type { Percentiles } from './histogram.ts';

/** How viewers watch. */
export type ViewerProtocol = 'http-flv' | 'rtmp' | 'rtsp' | 'rtsp-udp';

/** What the viewer process is started with (JSON, first argument). */
export interface ViewersSettings {
  readonly protocol: ViewerProtocol;
  readonly host: string;
  readonly port: number;
  /** `app/name`, or for HTTP the path without the leading slash. */
  readonly path: string;
  readonly count: number;
  /** New connections a second while joining. */
  readonly joinsPerSecond: number;
  /** The published clip, to know what each frame weighs. */
  readonly clipPath: string;
}

/** What the publisher process is started with (JSON, first argument). */
export interface PublishersSettings {
  /** Published to the server over RTMP, or offered on the port as an FLV byte stream for the server to fetch. */
  readonly form: 'rtmp' | 'flv';
  readonly host: string;
  readonly port: number;
  readonly app: string;
  readonly names: readonly string[];
  readonly clipPath: string;
  readonly chunkSize: number;
}

/** What the orchestrator tells a load process: begin or end the measured window, or leave. */
export type LoadCommand = 'begin' | 'end' | 'quit';

/** What the viewer process saw in the measured window. */
export interface ViewersResult {
  readonly windowSeconds: number;
  readonly join: Percentiles;
  /** From the publisher's write of a video frame to the arrival of its last byte, over all viewers. */
  readonly latency: Percentiles;
  /** Fewest video frames a viewer got. */
  readonly minFrames: number;
  /**
   * Payload bytes a viewer got, from its first video frame in the window to its last, as share of what the publisher
   * sent in these frames and the audio that goes with them.
   */
  readonly minPayloadShare: number;
  readonly maxPayloadShare: number;
  /** Mean payload bits a second of the viewers. */
  readonly meanBitrateBps: number;
  /** Video frames missing or out of order, and timestamps that did not step as they must, over all viewers. */
  readonly gaps: number;
  /** RTP packets got and RTP sequence numbers missing, over all viewers; 0 unless they watch over RTSP. */
  readonly packets: number;
  readonly lostPackets: number;
  readonly closed: number;
  /** The first reason a viewer failed with. */
  readonly failure: string | undefined;
}

/** What the publisher process saw in the measured window. */
export interface PublishersResult {
  readonly windowSeconds: number;
  readonly framesSent: number;
  readonly closed: number;
  /** Largest number of bytes one publisher had waiting in its socket. */
  readonly maxBufferedBytes: number;
  /** How late frames were sent, against their schedule. */
  readonly lateness: Percentiles;
  readonly failure: string | undefined;
}

/** What a load process tells the orchestrator. */
export type LoadReport<R> =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string; readonly joined: number }
  | { readonly type: 'began' }
  | { readonly type: 'result'; readonly result: R };

/** Sends a report to the orchestrator. */
export function report<R>(message: LoadReport<R>): void {
  process.send?.(message);
}
