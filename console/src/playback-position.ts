/** A stretch of the buffer, in seconds of the media element's clock. */
export interface BufferedRange {
  readonly start: number;
  readonly end: number;
}

/** A hole in the buffer is jumped when the picture stands within this distance before it. Seconds. */
const HOLE_REACH_SECONDS = 0.25;

/** Copies the browser's list of buffered stretches, in order of time. */
export function toBufferedRanges(ranges: TimeRanges): readonly BufferedRange[] {
  return Array.from({ length: ranges.length }, (_, index) => ({ start: ranges.start(index), end: ranges.end(index) }));
}

/** How far the picture is behind the newest data that has arrived, in seconds; `null` when nothing has. */
export function latencyToLiveEdge(ranges: readonly BufferedRange[], currentTime: number): number | null {
  const newest = ranges.at(-1);
  return newest === undefined ? null : Math.max(0, newest.end - currentTime);
}

/**
 * Where to continue when the picture stands still at the end of a stretch, or before the first, and newer data lies behind a
 * hole in the timestamps. `undefined` when there is no hole to jump.
 */
export function findJumpTarget(ranges: readonly BufferedRange[], currentTime: number): number | undefined {
  const inside = ranges.some((range) => currentTime >= range.start && currentTime < range.end - HOLE_REACH_SECONDS);
  return inside ? undefined : ranges.find((range) => range.start > currentTime)?.start;
}
