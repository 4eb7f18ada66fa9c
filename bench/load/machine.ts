import { readFileSync } from 'node:fs';
import { cpus, loadavg, type as osType, release, totalmem } from 'node:os';
import { canPin, LOAD_CPU, SERVER_CPU } from './pinned-process.ts';

/** The machine a result was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  readonly pinning: string;
  /** Load average over one minute when the run began: far above 0 means the machine was not quiet. */
  readonly loadAverageAtStart: number;
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Reads what there is to know of this machine. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: `${osType()} ${release()}`,
    distribution: distribution(),
    node: process.version,
    pinning: canPin ? `server on CPU ${SERVER_CPU}, load on CPU ${LOAD_CPU} (taskset)` : 'none',
    loadAverageAtStart: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
