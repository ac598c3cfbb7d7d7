// Makes a season's files in a volunteer's folder of keys.
import { join } from 'node:path';
import { encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { cardWords, verifyCard, WEEK_MS, weekStart } from '../../crypto/card.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { cardFileName, makeSeason, weekFileName, type KeyFile } from '../../volunteer/keys/season.ts';
import { insistOnNew, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { hasKeys, openKeys, SIGNER, SIGNER_PUBLIC, STORAGE, type Keys } from './key-folder.ts';
import { wordListFor } from './random-words.ts';

type Season = { readonly from: number; readonly count: number };
export type NewSeason = { readonly card: string; readonly words: string[]; readonly files: string[] };

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
  // The card comes last: once it is whole, everything is.
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
