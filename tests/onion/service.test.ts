// What an onion service gives, through real tors: room for all streams of a browser, mail to an onion, and client authorization as the
// document has it.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { base32nopad } from '@scure/base';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomBytes } from '../../crypto/bytes.ts';
import { onionAddressOf } from '../../crypto/onion-address.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { readOnion, type OnionState } from '../../operator/onion.ts';
import { ROOT } from '../../runtime/root.ts';
import { guardedInbox, inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { openBrowser, Tab, type BrowserName } from '../support/browser.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { commandBlock } from '../support/documents.ts';
import { visitMs } from '../support/onion-attack.ts';
import { startSmtp } from '../support/smtp.ts';
import { startTor, TOR_START_MS, type Tor } from '../support/tor.ts';

const TEST_MS = 300_000;
const LOAD_MS = 90_000;
const TABS = 4;

let deployment: Deployment;
let tor: Tor;
beforeAll(async () => {
  deployment = await startDeployment({ onSocket: true });
  tor = await startTor(deployment.socket ?? '');
}, TOR_START_MS);
afterAll(async () => {
  await tor?.stop();
  await deployment?.stop();
});

/** What the operator's service sees of the address. */
async function operatorsLook(): Promise<OnionState> {
  const addressFile = join(deployment.dir, 'onion-address');
  await writeFile(addressFile, tor.onion);
  return readOnion({ socks: { host: '127.0.0.1', port: tor.socksPort }, addressFile });
}

/** How many streams of the client were open at once, at the most, and over how many circuits. */
function streamsIn(events: readonly string[]): { most: number; circuits: number } {
  const open = new Set<string>();
  let most = 0;
  for (const line of events) {
    const [, id = '', state = ''] = /^650 STREAM (\d+) (\w+) /.exec(line) ?? [];
    if (state === 'NEW') open.add(id);
    if (state === 'CLOSED') open.delete(id);
    most = Math.max(most, open.size);
  }
  return { most, circuits: new Set(events.flatMap((line) => / SENTCONNECT (\d+) /.exec(line)?.[1] ?? [])).size };
}

it.each<BrowserName>(['firefox', 'chromium'])('%s with four tabs stays below the limit of streams', { timeout: TEST_MS }, async (name) => {
  const limits = await readFile(join(ROOT, 'deploy/tor/onion.conf'), 'utf8');
  const limit = Number(/^HiddenServiceMaxStreams (\d+)$/m.exec(limits)?.[1]);
  await tor.client.command('SETEVENTS STREAM');
  tor.client.takeEvents();
  const browser = await openBrowser(name, { level: 'standard', socksPort: tor.socksPort });
  try {
    const tabs = await Promise.all(Array.from({ length: TABS }, () => Tab.open(browser)));
    await Promise.all(tabs.map(({ page }) => page.goto(tor.url, { waitUntil: 'load', timeout: LOAD_MS })));
    await Promise.all(tabs.map(({ page }) => page.reload({ waitUntil: 'load', timeout: LOAD_MS })));
    for (const tab of tabs) await tab.until('#send:not(:disabled)', LOAD_MS);
  } finally {
    await browser.close();
    await tor.client.command('SETEVENTS');
  }
  const { most, circuits } = streamsIn(tor.client.takeEvents());
  console.log(`${name}: ${String(most)} streams at once, ${String(circuits)} circuits`);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(limit);
  // None was closed by the limit.
  expect(circuits).toBe(1);
});

it('mail reaches a mail server that is an onion service, and says what is wrong with another', { timeout: TEST_MS }, async () => {
  const server = await startSmtp();
  const { control, socksPort } = { control: tor.client, socksPort: tor.socksPort };
  await control.command('SETEVENTS HS_DESC');
  const lines = await control.command(`ADD_ONION NEW:ED25519-V3 Flags=DiscardPK Port=25,127.0.0.1:${String(server.port)}`);
  const host = `${/ServiceID=(\w+)/.exec(lines.join('\n'))?.[1] ?? ''}.onion`;
  await control.event(/ HS_DESC UPLOADED /, performance.now() + LOAD_MS);
  const inbox = (more: object) => {
    const [settings] = inboxesSchema.parse([
      { id: 'inbox-1', team: '00112233445566aa', kind: 'smtp', port: 25, tls: 'none', from: 'a@example.org', to: 'b@example.org', ...more },
    ]);
    if (settings === undefined) throw new Error('no inbox');
    return guardedInbox(settings, { host: '127.0.0.1', port: socksPort });
  };
  const letter = { id: randomBytes(16), bytes: randomBytes(LETTER_BYTES) };
  try {
    await inbox({ host }).deliver(letter);
    expect(server.mails).toMatchObject([{ to: ['b@example.org'], hello: '[127.0.0.1]' }]);
    await expect(inbox({ host: `${'a'.repeat(56)}.onion` }).deliver(letter)).rejects.toMatchObject({ reason: 'tor-onion' });
    // This client leads to onions only.
    await expect(inbox({ host: 'mail.example.org', tls: 'implicit' }).deliver(letter)).rejects.toMatchObject({ reason: /^tor-/ });
  } finally {
    await server.stop();
  }
});

it(
  'an address that nobody has is said to lead nowhere, soon: that tells it from a tor without a network',
  { timeout: TEST_MS },
  async () => {
    const addressFile = join(deployment.dir, 'nobody');
    const key = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    await writeFile(addressFile, onionAddressOf(key));
    const started = performance.now();
    expect(await readOnion({ socks: { host: '127.0.0.1', port: tor.socksPort }, addressFile })).toBe('unreachable');
    console.log(`nobody: twice in ${String(Math.round(performance.now() - started))} ms`);
  },
);

it('only those who were given a key find the service, once it has one, as the document has it', { timeout: TEST_MS }, async () => {
  const parcel = (): Uint8Array => deployment.seal('Только для своих.');
  await visitMs(tor, parcel());
  expect(await operatorsLook()).toBe('reachable');
  const home = join(tor.service.folder, '..', 'home');
  await mkdir(join(home, 'state/tor'), { recursive: true });
  execFileSync('ln', ['-s', tor.service.folder, join(home, 'state/tor/onion')]);
  const typed = (await commandBlock('docs/operations.md', 'Only for those who have a key')).replace(/^docker .*$/m, '');
  const said = execFileSync('bash', ['-ec', typed], { cwd: home, encoding: 'utf8' });
  const key = /^[A-Z2-7]{52}$/m.exec(said)?.[0] ?? '';
  await tor.service.control.command('SIGNAL RELOAD');
  // As when somebody comes who has not been here. tor forgets what it knows of the service, once in ten seconds at most.
  const asStranger = async (): Promise<string> => {
    await tor.client.command('SIGNAL NEWNYM');
    return visitMs(tor, parcel()).then(String, String);
  };
  await expect.poll(asStranger, { timeout: LOAD_MS, interval: 11_000 }).toMatch(/SOCKS reply 244/);
  expect(await operatorsLook()).toBe('locked');
  const address = tor.onion.replace('.onion', '');
  await tor.client.command(`ONION_CLIENT_AUTH_ADD ${address} x25519:${Buffer.from(base32nopad.decode(key)).toString('base64')}`);
  expect(await visitMs(tor, parcel())).toBeGreaterThan(0);
});
