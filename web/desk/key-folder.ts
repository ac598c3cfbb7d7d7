// A volunteer's folder of keys, as it was chosen in the page: one passphrase opens all that is in it.
import { decrypt } from '../../crypto/age/age.ts';
import { fromUtf8 } from '../../crypto/bytes.ts';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';
import { parsePublicKey, parseSigner, type PublicKey } from '../../crypto/minisign.ts';
import { noticeAt, type NoticeDays } from '../../crypto/notice.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import { openWeekFile, weekOfFile } from '../../volunteer/keys/season.ts';
import { readBytes, type Given } from './intake.ts';
import { KeyError, orProblem, identitiesIn } from './keys.ts';

const STORAGE = 'storage.age';
const SIGNER = 'signer.age';
const ROOT = 'root.pub';
const KEYRING_FILE = /^keyring-[1-9]\d{0,9}\.json(?:\.minisig)?$/;

/**
 * What opened. `weeks`: the first moments (Unix time, ms) of the weeks whose keys opened, in their order. `signer`: null when there is
 * none. `broken`: names of the files that are not what their names say.
 */
export type KeyFolder = {
  readonly identities: readonly string[];
  readonly weeks: readonly number[];
  readonly signer: SigningKeyPair | null;
  readonly broken: readonly string[];
};

/** Without its folders: those of a chosen folder stand before the name. */
const nameOf = ({ name }: Given): string => name.slice(name.lastIndexOf('/') + 1);
/** Files of the folder itself. What is in a folder within it, such as letters or an older copy, is none of the folder's keys. */
const own = (given: readonly Given[]): Given[] => given.filter(({ name }) => name.split('/').length <= 2);
const named = (given: readonly Given[], name: string): Given | undefined => own(given).find((each) => nameOf(each) === name);

/** The keyrings and their signatures. */
export function keyringsGiven(given: readonly Given[]): Given[] {
  return own(given).filter((each) => KEYRING_FILE.test(nameOf(each)));
}

/**
 * Opens storage.age with the passphrase, and with what is in it everything else. Throws KeyError when storage.age is not there, is no key,
 * or the passphrase does not open it; ReadingError when a file cannot be read.
 */
export async function openGivenFolder(given: readonly Given[], passphrase: string, onProgress: OnProgress): Promise<KeyFolder> {
  const storageFile = named(given, STORAGE);
  if (storageFile === undefined) throw new KeyError('no-storage');
  const [storage = ''] = await identitiesIn(await readBytes(storageFile.file), passphrase, onProgress);
  const broken: string[] = [];
  const open = async <Key>(each: Given, read: (bytes: Uint8Array) => Key | Promise<Key>): Promise<Key[]> => {
    const bytes = await readBytes(each.file);
    try {
      return [await orProblem('no-identity', async () => read(bytes))];
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      broken.push(nameOf(each));
      return [];
    }
  };
  const weeks: { begin: number; identity: string }[] = [];
  for (const each of own(given)) {
    const begin = weekOfFile(nameOf(each));
    if (begin !== null) weeks.push(...(await open(each, (bytes) => ({ begin, identity: openWeekFile(bytes, storage) }))));
  }
  weeks.sort((a, b) => a.begin - b.begin);
  const signerFile = named(given, SIGNER);
  const [signer = null] =
    signerFile === undefined ? [] : await open(signerFile, (bytes) => parseSigner(fromUtf8(decrypt(bytes, [storage]))));
  return { identities: weeks.map(({ identity }) => identity), weeks: weeks.map(({ begin }) => begin), signer, broken };
}

/** Whether the folder's root.pub, if there is one, is another key than the one that the page was built with. */
export async function hasOtherRoot(given: readonly Given[], root: PublicKey): Promise<boolean> {
  const file = named(given, ROOT);
  if (file === undefined) return false;
  const bytes = await readBytes(file.file);
  const key = await orProblem('no-identity', async () => parsePublicKey(textOf(bytes, 'lenient'))).catch(() => null);
  return key?.key.join() !== root.key.join();
}

/**
 * How long the weeks last without a gap, from the present one on: `untilMs` (Unix time) is null when the present one has no key; `notice`
 * as `noticeAt`, whose days are when a volunteer is told.
 */
export function lastingOf(weeks: readonly number[], nowMs: number): { untilMs: number | null; notice: NoticeDays | null } {
  const present = weekStart(nowMs);
  let untilMs = present;
  while (weeks.includes(untilMs)) untilMs += WEEK_MS;
  return untilMs === present ? { untilMs: null, notice: 2 } : { untilMs, notice: noticeAt(untilMs, nowMs) };
}
