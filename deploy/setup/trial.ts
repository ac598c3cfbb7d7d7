import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { stop } from 'esbuild';
import { createIdentityFile } from '../../cli/keys/identity.ts';
import { createKeyring, readKeyring } from '../../cli/keys/keyring.ts';
import { createRootKey, readRootKey } from '../../cli/keys/root-key.ts';
import { readInputText } from '../../cli/files.ts';
import { identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import type { Keyring, VerifiedKeyring } from '../../crypto/keyring.ts';
import { MANIFEST_NAME, MANIFEST_SIGNATURE_NAME } from '../../crypto/manifest.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, parseSigner, sign, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';
import { buildWeb } from '../../web/build/build.ts';
import { readSigned } from '../../web/build/single-file.ts';
import { ensureUsers, makeFolders, replaceFile, type Say } from '../state/folders.ts';
import { inboxesOf } from './inboxes.ts';
import { layoutOf, type Layout } from '../state/layout.ts';

const KEYRING_DAYS = 7;
/** The next keyring is made when the newest expires in less than this. */
const RENEW_BEFORE_MS = 2 * 24 * 60 * 60 * 1000;

export type PrepareOptions = Readonly<{
  /** The Maildir's path as the worker sees it, if that differs (in a container). */
  inboxPath?: string;
  say?: Say;
  now?: Date;
  /** Mean time between two slots of the form; by default the form's own. */
  slotSeconds?: number;
  /** A folder with a form built earlier for this deployment's root key and keyring: copied instead of building one. */
  prebuilt?: string | undefined;
}>;

export type Prepared = Readonly<{ layout: Layout; keyring: VerifiedKeyring; keyringFile: string }>;

/**
 * Makes whatever a deployment in `dir` lacks, and keeps what is there: keys, keyring, Redis' users, a Maildir. The form is always
 * built again.
 */
export async function prepareDeployment(dir: string, options: PrepareOptions = {}): Promise<Prepared> {
  await ready;
  const layout = layoutOf(dir);
  const say = options.say ?? (() => undefined);
  await makeFolders(layout);
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(layout.inbox, part), { recursive: true, mode: 0o700 });
  const root = await ensureRootKey(layout, say);
  const recipient = await ensureIdentity(layout.volunteerIdentity, "the volunteer's identity", say);
  const signer = await ensureSigner(layout.volunteerSigner, say);
  const keyring = await ensureKeyring(layout, root, { recipient, signer }, options.now ?? new Date(), say);
  await ensureInboxes(layout, keyring.keyring, options.inboxPath ?? layout.inbox);
  await ensureUsers(layout, say);
  if (options.prebuilt === undefined) await buildForm(layout, root, keyring, options.slotSeconds, say);
  else await cp(options.prebuilt, layout.web, { recursive: true });
  return { layout, keyring, keyringFile: layout.keyringFile(keyring.keyring.serial) };
}

async function buildForm(
  layout: Layout,
  root: SigningKey,
  { keyring: { serial } }: VerifiedKeyring,
  slotSeconds: number | undefined,
  say: Say,
): Promise<void> {
  const site = existsSync(layout.site) ? { siteFile: layout.site } : {};
  say(`building the form with the root key in it${'siteFile' in site ? ' and what site.json says' : ''}`);
  const keyrings = [await readSigned(layout.keyringFile(serial))];
  await buildWeb({ rootKeyFile: layout.rootKey, outDir: layout.web, floorSerial: serial, slotSeconds, keyrings, ...site });
  const manifest = join(layout.web, MANIFEST_NAME);
  await replaceFile(join(layout.web, MANIFEST_SIGNATURE_NAME), sign(await readFile(manifest), root, MANIFEST_NAME), 0o644);
  // Otherwise esbuild keeps its service process for further builds.
  await stop();
}

async function ensureRootKey(layout: Layout, say: Say): Promise<SigningKey> {
  if (!existsSync(layout.rootSecretKey)) {
    say('making the root key');
    await createRootKey({ directory: join(layout.dir, 'admin') });
  }
  const refused = `${layout.rootSecretKey} has a passphrase; the root key of a deployment made here must have none`;
  const key = await readRootKey(layout.rootSecretKey, () => Promise.reject(new Error(refused)));
  if (!existsSync(layout.rootKey)) await replaceFile(layout.rootKey, encodePublicKey(key), 0o644);
  return key;
}

