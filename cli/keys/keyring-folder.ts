// A folder with the keyrings that the administrator sent, such as a volunteer's folder of keys. What is not as it should be, half
// copied, a second copy, a link, is named and passed over: the others count all the same.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { chained, MAX_KEYRING_BYTES, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { CliError } from '../errors.ts';
import { describeFailure } from '../failure.ts';
import { reason } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { readKeyring } from './keyring.ts';
import { readRootPublicKey } from './root-key.ts';

export const ROOT_PUBLIC = 'root.pub';
const KEYRING_FILE = /^keyring-([1-9]\d{0,9})\.json$/;
/** Such as `keyring-9 (1).json`, as browsers call a second copy. */
const LIKE_A_KEYRING = /^keyring.*\.json$/i;

export const keyringFileName = (serial: number): string => `keyring-${String(serial)}.json`;

/** The administrator's key in the folder, root.pub; null where there is none. Throws INPUT_FORMAT when that file is anything else. */
export async function rootKeyIn(folder: string): Promise<PublicKey | null> {
  const path = join(folder, ROOT_PUBLIC);
  const odd = await oddness(path, MAX_KEYRING_BYTES);
  if (odd === ABSENT) return null;
  if (odd !== null) {
    throw new CliError('INPUT_FORMAT', `${path} is not the root public key: ${odd}`, 'put root.pub there, as the administrator gave it');
  }
  return readRootPublicKey(path);
}

/** A keyring in a file, and the root key that signed it. */
export type FoundKeyring = { readonly path: string; readonly verified: VerifiedKeyring; readonly root: PublicKey };

/**
 * The keyrings in a folder that one of the root keys signed and that fit together, by rising serial; a line on standard error for each
 * that is passed over.
 */
export async function keyringsIn(folder: string, roots: readonly PublicKey[], io: Pick<Io, 'err'>): Promise<VerifiedKeyring[]> {
  return fitting(await foundIn(folder, roots, io), io);
}

/** As `keyringsIn`, but whether they fit together is left to `fitting`. */
export async function foundIn(folder: string, roots: readonly PublicKey[], io: Pick<Io, 'err'>): Promise<FoundKeyring[]> {
  const found: FoundKeyring[] = [];
  for (const name of (await namesIn(folder)).filter((each) => LIKE_A_KEYRING.test(each))) {
    const outcome = await keyringNamed(folder, name, roots);
    if (typeof outcome === 'string') passOver(join(folder, name), outcome, io);
    else found.push(outcome);
  }
  return found;
}

/**
 * Those of each root key that fit together, by rising serial, each once; a line for each that is passed over. Throws KEYRING_TWICE or
 * KEYRING_CHAIN when that is one of the paths that were `asked` for: whoever names a keyring relies on it.
 */
export function fitting(found: readonly FoundKeyring[], io: Pick<Io, 'err'>, asked: readonly string[] = []): VerifiedKeyring[] {
  const roots = [...new Set(found.map(({ root }) => toHex(root.key)))];
  const parted = roots.map((root) => chained(found.filter((each) => toHex(each.root.key) === root).map(({ verified }) => verified)));
  for (const { keyring, error } of parted.flatMap(({ refused }) => refused)) {
    const path = found.find(({ verified }) => verified === keyring)?.path ?? keyringFileName(keyring.keyring.serial);
    if (asked.includes(path)) throw error;
    passOver(path, describeFailure(error).line, io);
  }
  return parted.flatMap(({ fit }) => fit).sort((a, b) => a.keyring.serial - b.keyring.serial);
}

function passOver(path: string, why: string, io: Pick<Io, 'err'>): void {
  io.err(`support-relay: ${visibleLine(path)} is passed over: ${visibleLine(why)}\n`);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw new CliError('INPUT_MISSING', `cannot read ${folder}: ${reason(error)}`, 'check the name and the permissions');
  }
}

/** The keyring in a file, or why it is passed over. */
async function keyringNamed(folder: string, name: string, roots: readonly PublicKey[]): Promise<FoundKeyring | string> {
  const serial = Number(KEYRING_FILE.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(serial)) return 'it is not called keyring-<serial>.json; if it is a second copy, delete it';
  const path = join(folder, name);
  const odd = (await oddness(path, MAX_KEYRING_BYTES)) ?? (await oddness(`${path}.minisig`, MAX_KEYRING_BYTES));
  if (odd === ABSENT) return 'its signature is not there; copy both files';
  if (odd !== null) return odd;
  try {
    const read = await verifiedByOneOf(path, roots);
    const { keyring } = read.verified;
    return keyring.serial === serial ? read : `it has the serial ${String(keyring.serial)}; copy it once more`;
  } catch (error) {
    if (error instanceof CodedError || error instanceof CliError) return describeFailure(error).line;
    throw error;
  }
}

/**
 * A keyring that has to be signed by one of the root keys given, at least one: the administrator may have changed the root key. Throws
 * as `readKeyring`.
 */
export async function verifiedByOneOf(file: string, roots: readonly PublicKey[]): Promise<FoundKeyring> {
  let failure: unknown;
  for (const root of roots) {
    try {
      return { path: file, verified: await readKeyring(file, root), root };
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'MINISIGN_KEY') throw error;
      failure = error;
    }
  }
  throw failure;
}

const ABSENT = 'it is not there';

/** Why a file in the folder is not used, before anything of it is read; null when nothing is odd. */
export async function oddness(path: string, maxBytes: number): Promise<string | null> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return 'it is a link; put the file itself there';
    if (!stats.isFile()) return 'it is no file';
    if (stats.size === 0) return 'it is empty; copy it once more';
    if (stats.size > maxBytes) return `it is larger than ${String(maxBytes)} bytes`;
    const isOurs = process.getuid === undefined || [0, process.getuid()].includes(stats.uid);
    return isOurs ? null : 'it belongs to another user, who could change it; copy it once more yourself';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ABSENT;
    return `it cannot be read: ${reason(error)}`;
  }
}
