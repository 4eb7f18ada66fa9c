import assert from 'node:assert/strict';
import { type PeerCommand, PeerProcess } from './peer-process.ts';

/** Second number of the 10.77.x.0/24 network; counts up so that two namespaces of one process never meet. */
let nextNetwork = process.pid % 200;

/** A machine of its own on the end of a virtual cable, for programs whose network shall go away without a word. */
export class NetworkNamespace {
  readonly name: string;
  /** Our end of the cable: where a server must listen to be reached. */
  readonly address: string;
  readonly #outside: string;
  readonly #inside: string;

  private constructor(network: number) {
    const tag = `${process.pid.toString(36)}${network.toString(36)}`;
    this.name = `millrace-${tag}`;
    this.address = `10.77.${network}.1`;
    this.#outside = `mro${tag}`;
    this.#inside = `mri${tag}`;
  }

  /** Needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN); fails with what `ip` said when it may not. */
  static async create(): Promise<NetworkNamespace> {
    const network = nextNetwork++ % 250;
    const namespace = new NetworkNamespace(network);
    const { name } = namespace;
    const outside = namespace.#outside;
    const inside = namespace.#inside;
    try {
      await ip('netns', 'add', name);
      await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
      await ip('address', 'add', `10.77.${network}.1/24`, 'dev', outside);
      await ip('link', 'set', outside, 'up');
      await ip('-n', name, 'address', 'add', `10.77.${network}.2/24`, 'dev', inside);
      await ip('-n', name, 'link', 'set', inside, 'up');
      await ip('-n', name, 'link', 'set', 'lo', 'up');
    } catch (error) {
      await namespace.close();
      throw error;
    }
    return namespace;
  }

  /** Sets a kernel parameter of this namespace alone, by its name with dots. */
  async setParameter(name: string, value: string): Promise<void> {
    const file = `/proc/sys/${name.replaceAll('.', '/')}`;
    const command = this.run({ program: 'sh', args: ['-c', `echo "${value}" > ${file}`], timeoutMs: 10_000 });
    const { code, stderr } = await PeerProcess.start(command).exit;
    assert.equal(code, 0, `${name}: ${stderr}`);
  }

  /** The same program, run inside. */
  run(command: PeerCommand): PeerCommand {
    return { ...command, program: 'ip', args: ['netns', 'exec', this.name, command.program, ...command.args] };
  }

  /** Pulls the plug inside: from now on no packet passes, neither FIN nor RST, either way. Our address stays. */
  async cut(): Promise<void> {
    await ip('-n', this.name, 'link', 'set', this.#inside, 'down');
  }

  /** Idempotent; programs still inside must have ended. */
  async close(): Promise<void> {
    await PeerProcess.start({ program: 'ip', args: ['link', 'delete', this.#outside], timeoutMs: 10_000 }).exit;
    await PeerProcess.start({ program: 'ip', args: ['netns', 'delete', this.name], timeoutMs: 10_000 }).exit;
  }
}

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await PeerProcess.start({ program: 'ip', args, timeoutMs: 10_000 }).exit;
  assert.equal(
    code,
    0,
    `this test takes a publisher's network away, for which it must be allowed to make network namespaces (root); ip ${args.join(' ')}: ${stderr}`,
  );
}
