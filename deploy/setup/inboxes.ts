// Where each team's letters go, and reminders to the administrator: the worker's inboxes.json and administrator.json.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { CliError } from '../../cli/errors.ts';
import { readInputText } from '../../cli/files.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { visibleLine } from '../../cli/terminal/terminal.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { inboxesSchema } from '../../worker/inboxes/kinds.ts';
import { replaceFile } from '../state/folders.ts';
import type { Host } from '../state/hosts.ts';
import type { Layout } from '../state/layout.ts';
import { shownPath } from './left-to-do.ts';
import { askForMail, insistOnMail, keepFiles, mailFromFile, type MailAccess } from './mail-settings.ts';

type Team = Keyring['teams'][number];
const inboxSchema = z.looseObject({ id: z.string(), team: z.string() });
const listSchema = z.array(inboxSchema);
type Inbox = z.output<typeof inboxSchema>;
/** `tell` is called with each setting, and whether it is another than before. */
type Where = { readonly layout: Layout; readonly host: Host; readonly tell: (setting: string, isNew: boolean) => void };

/** The list as it is in its file: what setup does not know stays as somebody wrote it. */
export async function inboxesOf(layout: Layout): Promise<Inbox[]> {
  if (!existsSync(layout.inboxes)) return [];
  const result = listSchema.safeParse(parseJson(await readInputText(layout.inboxes, 'the list of inboxes')));
  if (result.success) return result.data;
  throw new CliError('INPUT_FORMAT', `${layout.inboxes} is not a list of inboxes`, 'mend it, or move it away and answer again');
}

export async function ensureMailFiles(layout: Layout): Promise<void> {
  if (!existsSync(layout.inboxes)) await replaceFile(layout.inboxes, '[]\n', 0o600);
  if (!existsSync(layout.administrator)) await replaceFile(layout.administrator, 'null\n', 0o600);
}

/** The teams of these keyrings, each once, as the newest that has it calls it. */
export function teamsOf(keyrings: readonly { readonly keyring: Keyring }[]): Team[] {
  const newestFirst = keyrings.toSorted((a, b) => b.keyring.serial - a.keyring.serial).flatMap(({ keyring }) => keyring.teams);
  return newestFirst.filter(({ id }, index) => newestFirst.findIndex((team) => team.id === id) === index);
}

export const nameOf = ({ names, id }: Team): string => names['en'] ?? Object.values(names)[0] ?? id;

/**
 * Sets the inboxes that were given as `TEAM=WHERE`: the first for a team takes the place of its first inbox, so that letters that wait go
 * to the new one. Throws TEAM_UNKNOWN, USAGE, INPUT_*.
 */
export async function takeInboxes(given: readonly string[], teams: readonly Team[], where: Where): Promise<void> {
  const used = new Set<string>();
  for (const text of given) {
    const [, name = '', place = ''] = /^(.+?)=(.+)$/s.exec(text) ?? [];
    if (name === '') throw new CliError('USAGE', `--inbox needs TEAM=WHERE, not "${text}"`, 'see --help');
    const list = await inboxesOf(where.layout);
    const team = teamCalled(name, teams);
    const id = list.find((inbox) => inbox.team === team.id && !used.has(inbox.id))?.id ?? freeId(list);
    used.add(id);
    await putInbox(id, team, place === 'maildir' ? maildirAt(id, where) : smtp(await mailFromFile(place, { ...where, name: id })), where);
  }
}

/** Asks, for each team that has no inbox yet, where its letters go. */
export async function askForInboxes(teams: readonly Team[], where: Where, io: Io): Promise<void> {
  for (const team of teams) {
    const list = await inboxesOf(where.layout);
    if (list.some((inbox) => inbox.team === team.id)) continue;
    io.err(`\nWhere do the letters for the team "${nameOf(team)}" go? They are sealed: whoever keeps the mail cannot read them.\n`);
    const answer = (await io.ask('Mail address, "maildir" for a folder on this server, or Enter to decide later: ')).trim();
    if (answer === '') continue;
    const id = freeId(list);
    const known = list.findLast((inbox) => inbox['kind'] === 'smtp') ?? null;
    const mail = answer === 'maildir' ? maildirAt(id, where) : smtp(await askForMail(answer, { ...where, name: id }, io, known));
    await putInbox(id, team, mail, where);
  }
}

