// The keyring that the relay hands out, and what it says of the door.
import * as z from 'zod';
import packageFile from '../../package.json' with { type: 'json' };
import { utf8 } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { chained, checkValidity, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { isNewer } from '../../crypto/release.ts';
import { DOOR_REASONS } from '../../crypto/wire.ts';
import type { Deviation } from './findings.ts';
import type { Signed } from './signed.ts';

const door = z.strictObject({ open: z.boolean(), reason: z.enum(DOOR_REASONS).nullable(), difficulty: z.int(), roundSeconds: z.int() });
const start = z.strictObject({ door, keyring: z.string().nullable(), signature: z.string().nullable() });

export type Started = { readonly deviations: Deviation[]; readonly verified: VerifiedKeyring | null; readonly json: string | null };

const wrong = (detail: string): Deviation => ({ kind: 'keyring', detail });

/** What is wrong with /start.json, and the keyring in it if that is right. */
export function checkStart(body: Uint8Array, { root }: Signed, now: Date): Started {
  const parsed = start.safeParse(parse(body));
  if (!parsed.success) return { deviations: [{ kind: 'changed', detail: 'it is not what the form expects' }], verified: null, json: null };
  const { keyring: json, signature } = parsed.data;
  // Without a keyring the door is closed: an outage, and nothing that leads anybody astray.
  if (json === null || signature === null) return { deviations: [], verified: null, json: null };
  try {
    const verified = verifyKeyring(utf8(json), signature, root);
    checkValidity(verified.keyring, now);
    return { deviations: [], verified, json };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { deviations: [wrong(`${error.message} (${error.code})`)], verified: null, json };
  }
}

/** What is wrong with the keyrings that several askers got, taken together. */
export function keyringsTogether(all: readonly VerifiedKeyring[]): Deviation[] {
  const { refused, fit } = chained(all);
  const several =
    fit.length < 2 ? [] : [wrong('some were shown another keyring than others: run this again, and tell the administrator if it stays')];
  return [...refused.map(({ error }) => wrong(`${error.message} (${error.code})`)), ...several];
}

/** What the keyring says about releases that whoever verifies should know. */
export function releaseRemarks({ keyring: { release } }: VerifiedKeyring, signed: Signed): string[] {
  if (release === undefined) return [];
  if (isNewer(release.version, packageFile.version)) {
    return [`There is a newer release of the programs, ${release.version}; this is ${packageFile.version}.`];
  }
  if (release.version !== packageFile.version || signed.of === 'form' || release.digest === signed.digest) return [];
  return [`The keyring names another manifest of release ${release.version} than the one given: ${release.digest}.`];
}

export function isDoor(body: Uint8Array): boolean {
  return door.safeParse(parse(body)).success;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
