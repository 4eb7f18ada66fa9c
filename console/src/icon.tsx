import type { JSX } from 'preact';

const PATHS = {
  brand: 'M2 8c3 0 3 3 6 3s3-3 6-3 3 3 6 3M2 15c3 0 3 3 6 3s3-3 6-3 3 3 6 3',
  play: 'M7 4.5v15l12-7.5z',
  stop: 'M6 6h12v12H6z',
  close: 'M6 6l12 12M18 6L6 18',
  sound: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11',
  muted: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  done: 'M5 12.5l4.5 4.5L19 7.5',
} as const;

/** Shapes that are filled; the others are drawn with a line. */
const FILLED: ReadonlySet<string> = new Set(['play', 'stop']);

/** A small picture beside words that say the same; hidden from screen readers. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class={FILLED.has(name) ? 'icon filled' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
