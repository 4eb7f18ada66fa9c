import type { WorkerHost } from '../io/worker-host.ts';
import { MillraceError } from '../wire/errors.ts';
import { EXIT_NOT_OURS, EXIT_WRONG_SETTINGS, VERSION_VARIABLE } from './channel/messages.ts';
import { checkedWorkerSettings } from './check-settings.ts';
import type { MediaHandlersFactory } from './media-handlers.ts';
import { WorkerCore } from './worker-core.ts';
import type { WorkerSettings } from './worker-settings.ts';

/**
 * Runs a media worker in this process: as long as the control side is there and no SIGTERM comes. Ends the process with
 * 41 when the library did not start it, 42 with wrong settings, 0 else.
 */
export function runWorker(host: WorkerHost, media: MediaHandlersFactory): void {
  if (host.environment[VERSION_VARIABLE] === undefined) {
    host.complain('this program is started by the library, not by hand');
    host.exit(EXIT_NOT_OURS);
    return;
  }
  let settings: WorkerSettings;
  try {
    settings = checkedWorkerSettings(host.args);
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof MillraceError)) throw error;
    host.complain(error.message);
    host.exit(EXIT_WRONG_SETTINGS);
    return;
  }
  const close = (): void => {
    core.close();
    host.exit(0);
  };
  const core: WorkerCore = new WorkerCore({
    pipes: host.openPipes(),
    settings,
    pid: host.pid,
    resourceUsage: () => host.resourceUsage(),
    media,
    onClose: close,
  });
  host.onTerminate(close);
  core.start();
}
