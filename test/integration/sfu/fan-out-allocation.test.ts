import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** What belongs to a picture, not to its copies, is shared by 120 of them; the smallest view of bytes would be 100 more. */
const MAX_BYTES = 40;

it('forwarding makes no object for a copy', async () => {
  const flags = ['--min-semi-space-size=256', '--max-semi-space-size=256', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run(process.execPath, [...flags, join(import.meta.dirname, 'fan-out-program.ts')]);
  const { sentPackets, bytesPerCopy } = JSON.parse(stdout) as { sentPackets: number; bytesPerCopy: number };
  expect(sentPackets).toBe(2000 * 6 * 20);
  expect(bytesPerCopy).toBeGreaterThan(-1);
  expect(bytesPerCopy).toBeLessThan(MAX_BYTES);
}, 60_000);
