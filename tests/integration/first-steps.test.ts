// A relay that starts with nothing but Redis, and takes root key, keyrings and form when they come, in any order and without a restart.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { TRIAL_MARK } from '../../runtime/keyrings.ts';
import { log } from '../../runtime/log.ts';
import { publish } from '../../web/build/publish.ts';
import { http } from '../support/http.ts';
import { PAGE, smallForm, startRelay, type TestRelay } from '../support/relay.ts';

const LATER = ['root', 'keyrings', 'form'] as const;
type Later = (typeof LATER)[number];
const ORDERS: readonly (readonly Later[])[] = [
  ['root', 'keyrings', 'form'],
  ['root', 'form', 'keyrings'],
  ['keyrings', 'root', 'form'],
  ['keyrings', 'form', 'root'],
  ['form', 'root', 'keyrings'],
  ['form', 'keyrings', 'root'],
];

let dir: string;
let relay: TestRelay;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'support-relay-later-'));
  for (const folder of ['keyrings', 'web']) await mkdir(join(dir, folder));
});
afterEach(async () => {
  await relay.stop();
  await rm(dir, { recursive: true, force: true });
});

const start = async (): Promise<void> => {
  const keyrings = { directory: join(dir, 'keyrings'), rootKeyFile: join(dir, 'keyrings/root.pub') };
  relay = await startRelay({ config: { webDirectory: join(dir, 'web'), keyrings } });
};

const ARRIVES: Readonly<Record<Later, () => Promise<void>>> = {
  root: () => cp(relay.keyrings.rootKeyFile, join(dir, 'keyrings/root.pub')),
  keyrings: () => cp(relay.keyrings.directory, join(dir, 'keyrings'), { recursive: true }),
  form: () => cp(join(relay.dir, 'web'), join(dir, 'web'), { recursive: true }),
};

/** Instead of the ten seconds after which the relay looks by itself. */
const look = (): boolean => process.emit('SIGHUP');
const page = async (path = '/') => {
  const { status, body } = await http(`${relay.url}${path}`);
  return { status, text: Buffer.from(body).toString() };
};
const untilPage = async (text: string): Promise<void> => void (await expect.poll(async () => (await page()).text).toContain(text));

describe.each(ORDERS)('%s, %s, %s', (...order) => {
  test('the page is empty until there is a form, and the door closed until there is a keyring', async () => {
    await start();
    const there = new Set<Later>();
    for (const next of order) {
      const empty = await page();
      if (!there.has('form')) {
        expect(empty).toMatchObject({ status: 200, text: expect.stringContaining('Здесь пока ничего нет') as unknown });
        expect(empty.text).toContain('There is nothing here yet');
        expect(empty.text).not.toMatch(/script|href="(?!data:)/);
        expect(await page('/en/')).toEqual({ status: 404, text: empty.text });
      }
      await relay.untilDoor('keyring');
      await ARRIVES[next]();
      there.add(next);
      look();
      if (next === 'form') await untilPage(PAGE);
    }
    await relay.untilDoor(null);
    expect((await page()).text).toBe(PAGE);
    expect((await http(`${relay.privateUrl}/livez`)).status).toBe(200);
  });
});

test('a root key that is replaced while the relay runs is told of, and its keyrings are not taken', async () => {
  await start();
  await ARRIVES.root();
  await ARRIVES.keyrings();
  look();
  await relay.untilDoor(null);
  const errors = vi.spyOn(log, 'error');
  await writeFile(join(dir, 'keyrings/root.pub'), encodePublicKey(generateKeyPair()));
  look();
  await expect.poll(() => errors.mock.calls).toContainEqual(['root key differs', { reason: 'replaced', code: 'none' }]);
  errors.mockRestore();
  await relay.untilDoor(null);
});

test('a form that was built anew is served without a restart; one that is not whole is not', async () => {
  await start();
  await ARRIVES.form();
  look();
  await untilPage(PAGE);
  const staging = await smallForm(join(dir, 'staging'));
  await writeFile(join(staging, 'index.html'), 'built anew');
  await publish(staging, join(dir, 'web'));
  look();
  await untilPage('built anew');
  await writeFile(join(dir, 'web/manifest.json'), '{}');
  const errors = vi.spyOn(log, 'error');
  look();
  await expect.poll(() => errors.mock.calls).toContainEqual(['form ignored', { code: 'MANIFEST_FORMAT' }]);
  errors.mockRestore();
  expect((await page()).text).toBe('built anew');
});

test('a trial is named in the log at every start', async () => {
  await writeFile(join(dir, 'keyrings', TRIAL_MARK), '');
  const warnings = vi.spyOn(log, 'warn');
  await start();
  expect(warnings.mock.calls).toContainEqual(['trial keys']);
  warnings.mockRestore();
});
