/** What a worker's CPU goes into. */
export interface CpuSplit {
  /** Shares of the profile, together 1. */
  readonly receive: number;
  readonly parse: number;
  readonly rewrite: number;
  readonly crypto: number;
  readonly send: number;
  readonly other: number;
}

/** By the first that fits the function's name and file. Others' code counts to `other`: Node's own, and collecting garbage. */
const PARTS: readonly (readonly [keyof CpuSplit, RegExp])[] = [
  ['send', /^sendmmsg |\/linux-queue-sender|\/datagram-queue|^(send|doSend|afterSend)\b.*dgram|sendQueued|sendPacket/],
  ['crypto', /^(EVP_|SHA1_)|\/protocol\/srtp\/|\/openssl-srtp|\/srtp-c|node:internal\/crypto/],
  [
    'receive',
    /^recvmmsg |\/udp-socket|\/datagram-sources|\/linux-datagram-receiver|\/shared-ports|\/port-member|\/tuple-table|\/webrtc-session|\/dtls-srtp|node:dgram|emit /,
  ],
  [
    'rewrite',
    /\/sfu\/consumers\/|\/header-extension-writer|\/packet-sender|\/packet-link|\/sent-|\/retransmission-buffer|\/sequence-rewriter|\/rate-counter/,
  ],
  ['parse', /\/sfu\/|\/protocol\/rtp\/|\/worker\//],
];

/** @param times by function, as `profileTimes` gives them */
export function splitCpu(times: ReadonlyMap<string, number>): CpuSplit {
  const split = { receive: 0, parse: 0, rewrite: 0, crypto: 0, send: 0, other: 0 };
  let sumUs = 0;
  for (const [place, us] of times) {
    const part = PARTS.find(([, pattern]) => pattern.test(place))?.[0] ?? 'other';
    split[part] += us;
    sumUs += us;
  }
  for (const part of Object.keys(split) as (keyof CpuSplit)[]) split[part] /= Math.max(1, sumUs);
  return split;
}
