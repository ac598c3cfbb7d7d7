import * as z from 'zod';
import { checkRecipient } from '../../crypto/age/age.ts';
import { isRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { MAX_SIGNERS, type Keyring } from '../../crypto/keyring.ts';
import { LETTER_RECIPIENTS } from '../../crypto/letter.ts';
import { hexPattern, LANGUAGE, TOPIC_ID } from '../../crypto/schema.ts';
import { SIGNING_KEY_BYTES } from '../../crypto/sign.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';

const isDistinct = (list: readonly string[]): boolean => new Set(list).size === list.length;

const names = z
  .record(
    z.string().regex(LANGUAGE, 'a language is a code such as "ru"'),
    z.string().min(1, 'a name is empty').max(80, 'a name is longer than 80'),
  )
  .refine((value) => Object.keys(value).length > 0, 'it needs a name in at least one language');

const recipient = z
  .string('it must be text, age1pq1…')
  .refine(isRecipient, { error: 'it is not a whole recipient (age1pq1…, 1,959 characters)', abort: true })
  .refine(isUsable, 'nothing can be sealed to it: its volunteer must make another, with support-relay keygen');

const team = z.strictObject({
  id: z
    .string('it is missing: 16 hex digits that say nothing about the team')
    .regex(hexPattern(TEAM_ID_BYTES), 'it must be 16 digits 0-9a-f'),
  names,
  topics: z
    .array(z.strictObject({ id: z.string().regex(TOPIC_ID, 'it must be 1 to 32 of a-z, 0-9 and -'), names }))
    .min(1, 'a team takes at least one topic')
    .refine((list) => isDistinct(list.map(({ id }) => id)), 'the same topic is there twice'),
  recipients: z
    .array(recipient)
    .min(1, 'a team has at least one recipient')
    .max(LETTER_RECIPIENTS, `a team has at most ${String(LETTER_RECIPIENTS)} recipients`)
    .refine(isDistinct, 'the same recipient is there twice'),
  signers: z
    .array(
      z
        .string('it must be text, 64 digits')
        .regex(hexPattern(SIGNING_KEY_BYTES), 'it must be the 64 digits 0-9a-f that support-relay keygen --signer prints'),
      'they are missing: the keys of those who may answer',
    )
    .min(1, 'a team has at least one signer, who may answer for it')
    .max(MAX_SIGNERS, `a team has at most ${String(MAX_SIGNERS)} signers`)
    .refine(isDistinct, 'the same signer is there twice'),
});

const teams = z
  .array(team)
  .min(1, 'there must be at least one team')
  .refine((list) => isDistinct(list.map(({ id }) => id)), 'two teams have the same id');

const teamsFile = z.strictObject({ answerTime: names.optional(), teams });

export type TeamsFile = { teams: Keyring['teams']; answerTime?: NonNullable<Keyring['answerTime']> };

/** Reads a teams file: the keyring's list of teams, or an object with `teams` and `answerTime`. */
export async function readTeams(path: string): Promise<TeamsFile> {
  await ready;
  const text = await readInputText(path, 'the teams file');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      'TEAMS_FORMAT',
      `${path} is not JSON: ${error instanceof Error ? error.message : ''}`,
      'a comma or a quotation mark may be missing',
    );
  }
  const result = teamsFile.safeParse(Array.isArray(value) ? { teams: value } : value);
  if (!result.success) {
    const what = result.error.issues.map((issue) => `${placeOf(issue.path)}: ${issue.message}`).join('; ');
    throw new CliError('TEAMS_FORMAT', `${path}: ${what}`, `see support-relay admin keyring --help (a fresh team id: ${freshTeamId()})`);
  }
  const { teams: list, answerTime } = result.data;
  return { teams: list, ...(answerTime === undefined ? {} : { answerTime }) };
}

function freshTeamId(): string {
  return toHex(randomBytes(TEAM_ID_BYTES));
}

/** "team 2, recipients 1" for the path ["teams", 1, "recipients", 0]: people count from one. */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole';
  const segments: string[] = [];
  for (const part of path) {
    const last = segments.at(-1);
    if (typeof part === 'number' && last !== undefined) {
      segments[segments.length - 1] = `${last === 'teams' ? 'team' : last} ${String(part + 1)}`;
    } else {
      segments.push(String(part));
    }
  }
  return segments.join(', ');
}

function isUsable(recipient: string): boolean {
  try {
    checkRecipient(recipient);
    return true;
  } catch {
    return false;
  }
}
