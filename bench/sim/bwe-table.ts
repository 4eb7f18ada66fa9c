/**
 * The bandwidth estimator on simulated links, as a table: `node bench/sim/bwe-table.ts [file.md]`. Times are virtual,
 * so the numbers are the same on every machine.
 */
import { writeFileSync } from 'node:fs';
import {
  hardScenarios,
  limitedScenarios,
  rembScenarios,
  scenarios,
} from '../../test/integration/webrtc/bwe-scenarios.ts';
import { type Phase, phasesOf, type Scenario, simulate } from '../../test/integration/webrtc/bwe-simulation.ts';

const SEEDS = [1, 2, 3, 4, 5];

interface Row {
  readonly name: string;
  readonly phases: readonly Phase[];
  readonly lossRate: number;
  readonly paddingRate: number;
}

/** One row for each change of the link, over all seeds. */
function rowsOf(scenario: Scenario): Row[] {
  const runs = SEEDS.map((seed) => {
    const seeded = { ...scenario, seed };
    const result = simulate(seeded);
    return { result, phases: phasesOf(seeded, result) };
  });
  return runs[0]!.phases.map(({ fromMs }, index) => ({
    name: fromMs === 0 ? scenario.name : `… from ${fromMs / 1000} s`,
    phases: runs.map(({ phases }) => phases[index]!),
    lossRate: mean(runs.map(({ result }) => result.lossRate)),
    paddingRate: mean(runs.map(({ result }) => result.paddingBytes / result.sentBytes)),
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function toLine({ name, phases, lossRate, paddingRate }: Row): string {
  const converged = phases.map(({ convergedMs }) => convergedMs ?? Number.POSITIVE_INFINITY);
  const worstMs = Math.max(...converged);
  const cells = [
    name,
    (phases[0]!.availableBps / 1e6).toFixed(2),
    seconds(mean(converged)),
    seconds(worstMs),
    (mean(phases.map(({ utilisation }) => utilisation)) * 100).toFixed(0),
    (Math.min(...phases.map(({ utilisation }) => utilisation)) * 100).toFixed(0),
    mean(phases.map(({ p95QueueMs }) => p95QueueMs)).toFixed(0),
    Math.max(...phases.map(({ p95QueueMs }) => p95QueueMs)).toFixed(0),
    Math.max(...phases.map(({ maxQueueMs }) => maxQueueMs)).toFixed(0),
    (lossRate * 100).toFixed(1),
    (paddingRate * 100).toFixed(1),
  ];
  return `| ${cells.join(' | ')} |`;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? (ms / 1000).toFixed(1) : 'never';
}

function limitedLine(scenario: (typeof limitedScenarios)[number]): string {
  const { samples, paddingBytes, sentBytes } = simulate(scenario);
  const settled = samples.filter(({ atMs }) => atMs >= 6000).map(({ estimateBps }) => estimateBps / 1e6);
  const queueMs = Math.max(...samples.map((sample) => sample.queueMs));
  const cells = [scenario.name, Math.min(...settled).toFixed(2), Math.max(...settled).toFixed(2), queueMs.toFixed(0)];
  return `| ${cells.join(' | ')} | ${((100 * paddingBytes) / sentBytes).toFixed(0)} |`;
}

const HEAD = `| link | available Mb/s | converged s, mean | worst | used %, mean | worst | p95 queue ms, mean | worst | longest queue ms | lost % | padding % |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`;

const report = `# Bandwidth estimation on simulated links

- Command: \`node bench/sim/bwe-table.ts bench/results/bwe.md\` (virtual time: the same numbers on every machine; ${SEEDS.length} seeds a row)
- Sender: video of 30 frames a second at the target (at most 20 Mb/s), sizes ± 20 %, through the pacer; start at 600 kb/s, RTT 50 ms, queue of 65,536 bytes, feedback every 50 ms over its wire form, unless the row says otherwise
- *converged*: time from the change until 85 % of what is available was used over half a second with no queue over 100 ms in it
- *used*, *p95 queue*: from 3 s after the change to the next one, at the bottleneck, padding counted; *longest queue*: of the whole phase; *lost*, *padding*: of the whole run, random loss behind the bottleneck included
- Asked for: converged within 3 s, 85–100 % used, no standing queue over 100 ms, loss of 0–10 %

${HEAD}
${scenarios.flatMap(rowsOf).map(toLine).join('\n')}

## Beyond what is asked

${HEAD}
${hardScenarios.flatMap(rowsOf).map(toLine).join('\n')}

## Receivers that tell only REMB

No probe tells anything here: the receiver lets the estimate grow by 50 % a second until the link was full once.

${HEAD}
${rembScenarios.flatMap(rowsOf).map(toLine).join('\n')}

## Sources that send little

The estimate from 6 s on.

| link | lowest Mb/s | highest Mb/s | longest queue ms | padding % |
| --- | ---: | ---: | ---: | ---: |
${limitedScenarios.map(limitedLine).join('\n')}
`;

const [, , path] = process.argv;
if (path === undefined) console.log(report);
else writeFileSync(path, report);
