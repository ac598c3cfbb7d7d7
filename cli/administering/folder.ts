// The administrator's folder: opened only when everything in it is whole. docs/protocol.md, § The administrator's folder.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { equal, toHex } from '../../crypto/bytes.ts';
import { verifyCard, type VerifiedCard } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, parsePublicKey, type PublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { CliError } from '../errors.ts';
import { readInput, readInputText } from '../files.ts';
import { readKeyring, type HeldKeyring } from '../keys/keyring.ts';
import type { Io } from '../terminal/io.ts';
import { BACKUP_RECIPIENT, parseBackupRecipient } from '../operating/backup-recipient.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { decodeState, encodeState, type CardRef, type FolderState } from './state.ts';
import { exists, namesIn, setAside, store, UNFINISHED } from './store.ts';

export const STATE = 'folder.json';
export const ROOT_KEY = 'root.key';
export const CARDS = 'cards';
export const KEYRINGS = 'keyrings';
const KEYRING_FILE = /^keyring-(\d{1,10})\.json$/;

/** An open folder. Its keyrings by rising serial; `cards` by their digests in hex. */
export type Folder = {
  readonly dir: string;
  readonly root: PublicKey;
  readonly state: FolderState;
  readonly cards: ReadonlyMap<string, VerifiedCard>;
  readonly keyrings: readonly HeldKeyring[];
  /** The text of backup.recipient; null in a folder that was made before there was one. */
  readonly backupRecipient: string | null;
};

export const keyringName = (serial: number): string => `keyring-${String(serial)}.json`;

/** The serial in the name of a keyring's file; null for every other name. */
export function serialOf(name: string): number | null {
  const [, digits] = KEYRING_FILE.exec(name) ?? [];
  return digits === undefined || keyringName(Number(digits)) !== name ? null : Number(digits);
}

/** The second line of root.pub, as `minisign -P` takes it. */
export const publicLineOf = (root: PublicKey): string => encodePublicKey(root).trim().split('\n').at(-1) ?? '';

export function folderDamaged(path: string, why: string): CliError {
  return new CliError('FOLDER_DAMAGED', `${path}: ${why}`, 'go on with the other stick, and copy it over this one');
}

/**
 * Opens a folder. Everything that folder.json names must be there and hold; what a command left behind that broke off is mended or moved
 * aside, and said. Throws FOLDER_MISSING, FOLDER_DAMAGED, and FOLDER_DIVERGED when a keyring lies there that another folder signed.
 */
export async function openFolder(dir: string, io: Io): Promise<Folder> {
  await ready;
  const state = await openState(dir, io);
  const root = await openRoot(dir, state);
  await removeUnfinished(dir, io);
  const cards = new Map<string, VerifiedCard>();
  const { worker, volunteers } = state;
  for (const ref of [...worker.cards, ...worker.revoked]) cards.set(ref.digest, await openCard(dir, ref, 'worker'));
  for (const { signer, cards: refs } of volunteers) for (const ref of refs) cards.set(ref.digest, await openCard(dir, ref, signer));
  const keyrings: HeldKeyring[] = [];
  for (const { serial, digest } of state.keyrings) {
    const path = join(dir, KEYRINGS, keyringName(serial));
    const keyring = await openKeyring(path, root);
    if (keyring.keyring.serial !== serial || keyring.digest !== digest) throw folderDamaged(path, 'it is not the keyring that was signed');
    if (!follows(keyring, keyrings.at(-1))) throw folderDamaged(path, 'it does not follow the keyring before it');
    keyrings.push(keyring);
  }
  const folder = { dir, root, state, cards, keyrings, backupRecipient: await openBackupRecipient(dir, root) };
  await moveStrangeCards(folder, io);
  return adoptKeyrings(folder, io);
}

/** Writes the state that `change` makes of the folder's. Throws FOLDER_CHANGED when another command has changed the folder meanwhile. */
export async function commit(folder: Folder, change: Partial<FolderState>): Promise<FolderState> {
  await insistOnUnchanged(folder);
  const state = { ...folder.state, ...change, revision: folder.state.revision + 1 };
  await store(join(folder.dir, STATE), encodeState(state), true);
  return state;
}

