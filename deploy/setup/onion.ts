// The keys of the onion service, in the files in which tor keeps them, so that the address is known before tor has ever run.
// Formats: rend-spec-v3 [ONIONADDRESS], and tor's crypto_write_tagged_contents_to_file.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CliError } from '../../cli/errors.ts';
import { onionAddressOf } from '../../crypto/onion-address.ts';
import { readPrivateFile, readUnlinkedFile, shred } from '../../runtime/files.ts';
import { replaceFile, type Say } from '../state/folders.ts';
import type { Layout } from '../state/layout.ts';

const SECRET = 'hs_ed25519_secret_key';
const PUBLIC = 'hs_ed25519_public_key';
const HOSTNAME = 'hostname';

/** Of the tag before each key, padded with zeros. */
const TAG_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const EXPANDED_KEY_BYTES = 64;

/** Makes the onion service's keys where there are none, and writes its address for the operator. @returns the address, `….onion` */
export async function ensureOnion(layout: Layout, say: Say): Promise<string> {
  const folder = layout.onionKeys;
  await insistOnNoLink(folder);
  if (!existsSync(join(folder, SECRET))) {
    say("making the onion service's keys");
    await writeKeys(folder);
  }
  const address = onionAddressOf(await readPublicKey(folder));
  await mkdir(dirname(layout.onionAddress), { recursive: true, mode: 0o700 });
  await replaceFile(layout.onionAddress, `${address}\n`, 0o600);
  return address;
}

/** Shreds the onion service's keys: nobody can ever answer under its address again, neither we nor whoever gets this disk later. */
export async function burnOnion(layout: Layout): Promise<void> {
  await insistOnNoLink(layout.onionKeys);
  const names = await readdir(layout.onionKeys).catch((): string[] => []);
  // The secret key first, whatever tor, taken over, has put in the place of the others.
  for (const name of [SECRET, PUBLIC, HOSTNAME].filter((each) => names.includes(each))) await burn(join(layout.onionKeys, name));
}

async function burn(path: string): Promise<void> {
  if ((await lstat(path)).isFile()) await shred(path);
  else await rm(path, { recursive: true });
}

/** tor, taken over, could lead whoever sets up to another folder, whose rights would be taken away. */
async function insistOnNoLink(folder: string): Promise<void> {
  const isLink = (await lstat(folder).catch(() => null))?.isSymbolicLink() === true;
  if (!isLink) return;
  throw new CliError('STATE_FOREIGN', `${folder} is a link, and tor's keys belong into a folder`, 'see who put it there, and take it away');
}

async function writeKeys(folder: string): Promise<void> {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, publicKey] = [Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url')];
  const expanded = createHash('sha512').update(seed).digest();
  // Clamping (RFC 8032 § 5.1.5).
  expanded[0] = (expanded[0] ?? 0) & 248;
  expanded[31] = ((expanded[31] ?? 0) & 63) | 64;
  // tor starts only if nobody else may enter this folder.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Not by its name, in whose place tor could put a link meanwhile.
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
  await replaceFile(join(folder, PUBLIC), Buffer.concat([tag('public'), publicKey]), 0o600);
  await replaceFile(join(folder, HOSTNAME), `${onionAddressOf(publicKey)}\n`, 0o600);
  // Last: where it is there, all three are.
  await replaceFile(join(folder, SECRET), Buffer.concat([tag('secret'), expanded]), 0o600);
  seed.fill(0);
  expanded.fill(0);
}

const tag = (kind: 'public' | 'secret'): Buffer => Buffer.concat([Buffer.from(`== ed25519v1-${kind}: type0 ==`)], TAG_BYTES);

/** Throws INPUT_FORMAT when the files are not those of an onion service. */
async function readPublicKey(folder: string): Promise<Buffer> {
  const files = await Promise.all([readPrivateFile(join(folder, SECRET), 1_024), readUnlinkedFile(join(folder, PUBLIC), 1_024)]).catch(
    () => null,
  );
  if (files === null) throw unusable(folder);
  const [secret, file] = files;
  const isWhole = file.length === TAG_BYTES + PUBLIC_KEY_BYTES && file.subarray(0, TAG_BYTES).equals(tag('public'));
  if (!isWhole || secret.length !== TAG_BYTES + EXPANDED_KEY_BYTES || !secret.subarray(0, TAG_BYTES).equals(tag('secret'))) {
    throw unusable(folder);
  }
  return file.subarray(TAG_BYTES);
}
const unusable = (folder: string): CliError =>
  new CliError(
    'INPUT_FORMAT',
    `${folder} has no keys of an onion service that its owner alone can read`,
    'see its rights, put the keys of the backup there, or make others with --new-onion',
  );
