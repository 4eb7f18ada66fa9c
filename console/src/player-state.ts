/** What the player is doing, as far as the viewer is concerned. */
export type PlayerState =
  /** The stream is not live; it is played as soon as it is. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'playing' }
  | { readonly kind: 'buffering' }
  /** The browser does not let it play without a click, or something other than this page paused it. */
  | { readonly kind: 'paused' }
  /** The viewer stopped it: nothing is fetched. */
  | { readonly kind: 'stopped' }
  /** The stream was played and has ended; it is played again when it comes back. */
  | { readonly kind: 'ended' }
  /** It cannot be played here, and trying again would not help. */
  | { readonly kind: 'unplayable'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retrying: boolean };

/** The state in words. */
export function describePlayerState(state: PlayerState): string {
  switch (state.kind) {
    case 'waiting':
      return 'Not live at the moment. It plays here as soon as it is.';
    case 'connecting':
      return 'Connecting…';
    case 'playing':
      return 'Playing';
    case 'buffering':
      return 'Buffering…';
    case 'paused':
      return 'Paused. Press Play to watch.';
    case 'stopped':
      return 'Stopped';
    case 'ended':
      return 'Stream ended. It plays again here when it comes back.';
    case 'unplayable':
      return `${state.reason}.`;
    case 'failed':
      return state.retrying ? `${state.reason}. Trying again…` : `${state.reason}. Press Play to try again.`;
  }
}

/** What the viewer can do: start, stop, or neither because it would change nothing. */
export function mainControl(state: PlayerState): 'play' | 'stop' | undefined {
  switch (state.kind) {
    case 'paused':
    case 'stopped':
      return 'play';
    case 'failed':
      return state.retrying ? 'stop' : 'play';
    case 'unplayable':
      return undefined;
    default:
      return 'stop';
  }
}
