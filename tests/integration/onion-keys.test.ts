// The onion service's keys, made before tor has ever run: a real tor takes them, and finds the same address in them.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { onionAddressOf } from '../../crypto/onion-address.ts';
import { makeFolders } from '../../deploy/state/folders.ts';
import { layoutOf, type Layout } from '../../deploy/state/layout.ts';
import { burnOnion, ensureOnion } from '../../deploy/setup/onion.ts';
import { temporaryDirectory, writeTo } from '../support/cli.ts';
import { TOR_ENVIRONMENT } from '../support/tor-keys.ts';
import { until } from '../support/worker.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let layout: Layout;

beforeEach(async () => {
  dir = await temporaryDirectory();
  layout = layoutOf(dir.path('state'));
  await makeFolders(layout);
});
afterEach(() => dir.remove());

/** Tor writes what is missing beside the secret key. It never reaches a network here. */
async function withTor(work: () => Promise<void>): Promise<void> {
  const torrc = await writeTo(dir.path('torrc'), '');
  const lines = ['-f', torrc, '--defaults-torrc', torrc, '--DataDirectory', dir.path('data'), '--SocksPort', '0', '--DisableNetwork', '1'];
  const service = ['--HiddenServiceDir', layout.onionKeys, '--HiddenServicePort', `80 unix:${dir.path('relay.sock')}`];
  const tor = spawn('tor', [...lines, ...service], { stdio: 'ignore', env: TOR_ENVIRONMENT });
  const end = once(tor, 'exit');
  try {
    await work();
  } finally {
    tor.kill('SIGKILL');
    await end;
  }
}

test('tor derives from the secret key the public key and the address that setup wrote', async () => {
  const address = await ensureOnion(layout, () => undefined);
  const at = (name: string): string => join(layout.onionKeys, name);
  const made = await readFile(at('hs_ed25519_public_key'));
  await rm(at('hostname'));
  await rm(at('hs_ed25519_public_key'));
  await withTor(() =>
    until('tor has read the key', async () => (await readFile(at('hostname'), 'utf8').catch(() => '')) === `${address}\n`),
  );
  expect(await readFile(at('hs_ed25519_public_key'))).toEqual(made);
});

test('keys that tor made are kept, and their address is found', async () => {
  let hostname = '';
  await withTor(() =>
    until('tor has made keys', async () => {
      hostname = await readFile(join(layout.onionKeys, 'hostname'), 'utf8').catch(() => '');
      return hostname.endsWith('\n');
    }),
  );
  expect(`${await ensureOnion(layout, () => undefined)}\n`).toBe(hostname);
  expect(await readFile(layout.onionAddress, 'utf8')).toBe(hostname);
});

test('the secret key is shredded, whatever tor has put beside it', async () => {
  await ensureOnion(layout, () => undefined);
  const at = (name: string): string => join(layout.onionKeys, name);
  await rm(at('hostname'));
  execFileSync('mkfifo', [at('hostname')]);
  await rm(at('hs_ed25519_public_key'));
  await mkdir(at('hs_ed25519_public_key/of/others'), { recursive: true });
  await burnOnion(layout);
  expect(await readdir(layout.onionKeys)).toEqual([]);
});

test('an address is as the specification has it', () => {
  // Tor Project's own: its key is the first 32 bytes of what the name encodes.
  const name = '2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid';
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bits = [...name].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2));
  expect(onionAddressOf(key)).toBe(`${name}.onion`);
});
