import { processIo } from '../../cli/terminal/process-io.ts';
import { runSetup } from './setting-up.ts';

process.umask(0o077);
process.exitCode = await runSetup(process.argv.slice(2), processIo());
