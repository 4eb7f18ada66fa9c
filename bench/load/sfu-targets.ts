import type { SfuEngine } from './sfu-protocol.ts';
import { type SfuRow, type SfuTarget, secondsText } from './sfu-report.ts';

const PROFILE = 'AES_CM_128_HMAC_SHA1_80';
/** Copies a second on one core. */
const LIMITS = { ffi: 200_000, portable: 70_000 } as const;
const NATIVE_RATIO = 2.5;
const P50_MS = 0.3;
const P99_MS = 3;
/** Rooms at about half of what a core is to forward. */
const HALF_LOAD = 'rooms-delay';

/** The limits of the SFU, and how these rows are to them. Rows that are not valid count for nothing. */
export function targetsOf(rows: readonly SfuRow[]): SfuTarget[] {
  const valid = rows.filter(({ invalid, profile }) => invalid.length === 0 && profile === PROFILE);
  const best = (engine: SfuEngine): SfuRow | undefined =>
    valid.filter((row) => row.engine === engine).toSorted((a, b) => a.cpuUsPerPacket - b.cpuUsPerPacket)[0];
  const targets: SfuTarget[] = (['ffi', 'portable'] as const).map((engine) => {
    const row = best(engine);
    return {
      goal: `${engine}: copies a second on one core, by the CPU of the best scenario`,
      limit: `≥ ${LIMITS[engine]}`,
      measured: row === undefined ? '–' : `${(1e6 / row.cpuUsPerPacket).toFixed(0)} (${row.scenario})`,
      isReached: row === undefined ? undefined : 1e6 / row.cpuUsPerPacket >= LIMITS[engine],
    };
  });
  const ratios = valid
    .filter(({ engine }) => engine === 'native')
    .flatMap((native) => {
      const own = valid.find(({ engine, scenario }) => engine === 'ffi' && scenario === native.scenario);
      return own === undefined ? [] : [{ scenario: own.scenario, ratio: native.cpuUsPerPacket / own.cpuUsPerPacket }];
    });
  targets.push({
    goal: 'ffi beside the native worker',
    limit: `≥ ${NATIVE_RATIO} times`,
    measured: ratios.map(({ scenario, ratio }) => `${ratio.toFixed(2)} (${scenario})`).join(', ') || '–',
    isReached: ratios.length === 0 ? undefined : ratios.every(({ ratio }) => ratio >= NATIVE_RATIO),
  });
  const half = valid.find(({ engine, scenario }) => engine === 'ffi' && scenario === HALF_LOAD);
  const seconds = (what: 'p50Ms' | 'p99Ms', row: SfuRow): string =>
    what === 'p99Ms' ? `; of its seconds ${secondsText(row.secondP99Ms)} ms` : '';
  const delay = (what: 'p50Ms' | 'p99Ms', limitMs: number): SfuTarget => ({
    goal: `forwarding delay, ${what.slice(0, 3)}, at half load (${HALF_LOAD})`,
    limit: `< ${limitMs} ms`,
    measured: half === undefined ? '–' : `${half.delay[what].toFixed(2)} ms${seconds(what, half)}`,
    isReached: half === undefined ? undefined : half.delay[what] < limitMs,
  });
  targets.push(delay('p50Ms', P50_MS), delay('p99Ms', P99_MS));
  return targets;
}
