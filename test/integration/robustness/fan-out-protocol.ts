/** Where the server under load listens. */
export interface FanOutPorts {
  readonly rtmpPort: number;
  readonly httpPort: number;
}

/** From the sending of a frame to its arrival, over all viewers that read. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Frames missed and connections lost meanwhile. */
  readonly gaps: number;
}

export type FanOutCommand =
  | { readonly type: 'publish' }
  | { readonly type: 'watch' | 'stall'; readonly count: number }
  | { readonly type: 'measure'; readonly durationMs: number }
  | { readonly type: 'leave' };

export type FanOutAnswer =
  | { readonly type: 'done' }
  | { readonly type: 'latency'; readonly latency: Latency }
  | { readonly type: 'failed'; readonly reason: string };
