// A relay whose machine is gone, on another one: from a backup, with new keys of the worker, until the door is open.
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { layoutOf, type Layout } from '../../deploy/state/layout.ts';
import { PARTS } from '../../deploy/demo/parts.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { runSetup } from '../../deploy/setup/setting-up.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { captured, cli, temporaryDirectory, writeTo } from '../support/cli.ts';
import { http, postParcel } from '../support/http.ts';
import { OpenedInbox } from '../support/opened-inbox.ts';
import { preparedOnce } from '../support/prepared.ts';
import { Programs } from '../support/programs.ts';

const WORDS = 'six words that nobody guesses';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let admin: AdminFolder;
let layout: Layout;
let programs: Programs;
let url: string;
/** The volunteer's identities of all weeks. */
let volunteer: string;

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  admin = new AdminFolder(dir.path, 'admin', new Date());
  // The same path on both machines, as the containers and the package have it.
  layout = layoutOf(dir.path('state'));
  const identities = Array.from({ length: 13 }, generateIdentity);
  volunteer = await writeTo(dir.path('volunteer.txt'), `${identities.join('\n')}\n`);
  await admin.done('init', '--no-passphrase');
  await admin.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'other:en=Something else');
  const card = await admin.card('volunteer', { recipients: identities.map(identityToRecipient) });
  await admin.done('add', card, '--team', 'psych', '--alias', 'Maple', '--yes');
  const port = String(await choosePort(0));
  url = `http://127.0.0.1:${port}/`;
  programs = new Programs(layout, { listen: `127.0.0.1:${port}`, roundSeconds: 1, flushProbability: 1 });
});
afterAll(async () => {
  await programs?.endParts();
  await dir.remove();
});

async function setup(...argv: string[]): Promise<string> {
  const { code, err, text } = await captured((io) => runSetup(['--dir', layout.dir, '--for', 'here', '--no-questions', ...argv], io));
  expect(code, err).toBe(EXIT.ok);
  return text;
}
async function operator(argv: readonly string[], answers?: readonly string[]): Promise<string> {
  const { code, err, text } = await cli(['operator', ...argv], { logN: 12, ...(answers === undefined ? {} : { terminal: { answers } }) });
  expect(code, err).toBe(EXIT.ok);
  return text;
}
/** A form in its place: building one takes seconds, and this is not about it. Its signature is by another root key. */
async function putForm(): Promise<void> {
  await cp(layoutOf(await preparedOnce()).web, layout.web, { recursive: true });
  await rm(join(layout.web, 'manifest.json.minisig'));
}
const workerCard = async (): Promise<string> => {
  const [name = ''] = (await readdir(layout.identities)).filter((each) => each.endsWith('.card'));
  return join(layout.identities, name);
};
const door = async (): Promise<unknown> => JSON.parse(Buffer.from((await http(new URL('door.json', url).href)).body).toString());

async function servedKeyring(): Promise<VerifiedKeyring> {
  const root = parsePublicKey(await readFile(join(admin.dir, 'root.pub'), 'utf8'));
  const [json, signature] = await Promise.all(
    ['keyring.json', 'keyring.json.minisig'].map(async (name) => new Uint8Array((await http(new URL(name, url).href)).body)),
  );
  return verifyKeyring(json ?? new Uint8Array(), Buffer.from(signature ?? []).toString(), root);
}

test('has the same address and the same teams, and the door opens once the administrator has signed', async () => {
  // The first machine, whose disk is lost after a backup.
  await setup();
  await putForm();
  await admin.done('add', await workerCard(), '--yes');
  await admin.done('season', '--yes');
  const given = join(admin.dir, 'out/relay');
  await cp(given, layout.keyrings, { recursive: true });
  await setup('--inbox', 'psychologists=maildir');
  const address = await readFile(layout.onionAddress, 'utf8');
  const [team = { id: '' }] = (await admin.keyrings()).at(-1)?.teams ?? [];
  await operator(['backup', '--state', layout.dir, '--out', dir.path('relay.age')]);
  await rename(layout.dir, dir.path('lost'));

  // The other one.
  await setup();
  expect(await readFile(layout.onionAddress, 'utf8')).not.toBe(address);
  const reseal = ['admin', 'reseal', dir.path('relay.age'), '--out', dir.path('restore.age'), '--folder', admin.dir];
  expect((await cli(reseal, { logN: 12, terminal: { answers: ['y', WORDS, WORDS] } })).code).toBe(EXIT.ok);
  await operator(['restore', dir.path('restore.age'), '--state', layout.dir, '--replace'], [WORDS]);
  expect(await readFile(layout.onionAddress, 'utf8')).toBe(address);
  expect((await readdir(layout.keyrings)).toSorted()).toEqual(['backup.recipient', 'root.pub']);
  await putForm();
  for (const part of PARTS) programs.start(part);
  await expect.poll(door, { timeout: 60_000 }).toMatchObject({ open: false, reason: 'keyring' });

  admin.now = new Date();
  await admin.done('revoke', '--worker', await workerCard(), '--yes');
  expect(await setup('--keyrings', given)).toContain(address.trim());
  await expect.poll(door, { timeout: 90_000 }).toMatchObject({ open: true });

  const keyring = await servedKeyring();
  const [mine, lost] = await Promise.all([layout.identities, dir.path('lost/worker/identities')].map((folder) => readdir(folder)));
  expect([keyring.keyring.teams[0]?.id, mine?.length]).toEqual([team.id, lost?.length]);
  const parcel = stampParcel(sealRequest({ topic: 'other', language: 'en', message: 'to the other machine' }, keyring), 10);
  await expect.poll(async () => (await postParcel(url, parcel)).status).toBe(202);
  const inbox = new OpenedInbox(join(layout.maildirs, 'inbox-1'), volunteer);
  await expect.poll(() => inbox.contents(), { timeout: 60_000 }).toMatchObject([{ kind: 'request', message: 'to the other machine' }]);
});
