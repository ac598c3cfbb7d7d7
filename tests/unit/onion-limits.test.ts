// The limits of the onion service, as Debian's tor reads them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const LIMITS = resolve('deploy/tor/onion.conf');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'onion-limits-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What tor says of a configuration with `lines` at its end. */
function verify(lines: readonly string[]): { status: number | null; said: string } {
  const torrc = join(dir, 'torrc');
  const service = [`HiddenServiceDir ${join(dir, 'onion')}`, 'HiddenServicePort 80 unix:/run/relay.sock'];
  writeFileSync(torrc, [`DataDirectory ${join(dir, 'data')}`, 'SocksPort 0', ...service, ...lines, ''].join('\n'));
  const { status, stdout } = spawnSync('tor', ['--defaults-torrc', '/dev/null', '-f', torrc, '--verify-config'], { encoding: 'utf8' });
  // Not of these lines: that it runs as root, where the tests do.
  const said = stdout.split('\n').filter((line) => /\[(?:warn|err)\]/.test(line) && !line.includes('running Tor as root'));
  return { status, said: said.join('\n') };
}

it('are all valid, without a warning, and part of the onion service that stands before them', () => {
  expect(verify([`%include ${LIMITS}`])).toEqual({ status: 0, said: '' });
  // What a mistake would look like.
  expect(verify([`%include ${LIMITS}`, 'HiddenServiceMaxStreams 65536'])).toMatchObject({ status: 1 });
  expect(verify([`%include ${LIMITS}`, 'HiddenServicePoWQueueRates 1'])).toMatchObject({ status: 1 });
});

it('are those of a tor that was built with the proof of work', () => {
  expect(execFileSync('tor', ['--list-modules'], { encoding: 'utf8' })).toContain('pow: yes');
});
