/** Entry of the media worker's process: started by `createWorker()`, never by hand. */
import { nodeWorkerHost } from '../io/worker-host.ts';
import { createMedia } from './media/create-media.ts';
import { runWorker } from './run-worker.ts';

runWorker(nodeWorkerHost, createMedia);
