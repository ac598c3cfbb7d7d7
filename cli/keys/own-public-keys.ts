// What a folder of keys says without a passphrase: the signer, and the recipients on the cards.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../crypto/bytes.ts';
import { verifyCard } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { weekOfCard } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';
import { SIGNER_PUBLIC } from './key-folder.ts';

/** `signer`: 64 hex digits; null where signer.pub cannot be read. `recipients`: of each week (its first moment, Unix time, ms). */
export type OwnPublicKeys = { readonly signer: string | null; readonly recipients: ReadonlyMap<number, string> };

/** What cannot be read is left out: this only adds to what is said about a keyring. */
export async function ownPublicKeys(folder: string): Promise<OwnPublicKeys> {
  const signer = await readable(async () => toHex(parsePublicKey(await readInputText(join(folder, SIGNER_PUBLIC), 'the signer')).key));
  const recipients = new Map<number, string>();
  for (const name of (await readdir(folder).catch((): string[] => [])).filter((each) => weekOfCard(each) !== null)) {
    const verified = await readable(async () => verifyCard(await readInputText(join(folder, name), 'the card')));
    for (const { notBefore, recipient } of verified?.card.weeks ?? []) recipients.set(Date.parse(notBefore), recipient);
  }
  return { signer, recipients };
}

async function readable<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CodedError || error instanceof CliError) return null;
    throw error;
  }
}
