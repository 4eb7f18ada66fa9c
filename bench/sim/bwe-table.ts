/**
 * The bandwidth estimator on simulated links, as a table. `node bench/sim/bwe-table.ts [file.md]`; times are virtual, the
 * numbers the same on every machine.
 */
import { writeFileSync } from 'node:fs';
import { scenarios } from '../../test/integration/webrtc/bwe-scenarios.ts';
import { phasesOf, simulate } from '../../test/integration/webrtc/bwe-simulation.ts';

const rows: string[] = [];
for (const scenario of scenarios) {
  const result = simulate(scenario);
  for (const phase of phasesOf(scenario, result)) {
    const { fromMs, availableBps, convergedMs, utilisation, p95QueueMs, maxQueueMs } = phase;
    const cells = [
      scenario.name,
      `${fromMs / 1000}`,
      `${(availableBps / 1e6).toFixed(2)}`,
      convergedMs === undefined ? 'never' : (convergedMs / 1000).toFixed(1),
      (utilisation * 100).toFixed(0),
      p95QueueMs.toFixed(0),
      maxQueueMs.toFixed(0),
      (result.lossRate * 100).toFixed(1),
      ((100 * result.paddingBytes) / result.sentBytes).toFixed(1),
    ];
    rows.push(`| ${cells.join(' | ')} |`);
    console.log(rows[rows.length - 1]);
  }
}
const [, , path] = process.argv;
if (path !== undefined) writeFileSync(path, `${rows.join('\n')}\n`);
