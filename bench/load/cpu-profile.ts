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
  return hottestPlaces(profileTimes(join(DIRECTORY, file)));
}

/** Time spent in each function itself, microseconds, by name and place in the source; idling is left out. */
export function profileTimes(path: string): Map<string, number> {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [i, id] of profile.samples.entries()) {
    const place = names.get(id) ?? '?';
    if (!place.startsWith('(idle)')) times.set(place, (times.get(place) ?? 0) + (profile.timeDeltas[i] ?? 0));
  }
  return times;
}

/** The functions with most time, as lines for people. */
export function hottestPlaces(times: ReadonlyMap<string, number>, shown: number = SHOWN): string {
  const busyUs = [...times.values()].reduce((sum, us) => sum + us, 0);
  const hottest = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, shown);
  const lines = hottest.map(([place, us]) => `  ${((us / busyUs) * 100).toFixed(1).padStart(5)} %  ${place}\n`);
  return `  ${(busyUs / 1e6).toFixed(2)} s busy\n${lines.join('')}`;
}

function placeOf(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const file = frame.url.replace(`file://${ROOT}`, '');
  return `${frame.functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${frame.lineNumber + 1}`}`;
}
