import { join } from 'node:path';
import { utf8 } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodeKeyring, verifyKeyring } from '../../crypto/keyring.ts';
import type { Keyring, VerifiedKeyring } from '../../crypto/keyring.ts';
import { sign } from '../../crypto/minisign.ts';
import type { PublicKey, SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { textOf } from '../../crypto/text-file.ts';
import { instantOf } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { readInput, readInputText, writeNewFiles } from '../files.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The highest serial: it has 4 bytes. */
export const SERIAL_MAX = 0xffff_ffff;

export type KeyringPlan = {
  serial: number;
  from: Date;
  days: number;
  /** The worker's recipient of this serial, `age1pq1…`. */
  worker: string;
  teams: Keyring['teams'];
  answerTime?: Keyring['answerTime'];
  /** The keyring before this one: its serial must be lower, and its digest goes into the new one. */
  previous?: VerifiedKeyring;
};

export type NewKeyring = VerifiedKeyring & { file: string; signatureFile: string };
/** `json` and `signature`: the contents of `keyring-<serial>.json` and its `.minisig`. */
export type HeldKeyring = VerifiedKeyring & { json: Uint8Array; signature: string };

/** Signs a keyring, and reads it back as every reader will. Throws KEYRING_* when a field breaks docs/protocol.md, § Keyring. */
export function signKeyring(keyring: Keyring, rootKey: SigningKey): HeldKeyring {
  const json = encodeKeyring(keyring);
  const signature = sign(json, rootKey, `keyring ${String(keyring.serial)}, ${keyring.notBefore} to ${keyring.notAfter}`);
  return { ...verifyKeyring(json, signature, rootKey), json, signature };
}

/**
 * Signs a keyring and writes `keyring-<serial>.json` and its `.minisig`; existing files are never overwritten. Throws
 * SERIAL_NOT_RISING unless its serial is above the previous one's.
 */
export async function createKeyring(plan: KeyringPlan, rootKey: SigningKey, directory: string): Promise<NewKeyring> {
  await ready;
  const { previous } = plan;
  if (previous !== undefined && previous.keyring.serial >= plan.serial) {
    throw new CliError(
      'SERIAL_NOT_RISING',
      `serial ${String(plan.serial)} is not above the previous keyring's ${String(previous.keyring.serial)}`,
      `take --serial ${String(previous.keyring.serial + 1)} or more`,
    );
  }
  const keyring: Keyring = {
    version: 1,
    serial: plan.serial,
    notBefore: instantOf(plan.from.getTime()),
    notAfter: instantOf(plan.from.getTime() + plan.days * DAY_MS),
    previous: previous?.digest ?? null,
    worker: plan.worker,
    ...(plan.answerTime === undefined ? {} : { answerTime: plan.answerTime }),
    teams: plan.teams,
  };
  const { json, signature, ...verified } = signKeyring(keyring, rootKey);
  const file = join(directory, `keyring-${String(keyring.serial)}.json`);
  const signatureFile = `${file}.minisig`;
  await writeNewFiles([
    { path: file, content: json, secret: false },
    { path: signatureFile, content: signature, secret: false },
  ]);
  return { ...verified, file, signatureFile };
}

/** Reads FILE and FILE.minisig and verifies the signature. Whether the keyring is valid now is for the caller to check. */
export async function readKeyring(file: string, root: PublicKey): Promise<VerifiedKeyring> {
  await ready;
  const json = await readInput(file, 'the keyring');
  const signature = await readInputText(`${file}.minisig`, "the keyring's signature");
  try {
    return verifyKeyring(json, signature, root);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'MINISIGN_SIGNATURE' || !wasTouched(json, signature, root)) throw error;
    const why = 'an editor or a mail program has changed its line ends, or put an invisible mark before it';
    throw new CodedError('MINISIGN_SIGNATURE', `signature verification of ${file} failed: ${why}; copy the file again as it is`);
  }
}

/**
 * Whether the file would verify without what programs add to texts. Only the message depends on it: the
 * file is refused all the same.
 */
function wasTouched(json: Uint8Array, signature: string, root: PublicKey): boolean {
  const text = textOf(json, 'lenient').trimEnd();
  return [text, `${text}\n`].some((form) => {
    try {
      return verifyKeyring(utf8(form), signature, root).digest !== '';
    } catch {
      return false;
    }
  });
}
