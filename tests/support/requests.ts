import { readFile } from 'node:fs/promises';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { openSealed, parseParcel } from '../../crypto/parcel.ts';
import type { Deployment } from './deployment.ts';

/** Distinguishes a request from a decoy, which takes the worker's key. */
export async function requestTeller({ layout }: Deployment): Promise<(parcel: Uint8Array) => boolean> {
  const identities = parseIdentityFile(await readFile(layout.identityFile(1), 'utf8'));
  return (parcel) => openSealed(parseParcel(parcel).sealed, identities).kind === 'letter';
}
