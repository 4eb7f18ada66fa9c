/** The programs from Debian that end-to-end tests talk to. */
import { getuid } from 'node:process';
import { mustRun, outputOf, ScriptError, say } from './shell.js';

/** Debian package and a program (or GStreamer element) that shows it is there where there is no dpkg to ask. */
const packages = [
  ['ffmpeg', 'ffmpeg'],
  ['chromium', 'chromium'],
  ['rtmpdump', 'rtmpdump'],
  ['vlc-bin', 'cvlc'],
  ['vlc-plugin-base', 'cvlc'],
  ['gstreamer1.0-tools', 'gst-launch-1.0'],
  ['gstreamer1.0-plugins-base', 'element playbin'],
  ['gstreamer1.0-plugins-good', 'element flvdemux'],
  ['gstreamer1.0-plugins-bad', 'element rtmpsrc'],
  ['gstreamer1.0-plugins-ugly', 'element x264enc'],
  ['gstreamer1.0-libav', 'element avdec_h264'],
  ['gstreamer1.0-rtsp', 'element rtspclientsink'],
  ['gir1.2-gst-rtsp-server-1.0', '/usr/bin/python3'],
  ['python3-gi', '/usr/bin/python3'],
  ['mpv', 'mpv'],
  ['iproute2', 'ip'],
  ['openssl', 'openssl'],
];

/**
 * @param {string} probe
 * @returns {boolean}
 */
function isThere(probe) {
  const element = /^element (.+)$/.exec(probe)?.[1];
  if (element !== undefined) return outputOf('gst-inspect-1.0', ['--exists', element]) !== undefined;
  return outputOf('sh', ['-c', `command -v ${probe}`]) !== undefined;
}

/** @returns {string[]} names of the packages that are not installed */
function missingPackages() {
  const names = packages.map(([name = '']) => name);
  if (outputOf('dpkg-query', ['--version']) === undefined) {
    return packages.filter(([, probe = '']) => !isThere(probe)).map(([name = '']) => name);
  }
  return names.filter((name) => !/^Status: .* installed$/m.test(outputOf('dpkg-query', ['-s', name]) ?? ''));
}

/** @returns {readonly string[] | undefined} how to run apt-get without a password, if we may */
function aptGet() {
  if (outputOf('apt-get', ['--version']) === undefined) return undefined;
  if (getuid?.() === 0) return ['apt-get'];
  return outputOf('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n', 'apt-get'];
}

/** Installs the missing packages through apt-get when it may; otherwise says which they are and ends the script. */
export function ensureDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const apt = aptGet();
  if (apt === undefined) {
    throw new ScriptError(
      `these Debian packages are missing and may not be installed from here: ${missing.join(' ')}\n` +
        `millrace: install them with: sudo apt-get install ${missing.join(' ')}`,
    );
  }
  say(`installing Debian packages: ${missing.join(' ')}`);
  const [program = '', ...prefix] = apt;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  mustRun(program, [...prefix, 'update', '-q'], env);
  mustRun(program, [...prefix, 'install', '-q', '-y', '--no-install-recommends', ...missing], env);
}
