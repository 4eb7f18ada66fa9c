import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/peers/free-ports.ts';
import { sleep } from './clock.ts';
import { BenchError } from './errors.ts';
import { hasProgram, SERVER_CPU, spawnPinned, stopProcess } from './pinned-process.ts';
import { readTree, type TreeUsage } from './process-tree.ts';
import type { ViewerProtocol } from './protocol.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NGINX_RTMP_MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
/** The distribution's Python, the one its packages are for. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const GST_RTSP_SERVER = fileURLToPath(new URL('./gst-rtsp-server.py', import.meta.url));
const GST_PACKAGES = [
  'gir1.2-gst-rtsp-server-1.0',
  'python3-gi',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
] as const;
const START_TIMEOUT_MS = 10_000;

/** The programs that are compared. */
export const SERVER_KINDS = ['millrace', 'nginx-rtmp', 'node-media-server', 'gst-rtsp-server'] as const;
/** One of them. */
export type ServerKind = (typeof SERVER_KINDS)[number];

/**
 * The ways to run each server, the default first: Millrace in its latency modes; node-media-server on the Node that runs
 * this benchmark, or on the machine's own (the first `node` in PATH that is not this project's).
 */
export const SERVER_VARIANTS: Readonly<Record<ServerKind, readonly string[]>> = {
  millrace: ['normal', 'low', 'realtime'],
  'nginx-rtmp': ['normal'],
  'node-media-server': ['normal', 'system-node'],
  'gst-rtsp-server': ['normal'],
};

/** A server to be measured; `variant` is one of its `SERVER_VARIANTS`. */
export interface ServerChoice {
  readonly kind: ServerKind;
  readonly variant: string;
}

/** `millrace`, `millrace:realtime`, `nginx-rtmp` … */
export function serverName(choice: ServerChoice): string {
  return choice.variant === 'normal' ? choice.kind : `${choice.kind}:${choice.variant}`;
}

/** A server that runs and accepts connections. */
export interface RunningServer {
  /** Where publishers publish; for a server that fetches its stream, where they have to offer it. */
  readonly publishPort: number;
  readonly form: 'rtmp' | 'flv';
  readonly viewPort: number;
  usage(): TreeUsage;
  stop(): Promise<void>;
}

/** Whether a server can play over a protocol, or be published to over RTMP (`undefined`). */
export function canServe(kind: ServerKind, protocol: ViewerProtocol | undefined): boolean {
  if (kind === 'millrace') return true;
  const isRtsp = protocol === 'rtsp' || protocol === 'rtsp-udp';
  if (kind === 'gst-rtsp-server') return isRtsp;
  return !isRtsp && (protocol !== 'http-flv' || kind !== 'nginx-rtmp');
}

/** Program name and version, as they go into the results. */
export function serverVersion(choice: ServerChoice): string {
  switch (choice.kind) {
    case 'millrace':
      return `${serverName(choice)} ${packageVersion(join(ROOT, 'package.json'))} (git ${gitCommit()})`;
    case 'node-media-server':
      return `${serverName(choice)} ${packageVersion(join(ROOT, 'node_modules/node-media-server/package.json'))} on Node ${nodeVersion(nodeFor(choice))}`;
    case 'nginx-rtmp':
      return `nginx ${debianVersion('nginx')}, libnginx-mod-rtmp ${debianVersion('libnginx-mod-rtmp')}`;
    case 'gst-rtsp-server':
      return `gst-rtsp-server ${debianVersion(GST_PACKAGES[0])}`;
  }
}

/** The machine's own Node, whatever `npm run` put in front of it. */
function systemNode(): string {
  const places = (process.env['PATH'] ?? '').split(delimiter).filter((place) => !place.includes('node_modules'));
  const found = places.map((place) => join(place, 'node')).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new BenchError('bench/missing-program', 'no other node in PATH than the one of this project');
}

function nodeFor(choice: ServerChoice): string {
  return choice.variant === 'system-node' ? systemNode() : process.execPath;
}

