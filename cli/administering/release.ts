// Which release of the programs the keyrings name as the newest: learned from its manifest, which the project's release key signed.
import { createHash } from 'node:crypto';
import { equal } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parseManifest } from '../../crypto/manifest.ts';
import { keyName, parsePublicKey, verify, type PublicKey } from '../../crypto/minisign.ts';
import { isNewer, isVersion, type Release } from '../../crypto/release.ts';
import { CliError, UsageError } from '../errors.ts';
import { readInput, readInputText } from '../files.ts';
import { readReleaseKey } from '../keys/root-key.ts';
import { publicLineOf, type Folder } from './folder.ts';
import type { FolderState } from './state.ts';

const NAME = 'admin release';
/** The two archives of a release: the programs, and what the form is built from. */
const PROGRAMS = /^support-relay-(.+)\.tar$/;
const formArchive = (version: string): string => `support-relay-${version}-form.tar`;

export type ReleaseChange = { readonly releaseKey: string; readonly release: Release };

/**
 * What the folder keeps of a release. `keyFile`: the release key, minisign's public key file; needed the first time. Throws USAGE without
 * it, RELEASE_KEY_DIFFERS when it is another than before, INPUT_*, MINISIGN_*, MANIFEST_FORMAT, INPUT_FORMAT for a manifest that is not of
 * a release, RELEASE_OLD for one that is older than the one that is known, or says something else of the same version.
 */
export async function readRelease({ state }: Folder, file: string, keyFile: string | undefined): Promise<ReleaseChange> {
  const key = await releaseKeyOf(state, keyFile);
  const json = await readInput(file, 'the manifest');
  verify(json, await readInputText(`${file}.minisig`, "the manifest's signature"), key);
  const release = { version: versionIn(json, file), digest: createHash('sha256').update(json).digest('hex') };
  insistOnNewer(release, state.release);
  return { releaseKey: publicLineOf(key), release };
}

async function releaseKeyOf({ releaseKey }: FolderState, keyFile: string | undefined): Promise<PublicKey> {
  const known = releaseKey === undefined ? null : parsePublicKey(releaseKey);
  if (keyFile === undefined) {
    if (known !== null) return known;
    throw new UsageError('--release-key is missing: the first time, give the public key of whoever makes the releases', NAME);
  }
  const given = await readReleaseKey(keyFile);
  if (known === null || equal(known.key, given.key)) return given;
  const what = `${keyFile} is another release key, ${keyName(given.id)}, than the one that is known, ${keyName(known.id)}`;
  throw new CliError('RELEASE_KEY_DIFFERS', what, 'find out from the project, over another channel, whether its key has changed');
}

/** The version is in the names of the archives. */
function versionIn(json: Uint8Array, file: string): string {
  const paths = Object.keys(parseManifest(json).files);
  const versions = paths.flatMap((path) => PROGRAMS.exec(path)?.[1] ?? []);
  const [version = ''] = versions.filter((each) => paths.includes(formArchive(each)));
  if (isVersion(version)) return version;
  throw new CliError('INPUT_FORMAT', `${file} is not the manifest of a release`, 'give manifest.json from the folder of the release');
}

function insistOnNewer(given: Release, known: Release | undefined): void {
  if (known === undefined || isNewer(given.version, known.version) || given.digest === known.digest) return;
  const isSame = given.version === known.version;
  const what = isSame ? `there is another release ${known.version} here` : `release ${given.version} is older than ${known.version}`;
  throw new CliError('RELEASE_OLD', `${what}; nothing was changed`, 'give the manifest of the newest release');
}

/** Two keyrings name the same release, or none. */
export const namesSame = (a: { readonly release?: Release | undefined }, b: { readonly release?: Release | undefined }): boolean =>
  a.release?.digest === b.release?.digest && a.release?.version === b.release?.version;

/** The id of the release key in the folder, to compare with what the project publishes; null when there is none. */
export function releaseKeyName({ releaseKey }: Pick<FolderState, 'releaseKey'>): string | null {
  if (releaseKey === undefined) return null;
  try {
    return keyName(parsePublicKey(releaseKey).id);
  } catch (error) {
    if (error instanceof CodedError) return null;
    throw error;
  }
}
