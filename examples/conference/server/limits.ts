/** Everything peers could have too much of. */
export const LIMITS = {
  rooms: 100,
  peersInRoom: 12,
  /** WebSockets, those that have not joined yet included. */
  connections: 2_000,
  /** Bytes of one request; the capabilities of a browser take about 10,000. */
  requestBytes: 64 * 1024,
  /** Requests at once, and each second from then on. Joining a full room takes about 80. */
  requestBurst: 200,
  requestsPerSecond: 50,
  /** How long a connection may take to join, milliseconds. */
  joinMs: 10_000,
  /** A peer that has not answered a ping by the next one is gone, milliseconds. */
  pingMs: 10_000,
  /** Bytes that wait for a slow peer before it is cut off. */
  unsentBytes: 1024 * 1024,
  /** Bytes of one chat message. */
  chatBytes: 8 * 1024,
  /** What one peer may send in all, bits a second. */
  incomingBps: 4_000_000,
} as const;
