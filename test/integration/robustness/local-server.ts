import { Millrace } from '../../../src/app/millrace.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';

/** Sections of a configuration to set beside what every test needs. */
export type TestConfiguration = Pick<
  ConfigurationInput,
  'latency' | 'rtmp' | 'http' | 'rtsp' | 'rtsps' | 'play' | 'publish' | 'sources' | 'proxies' | 'pushes'
>;

/** A configuration on free ports of this machine, without log lines. */
export function testConfiguration(given: TestConfiguration): ConfigurationInput {
  return {
    ...given,
    log: { level: 'silent' },
    rtmp: { ...given.rtmp, listen: '127.0.0.1:0' },
    http: { ...given.http, listen: '127.0.0.1:0' },
    rtsp: { ...given.rtsp, listen: '127.0.0.1:0' },
  };
}

/** A server in this process. */
export class LocalServer {
  readonly millrace: Millrace;
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly rtspPort: number;

  private constructor(millrace: Millrace) {
    this.millrace = millrace;
    this.rtmpPort = millrace.ports.rtmp[0]!;
    this.httpPort = millrace.ports.http[0]!;
    this.rtspPort = millrace.ports.rtsp[0]!;
  }

  static async start(given: TestConfiguration = {}): Promise<LocalServer> {
    return new LocalServer(await Millrace.start({ configuration: testConfiguration(given) }));
  }

  close(): Promise<void> {
    return this.millrace.close();
  }
}
