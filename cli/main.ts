#!/usr/bin/env node
import { Output } from './terminal/output.ts';
import { processIo } from './terminal/process-io.ts';
import { runCommand } from './run.ts';

const output = new Output(process.stdout, process.stderr);
// The exit code is set, and process.exit not called: what is still on its way to a pipe arrives, or its loss is noticed.
process.on('exit', (exitCode) => {
  process.exitCode = output.finish(exitCode);
});
process.exitCode = await runCommand(process.argv.slice(2), processIo(output));
