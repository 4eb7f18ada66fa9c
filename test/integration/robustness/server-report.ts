/** What a server process tells of itself; see `server-process.ts`. */
export interface ServerReport {
  /** After a full collection, bytes. */
  readonly heapBytes: number;
  /** Memory of buffers outside the heap, bytes. */
  readonly bufferBytes: number;
  readonly rssBytes: number;
  /** Connections, RTMP and HTTP. */
  readonly connections: number;
  /** Those of them in which bytes wait for the peer. */
  readonly waitingConnections: number;
  /** Timers that are set, unreferenced ones too. */
  readonly timers: number;
  /** Stream keys with the number of their viewers. */
  readonly streams: Readonly<Record<string, number>>;
  readonly viewers: Readonly<Record<'lagJumps' | 'stalled' | 'overflowed' | 'failed' | 'sentBytes', number>>;
  readonly http: Readonly<Record<'timedOut' | 'malformed' | 'refused', number>>;
  readonly rtmp: {
    readonly connections: number;
    readonly refused: number;
    readonly failed: Readonly<Record<string, number>>;
    readonly malformed: Readonly<Record<string, number>>;
  };
}

export type ServerMessage =
  | { readonly type: 'ready'; readonly rtmpPort: number; readonly httpPort: number; readonly rtspPort: number }
  | { readonly type: 'report'; readonly report: ServerReport };
