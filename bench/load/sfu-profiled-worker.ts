/** The media worker as it is, which begins a CPU profile when it gets SIGUSR2, and writes it when it gets the next. */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const SAMPLING_US = 200;

const session = new Session();
let isOn = false;

async function toggle(): Promise<void> {
  if (isOn) {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(process.env['MILLRACE_BENCH_PROFILE']!, JSON.stringify(profile));
  } else {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
    await session.post('Profiler.start');
  }
  isOn = !isOn;
}

process.on('SIGUSR2', () => void toggle());
await import('../../src/worker/main.ts');
