// What the administrator has to do, and by when.
import { weekStart } from '../../crypto/card.ts';
import { NOTICE_DAYS, noticeAt, type NoticeDays } from '../../crypto/notice.ts';
import { keyName } from '../../crypto/minisign.ts';
import { dayOf, instantOf } from '../../volunteer/keys/season.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { Folder } from './folder.ts';
import { cardsOf, lastOf, membersOf, WORKER, folderWeek } from './members.ts';
import { firstOutdated } from './plan.ts';
import { releaseKeyName } from './release.ts';
import { coverageLine } from './report.ts';
import { coveredUntil, signedUntil, stretchesOf, weeksBetween } from './weeks.ts';

const DAY_MS = 24 * 3_600_000;
/** As far as the first notice looks ahead. */
const AHEAD_MS = Math.max(...NOTICE_DAYS) * DAY_MS;

/** For --json as it stands. `days`: the step of NOTICE_DAYS before `by` that has been reached; null while it is more than the first. */
export type Task = {
  who: string;
  what: 'card' | 'season' | 'again' | 'team' | 'backup';
  by: string;
  days: NoticeDays | null;
  words: string;
};

/** For --json as it stands. Dates are UTC; `until` null: no card. */
export type FolderStatus = {
  today: string;
  rootKey: string;
  coveredUntil: string | null;
  keyrings: { serial: number; from: string; until: string }[];
  people: { alias: string; team: string; until: string | null }[];
  worker: { until: string | null };
  /** The newest release that is known, and the id of the key that signed it. */
  release: { version: string; digest: string; key: string | null } | null;
  emptyTeams: { team: string; week: string }[];
  tasks: Task[];
};

/** `now`: Unix time, ms. */
export function statusOf(folder: Folder, now: number): FolderStatus {
  const covered = coveredUntil(folder.keyrings, now);
  const people = membersOf(folder).map(({ alias, team, cards }) => ({ alias, team, until: lastOf(cardsOf(folder, cards)) }));
  const worker = lastOf(cardsOf(folder, folder.state.worker.cards));
  const emptyTeams = emptyTeamsOf(folder, now);
  const { release } = folder.state;
  const dayOrNull = (time: number): string | null => (time === 0 ? null : dayOf(time - 1));
  return {
    today: dayOf(now),
    rootKey: keyName(folder.root.id),
    coveredUntil: covered > now ? instantOf(covered) : null,
    keyrings: stretchesOf(folder.keyrings)
      .filter(({ until }) => until > now)
      .map(({ signed, from, until }) => ({ serial: signed.keyring.serial, from: instantOf(from), until: instantOf(until) })),
    people: people.map((person) => ({ ...person, until: dayOrNull(person.until) })),
    worker: { until: dayOrNull(worker) },
    release: release === undefined ? null : { ...release, key: releaseKeyName(folder.state) },
    emptyTeams,
    tasks: [
      ...people.flatMap(({ alias, until }) => cardTask(alias, until, now, 'support-relay volunteer keys')),
      ...cardTask(WORKER, worker, now, 'support-relay worker keys'),
      ...emptyTeams.map(({ team, week }) =>
        task(team, 'team', Date.parse(week), now, `nobody in team ${team} has a key from ${week} on: add a card`),
      ),
      ...signingTasks(folder, covered, now),
      ...(folder.backupRecipient === null ? [task('you', 'backup', now, now, 'make the key to backups of the relay: admin init')] : []),
    ],
  };
}

export function statusLines({ today, rootKey, keyrings, people, worker, release, tasks, ...status }: FolderStatus): string[] {
  const until = (day: string | null): string => (day === null ? 'has no card' : `has keys until ${day}`);
  return [
    `Today is ${today}. Root key ${rootKey}. ${coverageLine(status.coveredUntil)}`,
    ...keyrings.map(({ serial, from, until: end }) => `  keyring ${String(serial)}: ${from} to ${end}`),
    `The worker ${until(worker.until)}`,
    ...people.map(({ alias, team, until: day }) => `${visibleLine(alias)} (team ${team}) ${until(day)}`),
    ...(release === null
      ? []
      : [`The newest release is ${release.version}${release.key === null ? '' : `, by release key ${release.key}`}`]),
    ...(tasks.length === 0
      ? ['There is nothing to do.']
      : ['To do:', ...tasks.map(({ by, words }) => `  by ${by}: ${visibleLine(words)}`)]),
  ];
}

/** The first week of the next ones in which nobody of a team has a key, for each such team. */
function emptyTeamsOf(folder: Folder, now: number): { team: string; week: string }[] {
  const first = new Map<string, string>();
  for (const week of weeksBetween(now, Math.max(now + AHEAD_MS, signedUntil(folder.keyrings)))) {
    for (const team of folderWeek(folder, week).empty) if (!first.has(team)) first.set(team, dayOf(week));
  }
  return [...first].map(([team, week]) => ({ team, week }));
}

function cardTask(who: string, until: number, now: number, command: string): Task[] {
  if (until === 0) return [task(who, 'card', weekStart(now), now, `ask ${who === WORKER ? 'the operator' : who} for a card (${command})`)];
  if (noticeAt(until, now) === null) return [];
  const from = dayOf(Math.max(until, weekStart(now)));
  const whom = who === WORKER ? `the operator for the worker's next card` : `${who} for the next card`;
  return [task(who, 'card', until, now, `ask ${whom}, from ${from} on (${command}), and add it with admin add`)];
}

function signingTasks(folder: Folder, covered: number, now: number): Task[] {
  const outdated = firstOutdated(folder, now);
  const until = covered > now ? covered : weekStart(now);
  const isDue = folder.state.teams.length > 0 && noticeAt(until, now) !== null;
  return [
    ...(isDue ? [task('you', 'season', until, now, 'sign the next weeks with admin season')] : []),
    ...(outdated === null
      ? []
      : [
          task(
            'you',
            'again',
            outdated,
            now,
            `the week from ${dayOf(outdated)} was signed before the folder changed: admin season --again`,
          ),
        ]),
  ];
}

function task(who: string, what: Task['what'], until: number, now: number, words: string): Task {
  return { who, what, by: dayOf(Math.max(until, now)), days: noticeAt(until, now), words };
}
