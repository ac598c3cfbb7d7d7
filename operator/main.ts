import { runService } from '../runtime/lifecycle.ts';
import { readOperatorConfig } from './config.ts';
import { OperatorService } from './service.ts';

await runService('operator', () => new OperatorService(readOperatorConfig()));
