import { makeReady } from './making-ready.ts';

process.umask(0o077);
process.exitCode = await makeReady({ args: process.argv.slice(2), agreed: process.env['SUPPORT_RELAY_UPGRADE'] ?? '' }, (line) => {
  process.stderr.write(line);
});
