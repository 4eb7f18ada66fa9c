/** How often a progress line is drawn, milliseconds. */
const REDRAW_MS = 250;
/** Over how much time rates are told, milliseconds. */
const RATE_SPAN_MS = 3_000;

/** What a progress line tells. */
export interface Progress {
  /** Media time, milliseconds. */
  readonly timeMs: number;
  readonly bytes: number;
  readonly frames: number;
  /** Video frames, or all frames where there is no video: what `fps` counts. */
  readonly pictures: number;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes?: number;
  /** Said instead of the numbers. */
  readonly note?: string;
}

/** One line at the terminal, written anew in place. Does nothing when standard error is no terminal. */
export class ProgressLine {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #samples: { readonly atMs: number; readonly progress: Progress }[] = [];

  constructor(progress: () => Progress) {
    if (process.stderr.isTTY !== true) return;
    this.#timer = setInterval(() => this.#draw(progress()), REDRAW_MS);
    this.#timer.unref();
  }

  /** Leaves the last line standing. Idempotent. */
  close(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    if (this.#samples.length > 0) process.stderr.write('\n');
    this.#samples.length = 0;
  }

  #draw(progress: Progress): void {
    const atMs = performance.now();
    this.#samples.push({ atMs, progress });
    while (this.#samples.length > 2 && atMs - this.#samples[0]!.atMs > RATE_SPAN_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    const line = formatProgress(progress, first.progress, atMs - first.atMs);
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }
}

/** The line for `progress`, with rates since `before`, `spanMs` earlier. */
export function formatProgress(progress: Progress, before: Progress, spanMs: number): string {
  if (progress.note !== undefined) return progress.note;
  const perSecond = (amount: number): number => (spanMs > 0 ? (amount * 1000) / spanMs : 0);
  const parts = [
    `time ${formatTime(progress.timeMs)}`,
    `bitrate ${formatBitrate(perSecond(progress.bytes - before.bytes) * 8)}`,
    `frames ${progress.frames}`,
    `fps ${perSecond(progress.pictures - before.pictures).toFixed(1)}`,
  ];
  if (progress.bufferedBytes !== undefined) parts.push(`send buffer ${formatSize(progress.bufferedBytes)}`);
  return parts.join('  ');
}

/** `h:mm:ss.d` from milliseconds. */
export function formatTime(timeMs: number): string {
  const tenths = Math.floor(timeMs / 100);
  const seconds = Math.floor(tenths / 10);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${tenths % 10}`;
}

/** `312 kb/s` or `4.50 Mb/s` from bits a second. */
export function formatBitrate(bitrateBps: number): string {
  return bitrateBps < 1_000_000
    ? `${Math.round(bitrateBps / 1000)} kb/s`
    : `${(bitrateBps / 1_000_000).toFixed(2)} Mb/s`;
}

function formatSize(sizeBytes: number): string {
  return `${Math.ceil(sizeBytes / 1000)} kB`;
}