/** Throws FOLDER_CHANGED when another command has changed the folder since it was opened. */
export async function insistOnUnchanged({ dir, state }: Folder): Promise<void> {
  const path = join(dir, STATE);
  if (decodeState(await readInputText(path, 'the state of the folder'))?.revision === state.revision) return;
  throw new CliError('FOLDER_CHANGED', `${path} was changed by another command meanwhile`, 'run this again');
}

/** Throws FOLDER_DAMAGED when the secret key in root.key is not that of root.pub. */
export function insistOnRootKey({ dir, root }: Folder, { id, key }: PublicKey): void {
  if (!equal(key, root.key) || !equal(id, root.id)) throw folderDamaged(join(dir, ROOT_KEY), 'it is not the secret half of root.pub');
}

/** Writes a signed keyring into the folder, its signature first: a keyring without one is never believed. */
export async function storeKeyring(dir: string, { keyring, json, signature }: HeldKeyring): Promise<void> {
  const path = join(dir, keyringName(keyring.serial));
  await store(`${path}.minisig`, signature);
  await store(path, json);
}

/** True when the keyring may be signed after `last`: a higher serial, and `previous` names it. Any may be the first. */
export function follows({ keyring }: Pick<HeldKeyring, 'keyring'>, last: HeldKeyring | undefined): boolean {
  return last === undefined || (keyring.serial > last.keyring.serial && keyring.previous === last.digest);
}

/** Reads a keyring with its signature. Throws as `readKeyring`. */
export async function readHeldKeyring(path: string, root: PublicKey): Promise<HeldKeyring> {
  const verified = await readKeyring(path, root);
  return {
    ...verified,
    json: await readInput(path, 'the keyring'),
    signature: await readInputText(`${path}.minisig`, "the keyring's signature"),
  };
}

async function openState(dir: string, io: Io): Promise<FolderState> {
  const path = join(dir, STATE);
  const unfinished = `${path}${UNFINISHED}`;
  const state = (await exists(path)) ? decodeState(await textIn(path)) : null;
  if (state !== null) return state;
  // Some systems take the old file away before the new one has its name.
  const next = (await exists(unfinished)) ? decodeState(await textIn(unfinished)) : null;
  if (next !== null) {
    await store(path, encodeState(next), true);
    io.err(`Repaired: ${visibleLine(path)} was not whole; it was taken from what was being written.\n`);
    return next;
  }
  if (await exists(path)) throw folderDamaged(path, 'it is cut or was changed');
  await insistOnNoRemains(dir);
  const isBegun = await exists(join(dir, ROOT_KEY));
  const advice = isBegun
    ? 'run support-relay admin init there again'
    : 'give it with --folder DIR, or make one with support-relay admin init';
  throw new CliError('FOLDER_MISSING', `${dir} is not an administrator's folder: there is no ${STATE}`, advice);
}

/** Throws FOLDER_DAMAGED when cards or keyrings lie there: without folder.json nobody knows whose they are. */
export async function insistOnNoRemains(dir: string): Promise<void> {
  const names = [...(await namesIn(join(dir, CARDS))), ...(await namesIn(join(dir, KEYRINGS)))];
  if (names.length > 0) throw folderDamaged(join(dir, STATE), 'it is gone, and cards or keyrings lie beside its place');
}

const textIn = (path: string): Promise<string> => readInputText(path, 'the state of the folder').catch(() => '');

async function openRoot(dir: string, { root }: FolderState): Promise<PublicKey> {
  const path = join(dir, ROOT_PUBLIC);
  const text = await readInputText(path, 'the root public key').catch((error: unknown) => {
    throw folderDamaged(path, error instanceof Error ? error.message : 'it cannot be read');
  });
  if (text.trim().split('\n').at(-1) !== root) throw folderDamaged(path, 'it is not the public key of this folder');
  return holding(path, () => parsePublicKey(root));
}

async function openBackupRecipient(dir: string, root: PublicKey): Promise<string | null> {
  const path = join(dir, BACKUP_RECIPIENT);
  if (!(await exists(path))) return null;
  const text = await readInputText(path, 'the recipient of backups').catch(() => '');
  holding(path, () => parseBackupRecipient(text, root));
  return text;
}