function nodeVersion(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
}

function packageVersion(path: string): string {
  return String((JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown }).version);
}

function debianVersion(name: string): string {
  try {
    const [, version] = execFileSync('dpkg-query', ['-W', name], { encoding: 'utf8' }).trim().split('\t');
    return version ?? 'unknown';
  } catch {
    return 'not from a Debian package';
  }
}

function gitCommit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}

/** Installs what a server needs when that can be done, and throws when it is missing. */
export function ensureInstalled(choice: ServerChoice): void {
  if (choice.kind === 'nginx-rtmp') ensureNginx();
  else if (choice.kind === 'gst-rtsp-server') ensureGstRtspServer();
  else if (choice.kind === 'node-media-server') nodeFor(choice);
  else if (!existsSync(join(ROOT, 'dist'))) {
    throw new BenchError('bench/missing-program', 'millrace is not built: npm run build');
  }
}

function ensureNginx(): void {
  const installed = (): boolean => hasProgram('nginx', ['-v']) && existsSync(NGINX_RTMP_MODULE);
  if (installed()) return;
  if (process.getuid?.() === 0 && hasProgram('apt-get', ['--version'])) {
    const args = ['install', '-y', '--no-install-recommends', 'nginx', 'libnginx-mod-rtmp'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update'], { stdio: 'ignore', env });
      execFileSync('apt-get', args, { stdio: 'ignore', env });
    } catch (cause) {
      throw new BenchError('bench/missing-program', 'apt-get could not install nginx and libnginx-mod-rtmp', { cause });
    }
  }
  if (installed()) return;
  throw new BenchError('bench/missing-program', 'missing Debian packages: nginx libnginx-mod-rtmp');
}

