// A volunteer's folder of keys: storage.age, which a passphrase protects, opens signer.age and a file for each week.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { fromUtf8, utf8 } from '../../crypto/bytes.ts';
import { cardWords, verifyCard, WEEK_MS, weekStart } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, parseSigner, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { identityFile, isWrongPassphrase, openIdentityFile } from '../../volunteer/keys/key-files.ts';
import { cardFileName, makeSeason, openWeekFile, weekFileName, weekOfFile, type KeyFile } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { insistOnNew, readInput, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, newPassphrase, wrongPassphrase } from '../terminal/passphrase.ts';
import { OPENING, PROTECTING, withProgress } from '../terminal/progress.ts';
import { wordListFor } from './random-words.ts';

const STORAGE = 'storage.age';
const SIGNER = 'signer.age';
const SIGNER_PUBLIC = 'signer.pub';

type Keys = { readonly storage: string; readonly signer: SigningKey };
type Season = { readonly from: number; readonly count: number };
export type NewSeason = { readonly card: string; readonly words: string[]; readonly files: string[] };

/** The first moments (Unix time, ms) of the weeks that the folder has a file for, in their order. None where there is no folder. */
export async function weeksIn(folder: string): Promise<number[]> {
  const names = await namesIn(folder);
  return names.flatMap((name) => weekOfFile(name) ?? []).sort((a, b) => a - b);
}

export const hasKeys = async (folder: string): Promise<boolean> => (await namesIn(folder)).includes(STORAGE);

/** None where the folder cannot be read: whoever then reads or writes a file in it says why. */
const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch((): string[] => []);

/** Opens everything in the folder with one passphrase. Throws PASSPHRASE_WRONG, and INPUT_FORMAT where a file is not what its name says. */
export async function openKeyFolder(
  folder: string,
  io: Io,
  passphraseFile?: string,
): Promise<{ identities: string[]; signer: SigningKey; signerFile: string }> {
  const { storage, signer } = await openKeys(folder, io, passphraseFile);
  const identities: string[] = [];
  for (const week of await weeksIn(folder)) {
    const path = join(folder, weekFileName(week));
    const bytes = await readInput(path, 'the week file');
    identities.push(named(path, () => openWeekFile(bytes, storage)));
  }
  return { identities, signer, signerFile: join(folder, SIGNER) };
}

/**
 * Makes a season's files in the folder and, where it has none yet, the storage identity and the signer. Nothing is overwritten.
 * Throws OUTPUT_EXISTS when a week has its file already, PASSPHRASE_* as those that ask for one.
 */
export async function createSeason(folder: string, { from, count }: Season, io: Io, passphraseFile?: string): Promise<NewSeason> {
  await ready;
  const isNew = !(await hasKeys(folder));
  const card = join(folder, cardFileName(from));
  const weeks = Array.from({ length: count }, (_, at) => join(folder, weekFileName(weekStart(from) + at * WEEK_MS)));
  await insistOnNew([...weeks, card, ...(isNew ? [SIGNER, SIGNER_PUBLIC].map((name) => join(folder, name)) : [])]);
  const { keys, files } = isNew
    ? await newKeys(folder, io, passphraseFile)
    : { keys: await openKeys(folder, io, passphraseFile), files: [] };
  const season = makeSeason(identityToRecipient(keys.storage), keys.signer, from, count);
  const made = [...files, ...season.weeks];
  await writeNewFiles([
    ...made.map(({ name, bytes }) => ({ path: join(folder, name), content: bytes, secret: true })),
    ...(isNew ? [{ path: join(folder, SIGNER_PUBLIC), content: encodePublicKey(keys.signer), secret: false }] : []),
    { path: card, content: season.card, secret: false },
  ]);
  return { card, words: cardWords(verifyCard(season.card), wordListFor(io.language)), files: made.map(({ name }) => name) };
}

async function newKeys(folder: string, io: Io, passphraseFile?: string): Promise<{ keys: Keys; files: KeyFile[] }> {
  const passphrase = await newPassphrase(io, join(folder, STORAGE), passphraseFile);
  const keys = { storage: generateIdentity(), signer: generateKeyPair() };
  const recipient = identityToRecipient(keys.storage);
  const text = utf8(`# public key: ${recipient}\n${keys.storage}\n`);
  const storage = await withProgress(io, PROTECTING, (onProgress) => encryptWithPassphrase(text, passphrase, io.logN, onProgress));
  const signer = encrypt(utf8(await encodeSecretKey(keys.signer, undefined, 'signer')), [recipient]);
  return {
    keys,
    files: [
      { name: STORAGE, bytes: storage },
      { name: SIGNER, bytes: signer },
    ],
  };
}

async function openKeys(folder: string, io: Io, passphraseFile?: string): Promise<Keys> {
  await ready;
  const path = join(folder, STORAGE);
  const file = await readInput(path, 'the storage identity');
  const { bytes, needsPassphrase } = named(path, () => identityFile(file));
  if (!needsPassphrase) throw notAKey(path, 'it is not protected by a passphrase');
  const passphrase = await existingPassphrase(io, path, passphraseFile);
  const text = await withProgress(io, OPENING, (onProgress) => openIdentityFile(bytes, passphrase, onProgress)).catch((error: unknown) => {
    throw isWrongPassphrase(error) ? wrongPassphrase(path) : error;
  });
  const [storage = ''] = named(path, () => parseIdentityFile(fromUtf8(text)));
  const signerPath = join(folder, SIGNER);
  const sealed = await readInput(signerPath, 'the signer');
  const signerText = named(signerPath, () => fromUtf8(decrypt(sealed, [storage])));
  return { storage, signer: await parseSigner(signerText) };
}

/** Throws INPUT_FORMAT, with the file's name, for any CodedError. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw notAKey(path, error.message);
  }
}

const notAKey = (path: string, why: string): CliError =>
  new CliError('INPUT_FORMAT', `${path} is not a key of this folder: ${why}`, 'give the folder that support-relay volunteer keys made');