/** @param by the signer whose card it must be, 64 hex digits, or `worker` */
async function openCard(dir: string, { file, digest }: CardRef, by: string): Promise<VerifiedCard> {
  const path = join(dir, CARDS, file);
  const text = await readInputText(path, 'the card').catch((error: unknown) => {
    throw folderDamaged(path, error instanceof Error ? error.message : 'it cannot be read');
  });
  const card = holding(path, () => verifyCard(text));
  const isTheirs = by === 'worker' ? card.card.holder === 'worker' : card.card.holder === 'volunteer' && card.signer === by;
  if (!isTheirs || toHex(card.digest) !== digest) throw folderDamaged(path, 'it is not the card that was added');
  return card;
}

async function openKeyring(path: string, root: PublicKey): Promise<HeldKeyring> {
  return readHeldKeyring(path, root).catch((error: unknown) => {
    if (error instanceof CodedError || error instanceof CliError) throw folderDamaged(path, error.message);
    throw error;
  });
}

function holding<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) throw folderDamaged(path, error.message);
    throw error;
  }
}

/** Only parts of files that a command writes: a stick may hold anything else. */
async function removeUnfinished(dir: string, io: Io): Promise<void> {
  const ours: readonly [string, RegExp][] = [
    [dir, /^(?:folder\.json|root\.key|root\.pub|sheet\.txt|backup\.identity|backup\.recipient)$/],
    [join(dir, CARDS), /^season-.+\.card$/],
    [join(dir, KEYRINGS), /^keyring-\d+\.json(?:\.minisig)?$/],
  ];
  for (const [folder, names] of ours) {
    for (const name of (await namesIn(folder)).filter((each) => each.endsWith(UNFINISHED))) {
      const whole = name.slice(0, -UNFINISHED.length);
      if (!names.test(whole)) continue;
      await rm(join(folder, name), { force: true });
      io.err(`Repaired: a command broke off while it wrote ${visibleLine(whole)}; its part is gone.\n`);
    }
  }
}

async function moveStrangeCards({ dir, state }: Folder, io: Io): Promise<void> {
  const { worker, volunteers } = state;
  const known = new Set([...worker.cards, ...worker.revoked, ...volunteers.flatMap(({ cards }) => cards)].map(({ file }) => file));
  for (const name of await namesIn(join(dir, CARDS))) {
    if (known.has(name) || !name.endsWith('.card')) continue;
    const place = await setAside(dir, join(dir, CARDS, name));
    io.err(`Repaired: ${visibleLine(name)} was not added to its end; it is now ${visibleLine(place)}. Add that card again.\n`);
  }
}

/** Takes in keyrings that were signed before a command broke off: each was signed, so no other may have its serial. */
async function adoptKeyrings(folder: Folder, io: Io): Promise<Folder> {
  const { dir, root } = folder;
  const path = join(dir, KEYRINGS);
  const known = new Set(folder.keyrings.map(({ keyring }) => keyring.serial));
  const keyrings = [...folder.keyrings];
  const names = await namesIn(path);
  const strange = names.flatMap((name) => serialOf(name.replace(/\.minisig$/, '')) ?? []).filter((serial) => !known.has(serial));
  for (const serial of [...new Set(strange)].sort((a, b) => a - b)) {
    const file = join(path, keyringName(serial));
    const keyring = await readHeldKeyring(file, root).catch(() => null);
    if (keyring === null) {
      for (const each of [file, `${file}.minisig`]) if (await exists(each)) await setAside(dir, each);
      io.err(
        `Repaired: keyring ${String(serial)} was not signed to its end; what was written of it is in ${visibleLine(join(dir, 'aside'))}.\n`,
      );
    } else if (keyring.keyring.serial === serial && follows(keyring, keyrings.at(-1))) {
      keyrings.push(keyring);
    } else {
      throw diverged(`${file} was signed elsewhere, and does not follow the keyrings here`);
    }
  }
  if (keyrings.length === folder.keyrings.length) return folder;
  const list = keyrings.map(({ keyring, digest }) => ({ serial: keyring.serial, digest }));
  const state = await commit(folder, { keyrings: list });
  const taken = list.slice(folder.keyrings.length).map(({ serial }) => String(serial));
  io.err(`Repaired: a command broke off after it had signed keyring ${taken.join(', ')}; run it again.\n`);
  return { ...folder, state, keyrings };
}

export function diverged(what: string): CliError {
  return new CliError(
    'FOLDER_DIVERGED',
    what,
    'go on with the stick that signed last, or take its keyrings in with support-relay admin take',
  );
}
