// What whoever has a folder and its passphrase can make of it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt } from '../../crypto/age/age.ts';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { decryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { blake2b, fromUtf8, toHex } from '../../crypto/bytes.ts';
import { openLetter, type LetterContent } from '../../crypto/letter.ts';

/** How often what opened opens something else: the passphrase the storage identity, that a week file. */
const DEPTH = 3;
const DIGEST_BYTES = 32;
const IDENTITY = /^AGE-SECRET-KEY-PQ-1\w+$/gm;

/** By passphrase and digest of a file: what was in it. A folder is looked at many times, and its files do not change. */
const opened = new Map<string, string>();

/** All identities in the files of a folder, also in those that the passphrase or another identity opens. */
export async function identitiesIn(folder: string, passphrase: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const identities = new Set<string>();
  const note = (text: string): void => {
    for (const [identity] of text.matchAll(IDENTITY)) identities.add(identity);
  };
  for (const file of files) note(file.toString('latin1'));
  const left = new Set(files.filter((file) => file.subarray(0, 3).toString() === 'age'));
  for (let depth = 0; depth < DEPTH; depth += 1) {
    for (const file of left) {
      const text = await contentOf(file, passphrase, [...identities]);
      if (text === null) continue;
      note(text);
      left.delete(file);
    }
  }
  return [...identities].flatMap(parseIdentityFile);
}

async function contentOf(file: Buffer, passphrase: string, identities: readonly string[]): Promise<string | null> {
  const key = `${passphrase} ${toHex(blake2b(DIGEST_BYTES, file))}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  for (const open of [() => decryptWithPassphrase(file, passphrase), () => decrypt(file, [...identities])]) {
    const content = await Promise.resolve()
      .then(open)
      .catch(() => null);
    if (content === null) continue;
    opened.set(key, fromUtf8(content));
    return fromUtf8(content);
  }
  return null;
}

/** What a letter says; null: none of the identities opens it. */
export function contentWith(letter: Uint8Array, identities: readonly string[]): LetterContent | null {
  try {
    return identities.length === 0 ? null : openLetter(letter, identities);
  } catch {
    return null;
  }
}
