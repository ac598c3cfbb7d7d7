// The keyring: who can open what this week, signed by the root key. docs/protocol.md, § Keyring.
import * as z from 'zod/mini';
import { isRecipient } from './age/identity.ts';
import { blake2b, fromHex, randomBytes, toHex, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { LETTER_RECIPIENTS } from './letter.ts';
import { verify, type PublicKey } from './minisign.ts';
import { release } from './release.ts';
import { digest, freeText, hex, instant, language, parse, parseJson, serialNumber, teamId, topicId } from './schema.ts';
import { SIGNING_KEY_BYTES } from './sign.ts';
import { KEYRING_DIGEST_BYTES } from './wire.ts';

/** Room for thirty-two full teams. Nobody has to parse more. */
export const MAX_KEYRING_BYTES = 1_048_576;
const RANK_BYTES = 32;
const TEAM_KEY_BYTES = 32;
const MAX_TEAMS = 32;
const MAX_TOPICS = 16;
export const MAX_SIGNERS = 16;
/** How long parcels under a keyring that is no longer current are still accepted: a form may have been open for a day. */
export const GRACE_MS = 24 * 3_600_000;
/** The topic of teams that read whatever fits no other. */
export const OTHER_TOPIC = 'other';

const names = z
  .record(language, freeText.check(z.minLength(1), z.maxLength(80)))
  .check(z.refine((byLanguage) => Object.keys(byLanguage).length > 0));
const recipient = z.string().check(z.refine(isRecipient));

const team = z.object({
  /** 16 hex digits that say nothing about the team. */
  id: teamId,
  names,
  topics: z.array(z.object({ id: topicId, names })).check(z.minLength(1), z.maxLength(MAX_TOPICS)),
  recipients: z.array(recipient).check(z.minLength(1)),
  /** Ed25519 keys (64 hex digits) of those who may answer for the team. A revoked signer is no longer listed. */
  signers: z._default(z.array(hex(SIGNING_KEY_BYTES)).check(z.maxLength(MAX_SIGNERS)), []),
});

const keyring = z
  .object({
    version: z.literal(1),
    serial: serialNumber,
    /** UTC, to the second. The keyring is no longer valid at `notAfter`. */
    notBefore: instant,
    notAfter: instant,
    /** Digest of the previous keyring (64 hex digits), null for the first. */
    previous: z.nullable(digest),
    worker: recipient,
    /** How long an answer usually takes, in words for the form. */
    answerTime: z.optional(names),
    /** The newest release of the programs, as the administrator knows it, so that tools can say when they are older. */
    release: z.optional(release),
    teams: z.array(team).check(z.minLength(1), z.maxLength(MAX_TEAMS)),
  })
  .check(
    z.refine(({ notBefore, notAfter }) => notBefore < notAfter, { path: ['notAfter'] }),
    z.refine(({ teams }) => new Set(teams.map(({ id }) => id)).size === teams.length, { path: ['teams'] }),
  );

export type Team = z.infer<typeof team>;
export type Keyring = z.infer<typeof keyring>;
/** A keyring whose signature was verified. `digest`: 64 hex digits. */
export type VerifiedKeyring = { readonly keyring: Keyring; readonly digest: string };

/**
 * The bytes to sign: JSON on one line, ended by LF. Throws KEYRING_FORMAT, KEYRING_CROWDED, KEYRING_RECIPIENTS or KEYRING_SIGNERS
 * when a field breaks docs/protocol.md, § Keyring.
 */
export function encodeKeyring(value: Keyring): Uint8Array {
  return utf8(`${JSON.stringify(checkFields(value))}\n`);
}

/**
 * A letter has room for eight recipients; one that is listed twice takes the place of a volunteer; a team without signers is asked and can
 * never answer.
 */
function checkFields(value: unknown): Keyring {
  const checked = parse(keyring, value, 'KEYRING_FORMAT', 'a keyring');
  for (const { id, recipients } of checked.teams) {
    if (recipients.length > LETTER_RECIPIENTS) {
      const what = `team ${id} has ${String(recipients.length)} recipients, at most ${String(LETTER_RECIPIENTS)} are allowed`;
      throw new CodedError('KEYRING_CROWDED', what);
    }
  }
  for (const { id, recipients } of checked.teams) {
    if (new Set(recipients).size !== recipients.length) {
      throw new CodedError('KEYRING_RECIPIENTS', `team ${id} lists a recipient twice`);
    }
  }
  for (const { id, signers } of checked.teams) {
    if (signers.length === 0) throw new CodedError('KEYRING_SIGNERS', `team ${id} has no signer: nobody could answer for it`);
  }
  return checked;
}

/** BLAKE2b-256 of the bytes of keyring.json, as 64 hex digits. */
export function keyringDigest(json: Uint8Array): string {
  return toHex(blake2b(KEYRING_DIGEST_BYTES, json));
}

/**
 * Verifies and parses the bytes of keyring.json, given the text of its .minisig. `checkValidity` then checks the dates.
 * Throws MINISIGN_FORMAT, MINISIGN_KEY or MINISIGN_SIGNATURE as `verify` does, KEYRING_FORMAT when it is longer than 1,048,576
 * bytes or a field is wrong, KEYRING_CROWDED when a team has more than eight recipients, KEYRING_RECIPIENTS when one lists a recipient
 * twice, KEYRING_SIGNERS when one has no signer.
 */
export function verifyKeyring(json: Uint8Array, signature: string, root: PublicKey): VerifiedKeyring {
  if (json.length > MAX_KEYRING_BYTES) {
    throw new CodedError('KEYRING_FORMAT', `${String(json.length)} bytes, expected at most ${String(MAX_KEYRING_BYTES)}`);
  }
  verify(json, signature, root);
  const value = parseJson(json, 'KEYRING_FORMAT', 'the keyring');
  return { keyring: checkFields(value), digest: keyringDigest(json) };
}

/** Throws KEYRING_OLD for a serial below `floor`, KEYRING_NOT_YET_VALID before `notBefore`, KEYRING_EXPIRED from `notAfter`. */
export function checkValidity({ serial, notBefore, notAfter }: Keyring, now: Date, floor: number = 1): void {
  if (serial < floor) throw new CodedError('KEYRING_OLD', `serial ${String(serial)}, expected at least ${String(floor)}`);
  if (now.getTime() < Date.parse(notBefore)) throw new CodedError('KEYRING_NOT_YET_VALID', `the keyring is valid from ${notBefore}`);
  if (now.getTime() >= Date.parse(notAfter)) throw new CodedError('KEYRING_EXPIRED', `the keyring was valid until ${notAfter}`);
}

const begins = ({ keyring }: VerifiedKeyring): number => Date.parse(keyring.notBefore);
/**
 * Highest serial first. Of two with the same serial, which a root key should never sign, the lower digest first, so that everyone
 * who holds both picks the same.
 */
const higherFirst = (a: VerifiedKeyring, b: VerifiedKeyring): number =>
  b.keyring.serial - a.keyring.serial || (a.digest < b.digest ? -1 : 1);

/**
 * Throws when `keyring` and one that is known, of the same root key, cannot both be right: KEYRING_TWICE when it has the serial of
 * `known` and a higher digest, so that `known` counts; KEYRING_CHAIN when it has the serial after that of `known` and names another
 * in `previous`, or none. Says nothing of other serials. docs/protocol.md, § Chain.
 */
export function checkChain(known: VerifiedKeyring, { keyring, digest }: VerifiedKeyring): void {
  const serial = String(keyring.serial);
  if (keyring.serial === known.keyring.serial && digest > known.digest) {
    throw new CodedError('KEYRING_TWICE', `there is another keyring of serial ${serial}, which counts`);
  }
  if (keyring.serial === known.keyring.serial + 1 && keyring.previous !== known.digest) {
    throw new CodedError(
      'KEYRING_CHAIN',
      `keyring ${serial} does not name keyring ${String(known.keyring.serial)}, which is the one before it`,
    );
  }
}

export type Unfit<Each> = { readonly keyring: Each; readonly error: CodedError };
/** Keyrings of one root key, parted by `checkChain`: `fit` by rising serial, and those that are refused. */
export type Chained<Each> = { readonly fit: readonly Each[]; readonly refused: readonly Unfit<Each>[] };

const lowerFirst = (a: VerifiedKeyring, b: VerifiedKeyring): number =>
  a.keyring.serial - b.keyring.serial || (a.digest < b.digest ? -1 : 1);

/**
 * Parts keyrings of one root key, in any order, into those that fit together, by rising serial, and those that are refused
 * (KEYRING_TWICE, KEYRING_CHAIN). A keyring that is refused does not decide about the one after it: so an administrator mends a
 * broken chain by signing anew. The same keyring given twice is there once.
 */
export function chained<Each extends VerifiedKeyring>(keyrings: readonly Each[]): Chained<Each> {
  const fit: Each[] = [];
  const refused: Unfit<Each>[] = [];
  for (const each of [...keyrings].sort(lowerFirst)) {
    const last = fit.at(-1);
    if (last?.digest === each.digest) continue;
    try {
      if (last !== undefined) checkChain(last, each);
      fit.push(each);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      refused.push({ keyring: each, error });
    }
  }
  return { fit, refused };
}

/**
 * Of the keyrings that have begun, the one with the highest serial, even if it has ended: a lower one never comes back, since it
 * may hold the key of somebody removed later. Null when none has begun.
 */
export function newestBegun<Each extends VerifiedKeyring>(keyrings: readonly Each[], now: Date): Each | null {
  return keyrings.filter((each) => begins(each) <= now.getTime()).sort(higherFirst)[0] ?? null;
}

/**
 * The keyring that counts: the newest that has begun. If none has, the first to begin; of several that begin at once, the highest
 * serial. Null only for an empty list.
 */
export function keyringThatCounts<Each extends VerifiedKeyring>(keyrings: readonly Each[], now: Date): Each | null {
  return newestBegun(keyrings, now) ?? [...keyrings].sort((a, b) => begins(a) - begins(b) || higherFirst(a, b))[0] ?? null;
}

/** The keyring that counts, if valid at `now`. Throws KEYRING_NOT_YET_VALID or KEYRING_EXPIRED. docs/protocol.md, § Keyring. */
export function currentKeyring<Each extends VerifiedKeyring>(keyrings: readonly Each[], now: Date): Each {
  const counting = keyringThatCounts(keyrings, now);
  if (counting === null) throw new CodedError('KEYRING_EXPIRED', 'there is no keyring');
  checkValidity(counting.keyring, now);
  return counting;
}

/** All signers whose replies and notes are believed under this keyring (64 hex digits each). */
export function signersOf({ teams }: Keyring): ReadonlySet<string> {
  return new Set(teams.flatMap(({ signers }) => signers));
}

/** True when the team with this id (16 hex digits) lists the signer (64). Other teams' signers do not decide where letters go. */
export function isSignerOf({ teams }: Keyring, signer: string, team: string): boolean {
  return teams.some(({ id, signers }) => id === team && signers.includes(signer));
}

/**
 * Picks one of the teams that take a topic. Without a topic: one of those that take `other`, which is there for people who do not
 * know theirs, or of all teams if none does. The conversation's `teamKey` (32 bytes) decides which, and picks the same team even
 * as others come or go; the default picks at random. Throws KEYRING_TOPIC when no team takes `topic`. docs/protocol.md, § Team.
 */
export function teamFor({ teams }: Keyring, topic?: string, teamKey: Uint8Array = randomBytes(TEAM_KEY_BYTES)): Team {
  const taking = teams.filter(({ topics }) => topics.some(({ id }) => id === (topic ?? OTHER_TOPIC)));
  const choice = taking.length === 0 && topic === undefined ? teams : taking;
  const rank = ({ id }: Team): string => toHex(blake2b(RANK_BYTES, fromHex(id), teamKey));
  const [first] = choice.map((team) => ({ team, rank: rank(team) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  if (!first) throw new CodedError('KEYRING_TOPIC', 'no team takes this topic');
  return first.team;
}
