// Which release of the programs is the newest, as a keyring says it. docs/protocol.md, § Keyring and § Release.
import * as z from 'zod/mini';
import { hex } from './schema.ts';

/** A version by https://semver.org, without what it calls build metadata. */
const VERSION = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const MAX_VERSION_LENGTH = 32;
export const RELEASE_DIGEST_BYTES = 32;

/** True for a version as a keyring may have it, such as 1.2.0 or 1.3.0-rc.1. */
export const isVersion = (text: string): boolean => VERSION.test(text) && text.length <= MAX_VERSION_LENGTH;

export const release = z.object({
  /** As in package.json, 1.2.3. */
  version: z.string().check(z.refine(isVersion)),
  /** SHA-256 of the bytes of the release's manifest.json, 64 hex digits. */
  digest: hex(RELEASE_DIGEST_BYTES),
});

export type Release = z.infer<typeof release>;

/** True when `version` comes after `than`, both as a keyring has them: https://semver.org, § 11. A candidate comes before its version. */
export function isNewer(version: string, than: string): boolean {
  return compareVersions(version, than) > 0;
}

function compareVersions(a: string, b: string): number {
  const [core, candidate] = partsOf(a);
  const [otherCore, otherCandidate] = partsOf(b);
  return compareLists(core, otherCore) || compareCandidates(candidate, otherCandidate);
}

function partsOf(version: string): [core: string[], candidate: string[]] {
  const dash = version.indexOf('-');
  if (dash < 0) return [version.split('.'), []];
  return [version.slice(0, dash).split('.'), version.slice(dash + 1).split('.')];
}

function compareCandidates(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length) - Math.sign(a.length);
  return compareLists(a, b);
}

/** Number by number, name by name; a number comes before a name, and fewer before more. */
function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [at, part] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [isNumber, otherIsNumber] = [part, other].map((each) => /^\d+$/.test(each));
    if (isNumber && otherIsNumber) return Number(part) - Number(other);
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    return part < other ? -1 : 1;
  }
  return a.length - b.length;
}
