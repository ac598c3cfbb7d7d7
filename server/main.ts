import { runService } from '../runtime/lifecycle.ts';
import { readRelayConfig } from './config.ts';
import { Relay } from './relay.ts';

await runService('relay', () => new Relay(readRelayConfig()));
