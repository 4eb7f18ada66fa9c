/** A burst of packets at a rate of its own that shows whether the path carries so much. */
export interface ProbeCluster {
  /** Counts up from 0. */
  readonly id: number;
  readonly targetBps: number;
  /** It is complete with so many packets and so many bytes, both. */
  readonly minPackets: number;
  readonly minBytes: number;
}

/** Fewer packets tell too little. */
export const PROBE_MIN_PACKETS = 5;
/** How long a probe lasts at least. */
export const PROBE_DURATION_US = 20_000;

/** A probe of this rate. */
export function toProbeCluster(id: number, targetBps: number): ProbeCluster {
  return {
    id,
    targetBps,
    minPackets: PROBE_MIN_PACKETS,
    minBytes: Math.ceil((targetBps * PROBE_DURATION_US) / 8e6),
  };
}
