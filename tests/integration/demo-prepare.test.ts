import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { toHex } from '../../crypto/bytes.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import { layoutOf } from '../../deploy/state/layout.ts';
import { prepareDeployment, type Prepared, type PrepareOptions } from '../../deploy/setup/trial.ts';
import { preparedOnce } from '../support/prepared.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'support-relay-prepare-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Uses the run's form where a case is not about the form. */
async function prepare(options: PrepareOptions = {}): Promise<Prepared> {
  return prepareDeployment(dir, { ...options, prebuilt: layoutOf(await preparedOnce()).web });
}

function secrets(): Record<string, string> {
  const layout = layoutOf(dir);
  const files = [
    layout.rootSecretKey,
    layout.volunteerIdentity,
    layout.volunteerSigner,
    layout.identityFile(1),
    layout.passwordFile('relay'),
    layout.keyringFile(1),
    layout.inboxes,
  ];
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

test('makes everything a deployment needs, and nothing secret is readable by others', async () => {
  const { keyring, layout } = await prepareDeployment(dir);
  const [worker] = parseIdentityFile(readFileSync(layout.identityFile(1), 'utf8'));
  const [volunteer] = parseIdentityFile(readFileSync(layout.volunteerIdentity, 'utf8'));
  expect(keyring.keyring.worker).toBe(identityToRecipient(worker ?? ''));
  expect(keyring.keyring.teams.flatMap((team) => team.recipients)).toEqual([identityToRecipient(volunteer ?? '')]);
  const signer = await parseSigner(readFileSync(layout.volunteerSigner, 'utf8'));
  expect([...signersOf(keyring.keyring)]).toEqual([toHex(signer.key)]);
  expect(keyring.keyring.teams.flatMap((team) => team.topics.map(({ id }) => id))).toEqual(['psychological', 'legal']);
  expect(existsSync(join(layout.web, 'index.html')) && existsSync(join(layout.web, 'en/index.html'))).toBe(true);
  for (const file of [
    layout.rootSecretKey,
    layout.volunteerIdentity,
    layout.volunteerSigner,
    layout.identityFile(1),
    layout.acl,
    layout.passwordFile('worker'),
  ]) {
    expect(statSync(file).mode & 0o077, file).toBe(0);
  }
});

test('running it again changes nothing', async () => {
  await prepare();
  const before = secrets();
  const { keyring } = await prepare();
  expect(keyring.keyring.serial).toBe(1);
  expect(secrets()).toEqual(before);
});

test('near the end of a keyring makes the next one, which follows on it, with its worker identity', async () => {
  const first = await prepare();
  const before = secrets();
  const { keyring, keyringFile, layout } = await prepare({ now: new Date(Date.now() + 6 * DAY_MS) });
  expect(keyring.keyring).toMatchObject({ serial: 2, previous: first.keyring.digest, teams: first.keyring.keyring.teams });
  expect(keyring.keyring.worker).not.toBe(first.keyring.keyring.worker);
  expect(keyringFile).toBe(layout.keyringFile(2));
  expect(existsSync(layout.identityFile(2))).toBe(true);
  expect(secrets()).toEqual(before);
});

test('completes what an interrupted preparation left behind', async () => {
  const { layout } = await prepare();
  for (const file of [layout.rootKey, `${layout.keyringFile(1)}.minisig`, layout.passwordFile('operator')]) unlinkSync(file);
  const again = await prepare();
  expect(again.keyring.keyring.serial).toBe(1);
  expect(JSON.parse(readFileSync(layout.inboxes, 'utf8'))).toMatchObject([{ team: again.keyring.keyring.teams[0]?.id }]);
  // A keyring without a signature may be about to be signed.
  expect(readdirSync(layout.keyrings).sort()).toEqual(['keyring-1.json', 'keyring-1.json.minisig', 'keyring-1.json.unsigned', 'root.pub']);
  expect(existsSync(layout.passwordFile('operator'))).toBe(true);
});

test('a pipe in place of a file is named, and nothing waits for it', { timeout: 20_000 }, async () => {
  const { layout } = await prepare();
  unlinkSync(layout.volunteerIdentity);
  execFileSync('mkfifo', [layout.volunteerIdentity]);
  await expect(prepare()).rejects.toThrow(`cannot read the identity ${layout.volunteerIdentity}: it is a directory, a pipe or a device`);
});

test('puts sockets into a short folder when the deployment’s path is too long for them', () => {
  const long = join('/tmp', 'x'.repeat(100));
  expect(layoutOf('/tmp/short').redisSocket).toBe('/tmp/short/run/redis/redis.sock');
  expect(Buffer.byteLength(layoutOf(long).privateSocket)).toBeLessThanOrEqual(107);
  expect(layoutOf(long).run).not.toBe(layoutOf(`${long}y`).run);
});
