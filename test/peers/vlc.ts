import { getuid } from 'node:process';
import { type PeerCommand, words } from './peer-process.ts';

/** Users VLC may run as when the tests are root's: it refuses root, and has no switch against that. */
const UNPRIVILEGED = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];

/**
 * Plays a stream to its end and writes the frames to a file, FLV unless told otherwise. VLC's packetizers stand between: H.264 parameter sets
 * and delimiters may come and go, everything else stays as it is.
 * @param directory VLC's home; like that of `file` it must let everybody write
 */
export function vlcRecord(options: {
  readonly url: string;
  readonly file: string;
  readonly directory: string;
  readonly format?: 'flv' | 'ts';
  readonly timeoutMs?: number;
}): PeerCommand {
  const { url, file, directory, format = 'flv', timeoutMs = 60_000 } = options;
  const mux = format === 'flv' ? 'avformat{mux=flv}' : format;
  const vlc = [
    ...words('cvlc --no-color --no-media-library --no-metadata-network-access --ignore-config'),
    url,
    '--sout',
    `#std{access=file,mux=${mux},dst=${file}}`,
    'vlc://quit',
  ];
  const [program = '', ...args] = getuid?.() === 0 ? ['setpriv', ...UNPRIVILEGED, ...vlc] : vlc;
  return { program, args, env: { HOME: directory, LC_ALL: 'C.UTF-8' }, timeoutMs };
}
