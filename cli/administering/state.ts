// folder.json: what the administrator's folder holds beside its files. docs/protocol.md, § The administrator's folder.
import * as z from 'zod';
import { blake2b, toHex, utf8 } from '../../crypto/bytes.ts';
import { isVersion, RELEASE_DIGEST_BYTES } from '../../crypto/release.ts';
import { hexPattern, LANGUAGE, TOPIC_ID } from '../../crypto/schema.ts';
import { SIGNING_KEY_BYTES } from '../../crypto/sign.ts';
import { KEYRING_DIGEST_BYTES, TEAM_ID_BYTES } from '../../crypto/wire.ts';
import { isAlias } from '../../volunteer/conversations/alias.ts';
import { SERIAL_MAX } from '../keys/keyring.ts';

const DIGEST_BYTES = 32;
const NAME_MAX = 80;
const TEAMS_MAX = 32;
const TOPICS_MAX = 16;

const isDistinct = (list: readonly string[]): boolean => new Set(list).size === list.length;

const names = z
  .record(
    z.string(),
    z
      .string()
      .min(1, 'a name is empty')
      .max(NAME_MAX, `a name is longer than ${String(NAME_MAX)} characters`),
  )
  .refine((value) => Object.keys(value).every((language) => LANGUAGE.test(language)), 'a language is a code such as "ru"')
  .refine((value) => Object.keys(value).length > 0, 'it needs a name in at least one language');

const team = z.strictObject({
  /** What the administrator calls it; never in a keyring. */
  name: z.string().regex(TOPIC_ID, 'a team is called by 1 to 32 of a-z, 0-9 and -'),
  id: z.string().regex(hexPattern(TEAM_ID_BYTES)),
  names,
  topics: z
    .array(z.strictObject({ id: z.string().regex(TOPIC_ID, 'the id of a topic is 1 to 32 of a-z, 0-9 and -'), names }))
    .min(1, 'a team takes at least one topic')
    .max(TOPICS_MAX, `a team takes at most ${String(TOPICS_MAX)} topics`)
    .refine((list) => isDistinct(list.map(({ id }) => id)), 'the same topic is there twice'),
});

/** What a team must be like: checked whenever one is made or changed. */
export const teams = z
  .array(team)
  .max(TEAMS_MAX, `there are at most ${String(TEAMS_MAX)} teams`)
  .refine((list) => isDistinct(list.map(({ id }) => id)) && isDistinct(list.map(({ name }) => name)), 'two teams are alike');
export const answerTime = names;

const card = z.strictObject({
  file: z.string().regex(/^season-\d{4}-\d\d-\d\d-[0-9a-f]{16}\.card$/),
  digest: z.string().regex(hexPattern(DIGEST_BYTES)),
});

const volunteer = z.strictObject({
  alias: z.string().refine(isAlias),
  team: z.string().regex(TOPIC_ID),
  signer: z.string().regex(hexPattern(SIGNING_KEY_BYTES)),
  /** Who was removed or revoked stays listed, so that a keyring of the past shows whose key was whose. */
  standing: z.enum(['member', 'removed', 'revoked']),
  cards: z.array(card).min(1),
});

const state = z.strictObject({
  version: z.literal(1),
  /** One more with each change. */
  revision: z.int().min(1),
  /** The root key's public half, as `minisign -P` takes it. */
  root: z.string(),
  answerTime: names.optional(),
  /** The public half of the key that signs releases, as `minisign -P` takes it, and the newest release that it signed. */
  releaseKey: z.string().optional(),
  release: z.strictObject({ version: z.string().refine(isVersion), digest: z.string().regex(hexPattern(RELEASE_DIGEST_BYTES)) }).optional(),
  teams,
  volunteers: z.array(volunteer),
  /** `cards` in the order in which they were added. Those in `revoked` name keys that are used no longer. */
  worker: z.strictObject({ cards: z.array(card), revoked: z.array(card) }),
  /** Every keyring ever signed, by rising serial. */
  keyrings: z.array(z.strictObject({ serial: z.int().min(1).max(SERIAL_MAX), digest: z.string().regex(hexPattern(KEYRING_DIGEST_BYTES)) })),
});

const file = z.strictObject({ digest: z.string(), folder: z.unknown() });

export type FolderState = z.infer<typeof state>;
export type Volunteer = FolderState['volunteers'][number];
export type FolderTeam = FolderState['teams'][number];
export type CardRef = z.infer<typeof card>;

const digestOf = (value: unknown): string => toHex(blake2b(DIGEST_BYTES, utf8(JSON.stringify(value))));

/** The text of folder.json: the state, and the BLAKE2b-256 of its JSON without white space. Throws a ZodError when it breaks the schema. */
export function encodeState(value: FolderState): string {
  const folder = state.parse(value);
  return `${JSON.stringify({ digest: digestOf(folder), folder }, null, 1)}\n`;
}

/** Reads the text of folder.json; null when it is cut, changed, or not such a file. */
export function decodeState(text: string): FolderState | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const outer = file.safeParse(value);
  if (!outer.success || outer.data.digest !== digestOf(outer.data.folder)) return null;
  const inner = state.safeParse(outer.data.folder);
  return inner.success ? inner.data : null;
}

/** The state of a folder in which there is only the root key. `root`: the second line of root.pub. */
export function firstState(root: string): FolderState {
  return { version: 1, revision: 1, root, teams: [], volunteers: [], worker: { cards: [], revoked: [] }, keyrings: [] };
}
