// Making and changing teams by flags: nobody writes JSON by hand.
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { TEAM_ID_BYTES } from '../../crypto/wire.ts';
import { CliError } from '../errors.ts';
import type { Folder } from './folder.ts';
import { membersOf } from './members.ts';
import { answerTime as answerTimeSchema, teams as teamsSchema, type FolderTeam, type FolderState } from './state.ts';

export type TeamWish = {
  /** Each `ru=Психологи`. */
  readonly names: readonly string[];
  /** Each `legal:ru=Юристы`: a topic and its name in one language. */
  readonly topics: readonly string[];
  /** Ids of topics that the team takes no longer. */
  readonly withoutTopics: readonly string[];
};

/** The folder's teams with this one made, or changed. Throws TEAM_FORMAT. */
export function withTeam({ state }: Folder, name: string, wish: TeamWish): FolderState['teams'] {
  const former = state.teams.find((team) => team.name === name);
  const team: FolderTeam = former ?? { name, id: toHex(randomBytes(TEAM_ID_BYTES)), names: {}, topics: [] };
  const topics = new Map(team.topics.filter(({ id }) => !wish.withoutTopics.includes(id)).map((topic) => [topic.id, topic]));
  for (const text of wish.topics) {
    const [, id = '', rest = ''] = /^([^:=]*):(.*)$/s.exec(text) ?? [];
    if (rest === '') throw malformed(`--topic is written ID:LANGUAGE=NAME, such as legal:en=Lawyers, not "${text}"`);
    topics.set(id, { id, names: { ...topics.get(id)?.names, ...namesFrom([rest], 'topic') } });
  }
  const made = { ...team, names: { ...team.names, ...namesFrom(wish.names, 'name') }, topics: [...topics.values()] };
  const list = former === undefined ? [...state.teams, made] : state.teams.map((each) => (each === former ? made : each));
  return checked(teamsSchema.safeParse(list));
}

/** The folder's teams without this one. Throws TEAM_UNKNOWN, TEAM_FORMAT while somebody is in it. */
export function withoutTeam(folder: Folder, name: string): FolderState['teams'] {
  insistOnTeam(folder, name);
  const left = membersOf(folder).filter(({ team }) => team === name);
  if (left.length > 0) throw malformed(`${left.map(({ alias }) => alias).join(', ')} is in team ${name}: remove them first`);
  return folder.state.teams.filter((team) => team.name !== name);
}

/** The usual answer time with these words put in, each `ru=два дня`. Throws TEAM_FORMAT. */
export function withAnswerTime({ state }: Folder, texts: readonly string[]): FolderState['answerTime'] {
  return checked(answerTimeSchema.safeParse({ ...state.answerTime, ...namesFrom(texts, 'answer-time') }));
}

/** Throws TEAM_UNKNOWN. */
export function insistOnTeam({ state }: Folder, name: string): void {
  if (state.teams.some((team) => team.name === name)) return;
  const known = state.teams.length === 0 ? 'there is none yet' : `there is ${state.teams.map((team) => team.name).join(', ')}`;
  throw new CliError('TEAM_UNKNOWN', `there is no team ${name}; ${known}`, 'make one with support-relay admin team');
}

function namesFrom(texts: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, language = '', name = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
      if (language === '' || name.trim() === '') throw malformed(`--${option} needs LANGUAGE=NAME, such as en=Lawyers, not "${text}"`);
      return [language, name.normalize('NFC').trim()];
    }),
  );
}

type Parsed<T> =
  | { success: true; data: T }
  | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };

function checked<T>(result: Parsed<T>): T {
  if (result.success) return result.data;
  throw malformed([...new Set(result.error.issues.map(({ message }) => message))].join('; '));
}

function malformed(what: string): CliError {
  return new CliError('TEAM_FORMAT', what, 'see support-relay admin team --help; nothing was changed');
}
