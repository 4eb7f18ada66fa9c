import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts process times in clock ticks of 10 ms (USER_HZ is 100 on every Linux port Node runs on). */
const TICKS_PER_SECOND = 100;
const PAGE_SIZE = 4096;

/** What a process and its descendants have used. */
export interface TreeUsage {
  /** User and system time since they began, seconds; includes children that have ended and were waited for. */
  readonly cpuSeconds: number;
  /** Resident memory, bytes: the sum over the processes (shared pages count in each). */
  readonly rssBytes: number;
  readonly processes: number;
}

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  readonly waitedTicks: number;
  readonly rssBytes: number;
}

/** proc(5), /proc/pid/stat: the command (field 2) is in brackets and may hold anything, so count from the last one. */
function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // ended since /proc was listed
  }
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => fields[number - 3] ?? 0;
  return {
    pid,
    parent: field(4),
    ticks: field(14) + field(15),
    waitedTicks: field(16) + field(17),
    rssBytes: field(24) * PAGE_SIZE,
  };
}

/** Usage of the process `root` and all its descendants, threads included. */
export function readTree(root: number): TreeUsage {
  const children = new Map<number, ProcessStat[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat === undefined) continue;
    const siblings = children.get(stat.parent);
    if (siblings === undefined) children.set(stat.parent, [stat]);
    else siblings.push(stat);
  }
  const first = readStat(root);
  const open = first === undefined ? [] : [first];
  let ticks = 0;
  let rssBytes = 0;
  let processes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    ticks += next.ticks + next.waitedTicks;
    rssBytes += next.rssBytes;
    processes++;
    open.push(...(children.get(next.pid) ?? []));
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes, processes };
}
