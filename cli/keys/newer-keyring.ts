// Takes keyrings into a volunteer's folder of keys: from the relay, or from files that the administrator sent. Only what verifies with
// root.pub and fits to the keyrings that are there is written, and what it changes is said.
import { join } from 'node:path';
import { CodedError } from '../../crypto/errors.ts';
import { chained, keyringDigest, newestBegun, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { putFile } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { describeChange } from './keyring-changes.ts';
import { keyringFileName, keyringsIn, rootKeyIn } from './keyring-folder.ts';
import { ownPublicKeys } from './own-public-keys.ts';

/** The signed bytes of a keyring, as a relay serves them, and the text of its `.minisig`. Nothing of it is checked yet. */
export type ServedKeyring = { readonly json: Uint8Array; readonly signature: string };
/** A relay whose clock is behind ours serves the keyring before for a while. */
const CLOCKS_MS = 3_600_000;

/** `known`: those that the folder had, and those that were taken since. `floor`: the serial that had begun among the former. */
export type Shelf = { readonly folder: string; readonly root: PublicKey; readonly floor: number; known: readonly VerifiedKeyring[] };
/** `isNew`: the folder does not have it yet. */
export type Judged = { readonly verified: VerifiedKeyring; readonly isNew: boolean };

/** The keyrings of a folder, ready to take others; null when it has no root.pub to check them with. */
export async function shelfOf(folder: string, io: Pick<Io, 'err' | 'now'>): Promise<Shelf | null> {
  await ready;
  const root = await rootKeyIn(folder);
  if (root === null) return null;
  const known = await keyringsIn(folder, [root], io);
  const floor = newestBegun(known, new Date(io.now().getTime() - CLOCKS_MS))?.keyring.serial ?? 0;
  return { folder, root, floor, known };
}

/**
 * Throws MINISIGN_* and KEYRING_* of `verifyKeyring`; KEYRING_OLD when its serial is below that of the keyring that had begun;
 * KEYRING_TWICE or KEYRING_CHAIN when it does not fit to those that are known.
 */
export function judgeServed({ json, signature }: ServedKeyring, { known, root, floor }: Shelf): Judged {
  const verified = verifyKeyring(json, signature, root);
  const { serial } = verified.keyring;
  if (serial < floor) throw new CodedError('KEYRING_OLD', `serial ${String(serial)}, while ${String(floor)} has begun`);
  if (known.some(({ digest }) => digest === verified.digest)) return { verified, isNew: false };
  const refused = chained([...known, verified]).refused.find(({ keyring }) => keyring === verified);
  if (refused !== undefined) throw refused.error;
  return { verified, isNew: true };
}

/** As `judgeServed`, for a file: one that the folder has already is no news, however old, where from a relay it would be. */
export function judgeFile(given: ServedKeyring, shelf: Shelf): Judged {
  const known = shelf.known.find(({ digest }) => digest === keyringDigest(given.json));
  return known === undefined ? judgeServed(given, shelf) : { verified: known, isNew: false };
}

/** Writes a keyring that was judged new into the folder, and says who came and went. The signature first: no keyring is ever without. */
export async function shelve(shelf: Shelf, served: ServedKeyring, verified: VerifiedKeyring, io: Pick<Io, 'err'>): Promise<void> {
  const path = join(shelf.folder, keyringFileName(verified.keyring.serial));
  await putFile(`${path}.minisig`, served.signature);
  await putFile(path, served.json);
  const own = await ownPublicKeys(shelf.folder);
  for (const line of describeChange(
    verified.keyring,
    shelf.known.map(({ keyring }) => keyring),
    own,
  ))
    io.err(`${line}\n`);
  shelf.known = [...shelf.known.filter(({ keyring }) => keyring.serial !== verified.keyring.serial), verified];
}

/**
 * Takes the keyring that a relay serves into the folder if it is newer than those there. One that is refused is named on standard error
 * and changes nothing: what is sent is sealed under the keyrings of the folder. @returns the keyring, if it is new
 */
export async function takeServed(folder: string, served: ServedKeyring, io: Pick<Io, 'err' | 'now'>): Promise<VerifiedKeyring | null> {
  const shelf = await shelfOf(folder, { err: () => undefined, now: () => io.now() });
  if (shelf === null) return null;
  try {
    const { verified, isNew } = judgeServed(served, shelf);
    if (!isNew) return null;
    io.err(`The relay has a newer keyring; it is now in ${visibleLine(folder)}.\n`);
    await shelve(shelf, served, verified, io);
    return verified;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const why = `${error.message}; if it stays so, tell the administrator (${error.code})`;
    io.err(`support-relay: ! the keyring that the relay serves was not taken: ${why}\n`);
    return null;
  }
}

/** `takeServed` for each visit of a command: the same keyring is looked at once. */
export function takingInto(folder: string, io: Pick<Io, 'err' | 'now'>): (served: ServedKeyring) => Promise<void> {
  const seen = new Set<string>();
  return async (served) => {
    if (seen.has(served.signature)) return;
    seen.add(served.signature);
    await takeServed(folder, served, io);
  };
}
