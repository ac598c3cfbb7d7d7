import { runService } from '../runtime/lifecycle.ts';
import { readWorkerConfig } from './config.ts';
import { createWorker } from './worker.ts';

await runService('worker', () => createWorker(readWorkerConfig()));
