import { run } from '../runtime/lifecycle.ts';
import { readConfig } from './config.ts';
import { createWorker } from './worker.ts';

await run('worker', () => createWorker(readConfig()));