/** @returns the recipient of the identity in `file`, made if missing */
async function ensureIdentity(file: string, what: string, say: Say): Promise<string> {
  if (!existsSync(file)) {
    say(`making ${what}`);
    return (await createIdentityFile({ file })).recipient;
  }
  const [identity] = parseIdentityFile(await readInputText(file, 'the identity'));
  if (identity === undefined) throw new Error(`${file} contains no identity`);
  return identityToRecipient(identity);
}

/** @returns the public key (64 hex digits) of the signer in `file`, made if missing */
async function ensureSigner(file: string, say: Say): Promise<string> {
  if (existsSync(file)) return toHex((await parseSigner(await readInputText(file, 'the signer'))).key);
  say("making the volunteer's signer");
  const signer = generateKeyPair();
  await replaceFile(file, await encodeSecretKey(signer, undefined, 'signer'), 0o600);
  return toHex(signer.key);
}

type Volunteer = Readonly<{ recipient: string; signer: string }>;

async function ensureKeyring(layout: Layout, root: SigningKey, volunteer: Volunteer, now: Date, say: Say): Promise<VerifiedKeyring> {
  const newest = await newestKeyring(layout, root, say);
  if (newest !== null && Date.parse(newest.keyring.notAfter) - now.getTime() > RENEW_BEFORE_MS) return newest;
  const serial = (newest?.keyring.serial ?? 0) + 1;
  // The worker's key first: a keyring must never name a key that does not exist yet.
  const worker = await ensureIdentity(layout.identityFile(serial), `the worker's identity ${String(serial)}`, say);
  say(`signing keyring ${String(serial)}`);
  const teams = newest?.keyring.teams ?? [firstTeam(await firstTeamId(layout), volunteer)];
  const plan = { serial, from: now, days: KEYRING_DAYS, worker, teams };
  return createKeyring(newest === null ? plan : { ...plan, previous: newest }, root, layout.keyrings);
}

async function newestKeyring(layout: Layout, root: SigningKey, say: Say): Promise<VerifiedKeyring | null> {
  const names = await readdir(layout.keyrings);
  const serials = names.map((name) => /^keyring-(\d+)\.json$/.exec(name)?.[1]).filter((serial) => serial !== undefined);
  for (const serial of serials.map(Number).sort((a, b) => b - a)) {
    const file = layout.keyringFile(serial);
    if (existsSync(`${file}.minisig`)) return readKeyring(file, root);
    // Either its writer was stopped between the two files, or somebody is about to sign it: no one accepts it yet, so keep it.
    say(`putting keyring-${String(serial)}.json aside as keyring-${String(serial)}.json.unsigned: it has no signature`);
    await rename(file, `${file}.unsigned`);
  }
  return null;
}

/** An existing inbox keeps its team. */
async function firstTeamId(layout: Layout): Promise<string> {
  const [inbox] = await inboxesOf(layout);
  return inbox?.team ?? toHex(randomBytes(TEAM_ID_BYTES));
}

function firstTeam(id: string, { recipient, signer }: Volunteer): Keyring['teams'][number] {
  return {
    id,
    names: { ru: 'Волонтёры', en: 'Volunteers' },
    topics: [
      { id: 'psychological', names: { ru: 'Психологическая помощь', en: 'Psychological help' } },
      { id: 'legal', names: { ru: 'Юридическая помощь', en: 'Legal help' } },
    ],
    recipients: [recipient],
    signers: [signer],
  };
}

async function ensureInboxes(layout: Layout, keyring: Keyring, path: string): Promise<void> {
  if ((await inboxesOf(layout)).length > 0) return;
  const inboxes = keyring.teams.map((team, index) => ({ id: `inbox-${String(index + 1)}`, team: team.id, kind: 'maildir', path }));
  await replaceFile(layout.inboxes, `${JSON.stringify(inboxes, null, 2)}\n`, 0o600);
}
