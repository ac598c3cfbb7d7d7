import { run } from '../runtime/lifecycle.ts';
import { readConfig } from './config.ts';
import { Relay } from './relay.ts';

await run('relay', () => new Relay(readConfig()));
