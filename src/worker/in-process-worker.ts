import { memoryChannel } from './channel/memory-pipe.ts';
import type { ChannelPipes } from './channel/messages.ts';
import { checkedWorkerSettings } from './check-settings.ts';
import { createMedia } from './media/create-media.ts';
import { WorkerCore } from './worker-core.ts';
import { argumentsOf, type WorkerSettings } from './worker-settings.ts';

/**
 * Starts a worker within this process; closing the pipes ends it.
 * @returns the control side of its channel
 * @throws TypeError, ConfigError for wrong settings
 */
export function startInProcessWorker(settings: Partial<WorkerSettings>): ChannelPipes {
  const parsed = checkedWorkerSettings(argumentsOf(settings));
  const { control, worker } = memoryChannel();
  const core: WorkerCore = new WorkerCore({
    pipes: worker,
    settings: parsed,
    pid: process.pid,
    resourceUsage: () => process.resourceUsage(),
    media: createMedia,
    onClose: () => core.close(),
  });
  core.start();
  return control;
}