/** @param given a file of settings, or `none` */
export async function takeAdministrator(given: string, where: Where): Promise<void> {
  await putAdministrator(given === 'none' ? null : await mailFromFile(given, { ...where, name: 'administrator' }), where);
}

/** Asks where reminders go, unless there is an answer already. */
export async function askForAdministrator(where: Where, io: Io): Promise<void> {
  const { layout } = where;
  if (parseJson(await readInputText(layout.administrator, "the administrator's mail")) !== null) return;
  const known = (await inboxesOf(layout)).findLast((inbox) => inbox['kind'] === 'smtp') ?? null;
  io.err('\nFour, two and one weeks before the keys end the server can send the administrator a reminder. It says no more than that.\n');
  const to = (await io.ask('Mail address for reminders, or Enter for none: ')).trim();
  if (to !== '') await putAdministrator(await askForMail(to, { ...where, name: 'administrator' }, io, known), where);
}

async function putAdministrator(mail: MailAccess | null, { layout, tell }: Where): Promise<void> {
  if (mail !== null) insistOnMail(mail.settings, 'the mail for reminders');
  const hasNewFiles = mail !== null && (await keepFiles(mail, layout));
  const isNew = await replaceFile(layout.administrator, `${JSON.stringify(mail?.settings ?? null, null, 2)}\n`, 0o600);
  tell(mail === null ? 'nobody gets reminders' : `reminders go to ${addressOf(mail)}`, isNew || hasNewFiles);
}

/** Nothing is written before all of it is known to be usable: an inbox that works keeps its password. */
async function putInbox(id: string, team: Team, mail: MailAccess, { layout, tell }: Where): Promise<void> {
  const before = await inboxesOf(layout);
  // Parsed, so that its fields stand in the order of those that are read from the file.
  const inbox = inboxSchema.parse({ ...mail.settings, id, team: team.id });
  const list = before.some((each) => each.id === id) ? before.map((each) => (each.id === id ? inbox : each)) : [...before, inbox];
  const result = inboxesSchema.safeParse(list);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`).join('; ');
    throw new CliError(
      'INPUT_FORMAT',
      `this inbox cannot be used: ${problems}`,
      'answer again, or see --help; the list of inboxes is as before',
    );
  }
  const hasNewFiles = await keepFiles(mail, layout);
  const isNew = await replaceFile(layout.inboxes, `${JSON.stringify(list, null, 2)}\n`, 0o600);
  const place = mail.settings['kind'] === 'maildir' ? `the folder ${shownPath(layout, join(layout.maildirs, id))}` : addressOf(mail);
  tell(`letters for "${visibleLine(nameOf(team))}" go to ${place}`, isNew || hasNewFiles);
}

const addressOf = ({ settings }: MailAccess): string => visibleLine(String(settings['to']));

const smtp = (mail: MailAccess): MailAccess => ({ ...mail, settings: { kind: 'smtp', ...mail.settings } });

const maildirAt = (id: string, { layout, host }: Where): MailAccess => ({
  settings: { kind: 'maildir', path: host.maildir(layout, id) },
  files: {},
});

function freeId(list: readonly Inbox[]): string {
  for (let number = 1; ; number++) if (!list.some(({ id }) => id === `inbox-${String(number)}`)) return `inbox-${String(number)}`;
}

function teamCalled(name: string, teams: readonly Team[]): Team {
  const wanted = name.trim().toLowerCase();
  const called = teams.filter(({ id, names }) => id === wanted || Object.values(names).some((each) => each.toLowerCase() === wanted));
  const [team] = called;
  if (team !== undefined && called.length === 1) return team;
  const known = teams.map((each) => `${nameOf(each)} (${each.id})`).join(', ');
  throw new CliError(
    'TEAM_UNKNOWN',
    team === undefined ? `no team is called "${name}" in the keyrings here` : `several teams are called "${name}"`,
    known === '' ? 'take the keyrings first (--keyrings)' : `there are: ${known}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
