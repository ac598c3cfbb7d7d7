// How long `npm run demo` takes until a request can be sent, compared with building the programs, which is part of it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort } from '../deploy/demo/port.ts';

const TIMES = 3;

for (let i = 0; i < TIMES; i += 1) {
  let start = performance.now();
  spawnSync(process.execPath, ['scripts/build.mjs']);
  const buildMs = performance.now() - start;
  const dir = mkdtempSync(join(tmpdir(), 'support-relay-bench-'));
  const port = String(await choosePort(0));
  start = performance.now();
  const demo = spawn(process.execPath, ['scripts/demo.mjs', '--dir', dir, '--port', port], { stdio: 'ignore' });
  while (!existsSync(join(dir, 'ready.json'))) await sleep(20);
  const readyMs = performance.now() - start;
  demo.kill('SIGTERM');
  await once(demo, 'exit');
  rmSync(dir, { recursive: true });
  console.log(`ready after ${readyMs.toFixed(0)} ms, building alone ${buildMs.toFixed(0)} ms, ratio ${(readyMs / buildMs).toFixed(1)}`);
}
