/** From everything to nothing; each includes those after it. */
export type WorkerLogLevel = 'debug' | 'warn' | 'error' | 'none';

/** What a line of `warn` or `debug` is about. */
export type WorkerLogTag =
  | 'info'
  | 'ice'
  | 'dtls'
  | 'rtp'
  | 'srtp'
  | 'rtcp'
  | 'rtx'
  | 'bwe'
  | 'score'
  | 'simulcast'
  | 'svc'
  | 'sctp'
  | 'message';

const logLevels: readonly WorkerLogLevel[] = ['debug', 'warn', 'error', 'none'];
const logTags: readonly WorkerLogTag[] = [
  'info',
  'ice',
  'dtls',
  'rtp',
  'srtp',
  'rtcp',
  'rtx',
  'bwe',
  'score',
  'simulcast',
  'svc',
  'sctp',
  'message',
];

/** What a worker was started with. */
export interface WorkerSettings {
  readonly logLevel: WorkerLogLevel;
  readonly logTags: readonly WorkerLogTag[];
  /** Ports of transports without a port or a range of their own, both included. */
  readonly rtcMinPort: number;
  readonly rtcMaxPort: number;
  /** Path of a PEM file; with `dtlsPrivateKeyFile` or not at all. */
  readonly dtlsCertificateFile: string | undefined;
  readonly dtlsPrivateKeyFile: string | undefined;
  /** Kept, and without effect: the bandwidth estimator is Millrace's own. */
  readonly libwebrtcFieldTrials: string;
}

const MAX_PORT = 65535;

/** The command line of a worker with these settings: `--logLevel=warn` and so on. */
export function argumentsOf(settings: Partial<WorkerSettings>): string[] {
  const { logTags: tags = [], ...others } = settings;
  return [
    ...Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...tags.map((tag) => `--logTag=${tag}`),
  ];
}

/**
 * Reads a worker's command line.
 * @throws TypeError for unknown options and wrong values
 */
export function parseWorkerSettings(args: readonly string[]): WorkerSettings {
  const values = new Map<string, string>();
  const tags: string[] = [];
  for (const argument of args) {
    const match = /^--(\w+)=(.*)$/s.exec(argument);
    if (match === null) throw new TypeError(`unknown argument ${argument}`);
    if (match[1] === 'logTag') tags.push(match[2]!);
    else values.set(match[1]!, match[2]!);
  }
  const settings: WorkerSettings = {
    logLevel: logLevelOf(values.get('logLevel') ?? 'error'),
    logTags: logTagsOf(tags),
    rtcMinPort: portOf(values, 'rtcMinPort', 10000),
    rtcMaxPort: portOf(values, 'rtcMaxPort', 59999),
    dtlsCertificateFile: values.get('dtlsCertificateFile'),
    dtlsPrivateKeyFile: values.get('dtlsPrivateKeyFile'),
    libwebrtcFieldTrials: values.get('libwebrtcFieldTrials') ?? 'WebRTC-Bwe-AlrLimitedBackoff/Enabled/',
  };
  const unknown = [...values.keys()].find((name) => !(name in settings));
  if (unknown !== undefined) throw new TypeError(`unknown setting ${unknown}`);
  if (settings.rtcMinPort > settings.rtcMaxPort) throw new TypeError('rtcMaxPort must not be below rtcMinPort');
  if ((settings.dtlsCertificateFile === undefined) !== (settings.dtlsPrivateKeyFile === undefined)) {
    throw new TypeError('dtlsCertificateFile and dtlsPrivateKeyFile must be given together');
  }
  return settings;
}

/** @throws TypeError */
export function logLevelOf(value: unknown): WorkerLogLevel {
  const level = logLevels.find((known) => known === value);
  if (level === undefined) throw new TypeError(`invalid logLevel ${String(value)}`);
  return level;
}

/**
 * The tags that are known: others, as of other versions, are passed over.
 * @throws TypeError when it is no list of texts
 */
export function logTagsOf(value: unknown): WorkerLogTag[] {
  if (!Array.isArray(value) || value.some((tag) => typeof tag !== 'string')) throw new TypeError('invalid logTags');
  return logTags.filter((tag) => value.includes(tag));
}

function portOf(values: ReadonlyMap<string, string>, name: string, byDefault: number): number {
  const text = values.get(name);
  if (text === undefined) return byDefault;
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= MAX_PORT)) throw new TypeError(`invalid ${name}`);
  return port;
}