function ensureGstRtspServer(): void {
  const program = "import gi; gi.require_version('GstRtspServer', '1.0')";
  if (hasProgram(SYSTEM_PYTHON, ['-c', program])) return;
  throw new BenchError('bench/missing-program', `missing Debian packages: ${GST_PACKAGES.join(' ')}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

interface Launch {
  readonly command: readonly string[];
  /** `undefined` when the server does not take RTMP. */
  readonly rtmpPort?: number;
  readonly httpPort?: number;
  readonly rtspPort?: number;
}

/** Free ports for RTMP, HTTP and RTSP; for gst-rtsp-server the first is where its publisher waits. */
type Ports = readonly [number, number, number];

function millrace(
  directory: string,
  ports: Ports,
  {
    latency,
    rtsp,
    nodeFlags,
  }: { readonly latency: string; readonly rtsp: boolean; readonly nodeFlags: readonly string[] },
): Launch {
  const [rtmpPort, httpPort, rtspPort] = ports;
  const config = join(directory, 'millrace.yml');
  const lines = [
    `rtmp: { listen: '127.0.0.1:${rtmpPort}' }`,
    `http: { listen: '127.0.0.1:${httpPort}' }`,
    rtsp ? `rtsp: { listen: '127.0.0.1:${rtspPort}' }` : 'rtsp: { enabled: false }',
    `latency: ${latency}`,
    'log: { level: warn }',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const command = [process.execPath, ...nodeFlags, join(ROOT, 'bin/millrace.js'), config];
  return { command, rtmpPort, httpPort, ...(rtsp ? { rtspPort } : {}) };
}

function gstRtspServer([feedPort, , rtspPort]: Ports): Launch {
  return { command: [SYSTEM_PYTHON, GST_RTSP_SERVER, String(rtspPort), String(feedPort)], rtspPort };
}

/** One worker and the module's defaults, but for the chunk size, which is its own default written out. */
function nginxRtmp(directory: string, ports: Ports): Launch {
  const [rtmpPort] = ports;
  const config = join(directory, 'nginx.conf');
  const lines = [
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    'worker_rlimit_nofile 16384;',
    `pid ${directory}/nginx.pid;`,
    `error_log ${directory}/error.log warn;`,
    `load_module ${NGINX_RTMP_MODULE};`,
    'events { worker_connections 8192; }',
    'rtmp {',
    '  access_log off;',
    '  server {',
    `    listen 127.0.0.1:${rtmpPort};`,
    '    chunk_size 4096;',
    '    application live { live on; }',
    '  }',
    '}',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const command = ['nginx', '-p', directory, '-e', join(directory, 'error.log'), '-c', config];
  return { command, rtmpPort };
}

function nodeMediaServer(directory: string, ports: Ports, node: string): Launch {
  const [rtmpPort, httpPort] = ports;
  const config = join(directory, 'config.json');
  const settings = {
    bind: '127.0.0.1',
    notify: { url: '' },
    store: { path: join(directory, 'data'), maxHistory: 10_000 },
    auth: { play: false, publish: false, secret: 'unused' },
    rtmp: { port: rtmpPort },
    http: { port: httpPort },
    webadmin: { enable: false },
    record: { auto: false, path: join(directory, 'record') },
  };
  writeFileSync(config, JSON.stringify(settings));
  const program = join(ROOT, 'node_modules/node-media-server/bin/app.js');
  return { command: [node, program, '-c', config], rtmpPort, httpPort };
}

/** The line of a server's output that names an error, or else the end of the output. */
function whatWentWrong(output: string): string {
  const lines = output.trim().split('\n');
  return lines.find((line) => /error|emerg|fatal/i.test(line))?.trim() ?? lines.slice(-3).join(' ');
}

function launchOf(choice: ServerChoice, directory: string, ports: Ports, how: StartOptions): Launch {
  switch (choice.kind) {
    case 'millrace': {
      const rtsp = how.protocol === 'rtsp' || how.protocol === 'rtsp-udp';
      return millrace(directory, ports, { latency: choice.variant, rtsp, nodeFlags: how.nodeFlags });
    }
    case 'nginx-rtmp':
      return nginxRtmp(directory, ports);
    case 'node-media-server':
      return nodeMediaServer(directory, ports, nodeFor(choice));
    case 'gst-rtsp-server':
      return gstRtspServer(ports);
  }
}

interface StartOptions {
  /** How it will be watched. */
  readonly protocol: ViewerProtocol | undefined;
  /** Flags for the Node that runs Millrace; the peers do not get them. */
  readonly nodeFlags: readonly string[];
}

/**
 * Starts a server on the server core with its own directory, free ports, and its output in a file.
 * @throws BenchError `bench/server-start` with the end of that output when it does not come up within 10 s
 */
export async function startServer(choice: ServerChoice, how: StartOptions): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const ports: Ports = [await freePort(), await freePort(), await freePort()];
  const launch = launchOf(choice, directory, ports, how);
  const logPath = join(directory, 'output.txt');
  const log = openSync(logPath, 'w');
  const child = spawnPinned(SERVER_CPU, launch.command, { stdio: ['ignore', log, log], cwd: directory });
  closeSync(log);
  let startError: Error | undefined;
  child.on('error', (error) => {
    startError = error;
  });
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  const { rtmpPort, httpPort, rtspPort } = launch;
  const wanted = [rtmpPort, httpPort, rtspPort].filter((port) => port !== undefined);
  for (const port of wanted) {
    while (!(await accepts(port))) {
      if (startError !== undefined || child.exitCode !== null || Date.now() > deadline) {
        const said = whatWentWrong(readFileSync(logPath, 'utf8'));
        await stop();
        throw new BenchError(
          'bench/server-start',
          `${serverName(choice)} did not start: ${startError?.message ?? said}`,
        );
      }
      await sleep(50);
    }
  }
  const { pid } = child;
  return {
    publishPort: ports[0],
    form: rtmpPort === undefined ? 'flv' : 'rtmp',
    viewPort: how.protocol === 'http-flv' ? ports[1] : how.protocol === 'rtmp' ? ports[0] : ports[2],
    usage: () => (pid === undefined ? { cpuSeconds: 0, rssBytes: 0, processes: 0 } : readTree(pid)),
    stop,
  };
}
