/** Turns samples of linear PCM, in place, into the form frames have: big-endian, 8-bit samples without sign. */
export type SampleOrder = 'network' | 'little-16' | 'little-24' | 'signed-8';

/** Changes `samples` from `order` to network order, in place. Bytes that are no whole sample stay as they are. */
export function toNetworkOrder(samples: Uint8Array, order: SampleOrder): void {
  switch (order) {
    case 'network':
      return;
    case 'little-16':
      swapEnds(samples, 2);
      return;
    case 'little-24':
      swapEnds(samples, 3);
      return;
    case 'signed-8':
      for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! ^ 0x80;
  }
}

/** Exchanges the first and the last byte of each sample: of two and three bytes that is the other order. */
function swapEnds(samples: Uint8Array, size: number): void {
  for (let at = 0; at + size <= samples.length; at += size) {
    const first = samples[at]!;
    samples[at] = samples[at + size - 1]!;
    samples[at + size - 1] = first;
  }
}
