import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIRECTORY = join(ROOT, '.cache/bench/profiles');
const SHOWN = 20;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The flags with which Node writes a profile of its whole life when it ends, named `name`. Removes an older one. */
export function profileFlags(name: string): string[] {
  mkdirSync(DIRECTORY, { recursive: true });
  rmSync(join(DIRECTORY, `${name}.cpuprofile`), { force: true });
  return ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${DIRECTORY}`, `--cpu-prof-name=${name}.cpuprofile`];
}

/** The functions a profile spent its time in, start of the program included, as lines for people. */
export function hotFunctions(name: string): string {
  const file = readdirSync(DIRECTORY).find((entry) => entry === `${name}.cpuprofile`);
  if (file === undefined) return '  no profile was written\n';
  const profile = JSON.parse(readFileSync(join(DIRECTORY, file), 'utf8')) as CpuProfile;
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  let busyUs = 0;
  for (const [i, id] of profile.samples.entries()) {
    const place = names.get(id) ?? '?';
    if (place.startsWith('(idle)')) continue;
    const timeUs = profile.timeDeltas[i] ?? 0;
    busyUs += timeUs;
    times.set(place, (times.get(place) ?? 0) + timeUs);
  }
  const hottest = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, SHOWN);
  const lines = hottest.map(([place, us]) => `  ${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${place}\n`);
  return `  ${(busyUs / 1e6).toFixed(2)} s busy\n${lines.join('')}`;
}

function placeOf(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const file = frame.url.replace(`file://${ROOT}`, '');
  return `${frame.functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${frame.lineNumber + 1}`}`;
}
