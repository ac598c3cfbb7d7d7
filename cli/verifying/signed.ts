// What a relay is compared with: the manifest of an organisation's form, signed with its root key, or that of a release.
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, verify, type PublicKey } from '../../crypto/minisign.ts';
import { CliError } from '../errors.ts';
import { readInput, readInputText } from '../files.ts';

/** The folder of a release in which the form is. */
const FORM_FOLDER = 'form/';

/**
 * `files`: SHA-256 (64 hex digits) of each file of the form. `json`: the manifest that the relay must serve itself; null: it serves that of
 * the organisation. `digest`: SHA-256 of the manifest given.
 */
export type Signed = { readonly root: PublicKey; readonly files: ReadonlyMap<string, string>; readonly digest: string } & (
  | { readonly of: 'form'; readonly json: Uint8Array; readonly isSigned: boolean }
  | { readonly of: 'release'; readonly releaseKey: PublicKey }
);

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** The line by which a key stands in the scripts of a form: 56 characters. */
export function keyLine(key: PublicKey): string {
  return encodePublicKey(key).split('\n')[1] ?? '';
}

/** A manifest that the root key signed. Throws MINISIGN_* and MANIFEST_FORMAT. */
export async function signedForm(file: string, root: PublicKey): Promise<Signed> {
  const json = await readInput(file, 'the manifest');
  verify(json, await readInputText(`${file}.minisig`, "the manifest's signature"), root);
  return { of: 'form', root, json, isSigned: true, files: filesOf(json), digest: sha256(json) };
}

/** A form that somebody has built themselves: nobody has to have signed it. Throws as `signedForm`, for a signature that is there. */
export async function builtForm(folder: string, root: PublicKey): Promise<Signed> {
  const file = join(folder, MANIFEST_NAME);
  const json = await readInput(file, 'the manifest');
  const signature = await readInputText(join(folder, MANIFEST_SIGNATURE_NAME), "the manifest's signature").catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'INPUT_MISSING') return null;
    throw error;
  });
  if (signature !== null) verify(json, signature, root);
  const files = filesOf(json);
  for (const [path, digest] of files) {
    if (sha256(await readInput(join(dirname(file), path), 'a file of the form')) === digest) continue;
    throw new CliError('INPUT_FORMAT', `${join(folder, path)} is not as ${file} lists it`, 'build the form again');
  }
  return { of: 'form', root, json, isSigned: signature !== null, files, digest: sha256(json) };
}

/** The manifest of a release, signed with the project's key. Throws MINISIGN_*, MANIFEST_FORMAT, and INPUT_FORMAT where it has no form. */
export async function signedRelease(file: string, releaseKey: PublicKey, root: PublicKey): Promise<Signed> {
  const json = await readInput(file, 'the manifest');
  verify(json, await readInputText(`${file}.minisig`, "the manifest's signature"), releaseKey);
  const form = [...filesOf(json)].filter(([path]) => path.startsWith(FORM_FOLDER));
  if (form.length === 0) throw new CliError('INPUT_FORMAT', `${file} is not the manifest of a release`, 'give it with --manifest');
  const files = new Map(form.map(([path, digest]) => [path.slice(FORM_FOLDER.length), digest]));
  return { of: 'release', root, releaseKey, files, digest: sha256(json) };
}

const filesOf = (json: Uint8Array): Map<string, string> => new Map(Object.entries(parseManifest(json).files));
