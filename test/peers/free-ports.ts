import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Where ports for others are taken from, both inclusive: above the ports Linux gives to whoever asks for any
 * (32768–60999) and above those an SFU worker takes by itself (10000–59999), so that nobody gets one by chance between
 * the check and the moment its user binds it.
 */
const FIRST_PORT = 61_000;
const LAST_PORT = 65_535;

/** Another process begins elsewhere. */
const offset = Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
/** Ports that were handed out or found taken: none is looked at twice. */
let used = 0;

/** A port nobody has at the moment, neither of TCP nor of UDP; never the same twice in a process. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** An even port and the next, for RTP and RTCP. */
export async function freePortPair(): Promise<readonly [number, number]> {
  const [first, second] = await freePorts(2);
  return [first!, second!];
}

/**
 * Neighbouring ports in ascending order that nobody has at the moment, the first of several even.
 * @throws RangeError when there are no more
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (;;) {
    // Taken before the first wait: who asks meanwhile gets others.
    const ports = nextPorts(count);
    const found = await Promise.all(ports.map(isFree));
    if (found.every(Boolean)) return ports;
  }
}

function nextPorts(count: number): readonly number[] {
  for (;;) {
    if (used + count > LAST_PORT - FIRST_PORT + 1) throw new RangeError(`no ${count} ports are left`);
    const first = FIRST_PORT + ((offset + used) % (LAST_PORT - FIRST_PORT + 1));
    if ((count === 1 || first % 2 === 0) && first + count - 1 <= LAST_PORT) {
      used += count;
      return Array.from({ length: count }, (_, i) => first + i);
    }
    used++;
  }
}

async function isFree(port: number): Promise<boolean> {
  const datagrams = createSocket('udp4').bind(port);
  const connections = createServer().listen(port, '0.0.0.0');
  const opened = await Promise.allSettled([once(datagrams, 'listening'), once(connections, 'listening')]);
  datagrams.close();
  if (connections.listening) await new Promise((resolve) => connections.close(resolve));
  for (const result of opened) {
    if (result.status === 'fulfilled') continue;
    if ((result.reason as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw result.reason;
    return false;
  }
  return true;
}
