import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which core the server runs on, and which one everything that makes load. */
export const SERVER_CPU = 0;
export const LOAD_CPU = 1;

/** Whether processes are pinned: taskset (util-linux) is there and the machine has at least two cores. */
export const canPin: boolean = availableParallelism() >= 2 && hasProgram('taskset', ['--version']);

/** Whether a program is installed and answers. */
export function hasProgram(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts a program on one core, or anywhere when processes cannot be pinned. */
export function spawnPinned(
  cpu: number,
  command: readonly string[],
  options: { readonly stdio: StdioOptions; readonly cwd?: string },
): ChildProcess {
  const pinned = canPin ? ['taskset', '-c', String(cpu), ...command] : command;
  return spawn(pinned[0]!, pinned.slice(1), { ...options });
}

/** Asks a process to end, waits, and kills it when it does not. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(killer);
}
