#!/usr/bin/env node
import { processIo } from './process-io.ts';
import { run } from './run.ts';

// The exit code is set, not forced: what is still on its way to a pipe gets there.
process.exitCode = await run(process.argv.slice(2), processIo());
